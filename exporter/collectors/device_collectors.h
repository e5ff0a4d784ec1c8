// Collectors of hardware, file systems and network protocols beyond the basic ones: one .cc each.
// Names, labels and help are node_exporter 1.5's, so that its dashboards and rules work unchanged.
// Each answers kNotFound where the machine has nothing of its kind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/model/regex.h"
#include "exporter/collectors/proc_files.h"
#include "exporter/registry/collector.h"

namespace skep::exporter {

// Which devices count: `include` first, then `exclude`, each matching a part of the name, as
// node_exporter's flags do. Unset: no condition.
struct DeviceFilter {
  std::optional<Regex> include;
  std::optional<Regex> exclude;

  bool Keeps(std::string_view device) const {
    return (!include || include->PartialMatch(device)) &&
           (!exclude || !exclude->PartialMatch(device));
  }
};

using CollectorPtr = std::unique_ptr<Collector>;

// `devices`: --collector.arp.device-include, --collector.arp.device-exclude.
CollectorPtr MakeArpCollector(const Paths& paths, DeviceFilter devices = {});
CollectorPtr MakeBcacheCollector(const Paths& paths, bool priority_stats = false);
CollectorPtr MakeBondingCollector(const Paths& paths);
CollectorPtr MakeBtrfsCollector(const Paths& paths);
CollectorPtr MakeDmiCollector(const Paths& paths);
CollectorPtr MakeEdacCollector(const Paths& paths);
CollectorPtr MakeEntropyCollector(const Paths& paths);
CollectorPtr MakeFibreChannelCollector(const Paths& paths);
CollectorPtr MakeHwmonCollector(const Paths& paths);
CollectorPtr MakeInfinibandCollector(const Paths& paths);
// `backend_labels`: --collector.ipvs.backend-labels, of kIpvsBackendLabels and in that order.
// Backends that agree in those are added up.
inline constexpr std::string_view kIpvsBackendLabels =
    "local_address,local_port,remote_address,remote_port,proto,local_mark";
Result<CollectorPtr> MakeIpvsCollector(const Paths& paths,
                                       std::string_view backend_labels = kIpvsBackendLabels);
CollectorPtr MakeMdadmCollector(const Paths& paths);
CollectorPtr MakeNfsCollector(const Paths& paths);
CollectorPtr MakeNfsdCollector(const Paths& paths);
CollectorPtr MakeNvmeCollector(const Paths& paths);
// `ignored`: --collector.powersupply.ignored-supplies.
CollectorPtr MakePowerSupplyCollector(const Paths& paths, std::optional<Regex> ignored = {});
// `zone_label`: --collector.rapl.enable-zone-label.
CollectorPtr MakeRaplCollector(const Paths& paths, bool zone_label = false);
CollectorPtr MakeSchedstatCollector(const Paths& paths);
CollectorPtr MakeSelinuxCollector(const Paths& paths);
// `ignored`: --collector.tapestats.ignored-devices.
CollectorPtr MakeTapestatsCollector(const Paths& paths, std::optional<Regex> ignored = {});
CollectorPtr MakeThermalZoneCollector(const Paths& paths);
CollectorPtr MakeUdpQueuesCollector(const Paths& paths);
CollectorPtr MakeXfsCollector(const Paths& paths);
CollectorPtr MakeZfsCollector(const Paths& paths);

}  // namespace skep::exporter
