// The text of /proc/cpuinfo.
#pragma once

#include <string_view>
#include <vector>

namespace skep::exporter {

// One processor; views into the text. What the machine does not tell is "".
struct CpuInfo {
  std::string_view processor, vendor, family, model, model_name, stepping, microcode, cache_size;
  std::string_view package, core;
  std::string_view flags, bugs;  // words between blanks
};

std::vector<CpuInfo> ParseCpuInfo(std::string_view text);

}  // namespace skep::exporter
