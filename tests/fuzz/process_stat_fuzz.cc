// Any bytes as a line of /proc/PID/stat.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/collectors/process_group.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view line(reinterpret_cast<const char*>(data), size);
  auto stat = skep::exporter::ParseProcessStat(line);
  // The name points into the line.
  if (stat && line.find(stat->comm) == std::string_view::npos) std::abort();
  return 0;
}
