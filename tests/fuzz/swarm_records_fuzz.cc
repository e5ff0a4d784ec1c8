// Records of the state file that belong to swarms: refused or taken, and what was taken can be
// saved and taken again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/swarm/history.h"
#include "exporter/swarm/pushed.h"
#include "exporter/swarm/sessions.h"

namespace {

template <typename Section>
void Try(std::string_view record) {
  Section first;
  if (!first.Restore(record)) return;
  Section second;
  first.Save([&](std::string_view saved) {
    if (!second.Restore(saved)) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep::swarm;
  const std::string_view record(reinterpret_cast<const char*>(data), size);
  Try<History>(record);
  Try<PushedSwarm>(record);
  Try<Sessions>(record);
  return 0;
}
