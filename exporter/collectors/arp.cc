// How many neighbours each interface knows: /proc/net/arp.
#include <map>

#include "common/base/file.h"
#include "exporter/collectors/device_choice.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

// The interface is the last column.
std::map<std::string, int, std::less<>> CountByDevice(std::string_view table) {
  std::map<std::string, int, std::less<>> counts;
  (void)NextLine(table);  // column titles
  while (std::optional<std::string_view> line = NextLine(table)) {
    std::string_view text = Trim(*line);
    if (text.empty()) continue;
    std::string_view device = text.substr(text.find_last_of(" \t") + 1);
    auto at = counts.find(device);
    if (at == counts.end()) at = counts.emplace(device, 0).first;
    ++at->second;
  }
  return counts;
}

}  // namespace

CollectorPtr MakeArpCollector(const Paths& paths, DeviceFilter devices) {
  auto choice = std::make_shared<DeviceChoice>(std::move(devices));
  std::string path = paths.Proc("net/arp");
  return MakeFunctionCollector("arp", [choice, path](CollectContext& context) -> Status {
    Result<std::string> table = ReadFile(path);
    if (!table) return table.error();
    bool announced = false;
    for (const auto& [device, count] : CountByDevice(*table)) {
      if (!choice->Keeps(device)) continue;
      if (!announced) {
        context.page.Family("node_arp_entries", "ARP entries by device", MetricType::kGauge);
      }
      announced = true;
      context.page.Sample({{"device", ValidUtf8(device)}}, count);
    }
    return {};
  });
}

}  // namespace skep::exporter
