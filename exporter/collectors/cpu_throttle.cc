#include "exporter/collectors/cpu_throttle.h"

#include <algorithm>
#include <string_view>

#include "common/base/number.h"

namespace skep::exporter {
namespace {

bool IsCpuFolder(std::string_view name) {
  return name.size() > 3 && name.starts_with("cpu") && name[3] >= '0' && name[3] <= '9';
}

template <typename Counters>
void WriteFamily(exposition::PageWriter& writer, std::string_view name, std::string_view help,
                 Counters& counters) {
  if (counters.empty()) return;
  writer.Family(name, help, exposition::MetricType::kCounter);
  for (auto& counter : counters) {
    const Result<std::string_view> text = counter.file.ReadAttribute();
    const auto count = text ? ParseUint(Trim(*text)) : std::nullopt;
    if (count) writer.RenderedSample(counter.labels, static_cast<double>(*count));
  }
}

}  // namespace

void CpuThrottle::Discover() {
  cores_.clear();
  packages_.clear();
  const std::string folder = paths_.Sys("devices/system/cpu");
  for (const std::string& name : ListFolderOrNone(folder)) {
    if (IsCpuFolder(name)) DiscoverCpu(folder + "/" + name);
  }
}

void CpuThrottle::DiscoverCpu(const std::string& folder) {
  const auto package = ReadUint(folder + "/topology/physical_package_id");
  const auto core = ReadUint(folder + "/topology/core_id");
  if (!package || !core) return;
  const std::string package_text = std::to_string(*package);
  const std::string core_text = std::to_string(*core);
  const auto add = [](std::vector<Counter>& counters, std::string labels, std::string path) {
    const bool known = std::any_of(counters.begin(), counters.end(),
                                   [&](const Counter& c) { return c.labels == labels; });
    // Hundreds of cores are not worth hundreds of descriptors.
    const auto keep = counters.size() < 64 ? SourceFile::Keep::kOpen : SourceFile::Keep::kReopen;
    if (!known && FileExists(path)) {
      counters.push_back({std::move(labels), SourceFile(std::move(path), keep)});
    }
  };
  add(cores_, exposition::RenderLabels({{"core", core_text}, {"package", package_text}}),
      folder + "/thermal_throttle/core_throttle_count");
  add(packages_, exposition::RenderLabels({{"package", package_text}}),
      folder + "/thermal_throttle/package_throttle_count");
}

void CpuThrottle::Write(exposition::PageWriter& writer) {
  WriteFamily(writer, "node_cpu_core_throttles_total",
              "Number of times this CPU core has been throttled.", cores_);
  WriteFamily(writer, "node_cpu_package_throttles_total",
              "Number of times this CPU package has been throttled.", packages_);
}

}  // namespace skep::exporter
