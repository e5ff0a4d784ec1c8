#include "exporter/collectors/device_specs.h"

#include <utility>

#include "exporter/collectors/device_collectors.h"

namespace skep::exporter {
namespace {

using Created = Result<std::unique_ptr<Collector>>;

// A collector that takes nothing but the paths.
template <CollectorPtr (*Make)(const Paths&)>
CollectorSpec Plain(std::string name) {
  return {.name = std::move(name),
          .create = [](const CollectorSetup& setup) -> Created { return Make(setup.paths); }};
}

CollectorSpec ArpSpec() {
  return {.name = "arp",
          .options = DeviceFilterOptions("arp", ""),
          .create = [](const CollectorSetup& setup) -> Created {
            Result<DeviceFilter> devices = ReadDeviceFilter(setup.options);
            if (!devices) return devices.error();
            return MakeArpCollector(setup.paths, std::move(*devices));
          }};
}

CollectorSpec BcacheSpec() {
  return {
      .name = "bcache",
      .options = {{"priorityStats", OptionKind::kFlag, "false", "Expose expensive priority stats"}},
      .create = [](const CollectorSetup& setup) -> Created {
        return MakeBcacheCollector(setup.paths, setup.options.Flag("priorityStats"));
      }};
}

CollectorSpec IpvsSpec() {
  return {.name = "ipvs",
          .options = {{"backend-labels", OptionKind::kText, std::string(kIpvsBackendLabels),
                       "Comma separated list for IPVS backend stats labels"}},
          .create = [](const CollectorSetup& setup) -> Created {
            return MakeIpvsCollector(setup.paths, setup.options.Text("backend-labels"));
          }};
}

CollectorSpec PowerSupplySpec() {
  return {.name = "powersupplyclass",
          .options = {{"ignored-supplies", OptionKind::kRegex, "^$",
                       "Regexp of power supplies to ignore for powersupplyclass collector",
                       "collector.powersupply.ignored-supplies"}},
          .create = [](const CollectorSetup& setup) -> Created {
            return MakePowerSupplyCollector(setup.paths, setup.options.Pattern("ignored-supplies"));
          }};
}

CollectorSpec RaplSpec() {
  return {.name = "rapl",
          .options = {{"enable-zone-label", OptionKind::kFlag, "false",
                       "Put the zone's name into a label instead of the metric's name"}},
          .create = [](const CollectorSetup& setup) -> Created {
            return MakeRaplCollector(setup.paths, setup.options.Flag("enable-zone-label"));
          }};
}

CollectorSpec TapestatsSpec() {
  return {.name = "tapestats",
          .options = {{"ignored-devices", OptionKind::kRegex, "^$",
                       "Regexp of devices to ignore for tapestats"}},
          .create = [](const CollectorSetup& setup) -> Created {
            return MakeTapestatsCollector(setup.paths, setup.options.Pattern("ignored-devices"));
          }};
}

}  // namespace

std::vector<CollectorSpec> DeviceSpecs() {
  return {ArpSpec(),
          BcacheSpec(),
          Plain<MakeBondingCollector>("bonding"),
          Plain<MakeBtrfsCollector>("btrfs"),
          Plain<MakeDmiCollector>("dmi"),
          Plain<MakeEdacCollector>("edac"),
          Plain<MakeEntropyCollector>("entropy"),
          Plain<MakeFibreChannelCollector>("fibrechannel"),
          Plain<MakeHwmonCollector>("hwmon"),
          Plain<MakeInfinibandCollector>("infiniband"),
          IpvsSpec(),
          Plain<MakeMdadmCollector>("mdadm"),
          Plain<MakeNfsCollector>("nfs"),
          Plain<MakeNfsdCollector>("nfsd"),
          Plain<MakeNvmeCollector>("nvme"),
          PowerSupplySpec(),
          RaplSpec(),
          Plain<MakeSchedstatCollector>("schedstat"),
          Plain<MakeSelinuxCollector>("selinux"),
          TapestatsSpec(),
          Plain<MakeThermalZoneCollector>("thermal_zone"),
          Plain<MakeUdpQueuesCollector>("udp_queues"),
          Plain<MakeXfsCollector>("xfs"),
          Plain<MakeZfsCollector>("zfs")};
}

}  // namespace skep::exporter
