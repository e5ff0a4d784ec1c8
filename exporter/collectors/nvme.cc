// Model, firmware and state of NVMe devices.
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

CollectorPtr MakeNvmeCollector(const Paths& paths) {
  std::string folder = paths.Sys("class/nvme");
  return MakeFunctionCollector("nvme", [folder](CollectContext& context) -> Status {
    Result<std::vector<std::string>> devices = ListFolder(folder);
    if (!devices) return devices.error();
    FamilySet families;
    for (const std::string& device : *devices) {
      auto read = [&](std::string_view file) {
        return ValidUtf8(ReadText(folder + "/" + device + "/" + std::string(file)).value_or(""));
      };
      families.Add("node_nvme_info",
                   "Non-numeric data from /sys/class/nvme/<device>, value is always 1.",
                   MetricType::kGauge,
                   {{"device", device},
                    {"firmware_revision", read("firmware_rev")},
                    {"model", read("model")},
                    {"serial", read("serial")},
                    {"state", read("state")}},
                   1);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
