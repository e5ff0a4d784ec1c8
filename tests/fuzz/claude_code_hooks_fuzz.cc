// Any body at the endpoint for hooks is answered, and the next good one counts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/ingest/claude_code_hooks.h"
#include "tests/exporter/swarm/rig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep;
  // One store for all inputs: what one leaves behind is there for the next.
  static swarm::test::Rig rig;
  static ingest::ClaudeCodeHooks hooks({}, {}, {rig.sessions, rig.pushed, *rig.flow, *rig.store},
                                       rig.clock, Logger::Silent());
  net::HttpRequest request;
  request.method = "POST";
  request.body.assign(reinterpret_cast<const char*>(data), size);
  const int status = hooks.Handle(request).status;
  if (status != 200 && status != 400) std::abort();
  request.body = R"({"hook_event_name":"Stop","session_id":"s"})";
  if (hooks.Handle(request).status != 200) std::abort();
  return 0;
}
