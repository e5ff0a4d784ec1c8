#include "exporter/collectors/cpu_info.h"

#include <optional>
#include <utility>

#include "exporter/collectors/proc_files.h"

namespace skep::exporter {
namespace {

constexpr std::pair<std::string_view, std::string_view CpuInfo::*> kFields[] = {
    {"vendor_id", &CpuInfo::vendor},
    {"cpu family", &CpuInfo::family},
    {"model", &CpuInfo::model},
    {"model name", &CpuInfo::model_name},
    {"stepping", &CpuInfo::stepping},
    {"microcode", &CpuInfo::microcode},
    {"cache size", &CpuInfo::cache_size},
    {"physical id", &CpuInfo::package},
    {"core id", &CpuInfo::core},
    {"flags", &CpuInfo::flags},
    {"Features", &CpuInfo::flags},
    {"bugs", &CpuInfo::bugs},
    {"CPU implementer", &CpuInfo::vendor},
    {"CPU architecture", &CpuInfo::family},
    {"CPU part", &CpuInfo::model},
    {"CPU revision", &CpuInfo::stepping},
};

}  // namespace

std::vector<CpuInfo> ParseCpuInfo(std::string_view text) {
  std::vector<CpuInfo> cpus;
  while (std::optional<std::string_view> line = NextLine(text)) {
    const std::size_t colon = line->find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = Trim(line->substr(0, colon));
    const std::string_view value = Trim(line->substr(colon + 1));
    if (key == "processor") {
      cpus.emplace_back().processor = value;
      continue;
    }
    if (cpus.empty()) continue;
    for (const auto& [name, field] : kFields) {
      if (key == name) cpus.back().*field = value;
    }
  }
  return cpus;
}

}  // namespace skep::exporter
