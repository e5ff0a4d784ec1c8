#include "exporter/collectors/device_specs.h"

#include <limits>
#include <utility>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "exporter/collectors/cgroup.h"
#include "exporter/collectors/device_collectors.h"
#include "exporter/collectors/process_group.h"
#include "exporter/collectors/textfile.h"

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

Result<std::uint64_t> ReadCount(const OptionValues& options, std::string_view name,
                                std::uint64_t least) {
  const std::string& text = options.Text(name);
  const std::optional<std::uint64_t> number = ParseUint(text);
  if (!number || *number < least || *number > std::numeric_limits<int>::max()) {
    return Invalid(std::string(name) + ": expected a whole number of at least " +
                   std::to_string(least) + ", got " + Quote(text));
  }
  return *number;
}

Created CreateCgroup(const CollectorSetup& setup) {
  CgroupOptions options;
  options.root = setup.options.Text("root");
  options.include = setup.options.Pattern("include");
  options.exclude = setup.options.Pattern("exclude");
  const Result<std::uint64_t> depth = ReadCount(setup.options, "max-depth", 0);
  if (!depth) return depth.error();
  options.max_depth = static_cast<int>(*depth);
  const Result<std::uint64_t> groups = ReadCount(setup.options, "max-groups", 1);
  if (!groups) return groups.error();
  options.max_groups = *groups;
  return MakeCgroupCollector(setup.paths, std::move(options));
}

CollectorSpec CgroupSpec() {
  return {.name = "cgroup",
          .options = {{"root", OptionKind::kText, "",
                       "Where cgroup version 2 is mounted; sought below sysfs by default"},
                      {"include", OptionKind::kRegex, "",
                       "Regexp of whole paths of control groups to show"},
                      {"exclude", OptionKind::kRegex, "",
                       "Regexp of whole paths of control groups to leave out"},
                      {"max-depth", OptionKind::kText, "4",
                       "Levels of control groups below the root that are shown"},
                      {"max-groups", OptionKind::kText, "200",
                       "Most control groups shown, the outermost first"}},
          .create = CreateCgroup};
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

CollectorSpec ProcessGroupSpec() {
  return {.name = "process_group",
          .options = {{"groups", OptionKind::kNode, "",
                       "Sequence of {name, comm, cmdline, exe, user}; a process belongs to the "
                       "first group all of whose conditions it meets"}},
          .create = [](const CollectorSetup& setup) -> Created {
            const std::optional<yaml::Node>& node = setup.options.Node("groups");
            if (!node) return MakeProcessGroupCollector(setup.paths, {});
            Result<std::vector<ProcessGroup>> groups = ParseProcessGroups(*node);
            if (!groups) return groups.error();
            return MakeProcessGroupCollector(setup.paths, std::move(*groups));
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

CollectorSpec TextfileSpec() {
  return {.name = "textfile",
          .options = {{"directory", OptionKind::kList, TextfileOptions().folders.front(),
                       "Directory to read *.prom files with metrics from; a shell pattern of "
                       "several"}},
          .create = [](const CollectorSetup& setup) -> Created {
            TextfileOptions options;
            options.folders = setup.options.List("directory");
            options.folders_must_exist = setup.options.IsSet("directory");
            return MakeTextfileCollector(std::move(options), setup.log);
          }};
}

}  // namespace

std::vector<CollectorSpec> DeviceSpecs() {
  return {ArpSpec(),
          BcacheSpec(),
          Plain<MakeBondingCollector>("bonding"),
          Plain<MakeBtrfsCollector>("btrfs"),
          CgroupSpec(),
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
          ProcessGroupSpec(),
          RaplSpec(),
          Plain<MakeSchedstatCollector>("schedstat"),
          Plain<MakeSelinuxCollector>("selinux"),
          TapestatsSpec(),
          TextfileSpec(),
          Plain<MakeThermalZoneCollector>("thermal_zone"),
          Plain<MakeUdpQueuesCollector>("udp_queues"),
          Plain<MakeXfsCollector>("xfs"),
          Plain<MakeZfsCollector>("zfs")};
}

}  // namespace skep::exporter
