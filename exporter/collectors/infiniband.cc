// InfiniBand adapters and their ports.
#include <array>

#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Counter {
  std::string_view file;  // below the port
  std::string_view name;  // behind "node_infiniband_"
  std::string_view help;
  int factor = 1;
};

// Data is counted per lane, of which a port has four.
constexpr int kLanes = 4;

constexpr std::array<Counter, 30> kCounters = {{
    {"counters_ext/port_multicast_rcv_packets", "legacy_multicast_packets_received_total",
     "Number of multicast packets received"},
    {"counters_ext/port_multicast_xmit_packets", "legacy_multicast_packets_transmitted_total",
     "Number of multicast packets transmitted"},
    {"counters_ext/port_rcv_data_64", "legacy_data_received_bytes_total",
     "Number of data octets received on all links", kLanes},
    {"counters_ext/port_rcv_packets_64", "legacy_packets_received_total",
     "Number of data packets received on all links"},
    {"counters_ext/port_unicast_rcv_packets", "legacy_unicast_packets_received_total",
     "Number of unicast packets received"},
    {"counters_ext/port_unicast_xmit_packets", "legacy_unicast_packets_transmitted_total",
     "Number of unicast packets transmitted"},
    {"counters_ext/port_xmit_data_64", "legacy_data_transmitted_bytes_total",
     "Number of data octets transmitted on all links", kLanes},
    {"counters_ext/port_xmit_packets_64", "legacy_packets_transmitted_total",
     "Number of data packets received on all links"},
    {"counters/excessive_buffer_overrun_errors", "excessive_buffer_overrun_errors_total",
     "Number of times that OverrunErrors consecutive flow control update periods occurred, each "
     "having at least one overrun error."},
    {"counters/link_downed", "link_downed_total",
     "Number of times the link failed to recover from an error state and went down"},
    {"counters/link_error_recovery", "link_error_recovery_total",
     "Number of times the link successfully recovered from an error state"},
    {"counters/local_link_integrity_errors", "local_link_integrity_errors_total",
     "Number of times that the count of local physical errors exceeded the threshold specified by "
     "LocalPhyErrors."},
    {"counters/multicast_rcv_packets", "multicast_packets_received_total",
     "Number of multicast packets received (including errors)"},
    {"counters/multicast_xmit_packets", "multicast_packets_transmitted_total",
     "Number of multicast packets transmitted (including errors)"},
    {"counters/port_rcv_constraint_errors", "port_constraint_errors_received_total",
     "Number of packets received on the switch physical port that are discarded"},
    {"counters/port_rcv_data", "port_data_received_bytes_total",
     "Number of data octets received on all links", kLanes},
    {"counters/port_rcv_discards", "port_discards_received_total",
     "Number of inbound packets discarded by the port because the port is down or congested"},
    {"counters/port_rcv_errors", "port_errors_received_total",
     "Number of packets containing an error that were received on this port"},
    {"counters/port_rcv_packets", "port_packets_received_total",
     "Number of packets received on all VLs by this port (including errors)"},
    {"counters/port_rcv_remote_physical_errors", "port_receive_remote_physical_errors_total",
     "Number of packets marked with the EBP (End of Bad Packet) delimiter received on the port."},
    {"counters/port_rcv_switch_relay_errors", "port_receive_switch_relay_errors_total",
     "Number of packets that could not be forwarded by the switch."},
    {"counters/port_xmit_constraint_errors", "port_constraint_errors_transmitted_total",
     "Number of packets not transmitted from the switch physical port"},
    {"counters/port_xmit_data", "port_data_transmitted_bytes_total",
     "Number of data octets transmitted on all links", kLanes},
    {"counters/port_xmit_discards", "port_discards_transmitted_total",
     "Number of outbound packets discarded by the port because the port is down or congested"},
    {"counters/port_xmit_packets", "port_packets_transmitted_total",
     "Number of packets transmitted on all VLs from this port (including errors)"},
    {"counters/port_xmit_wait", "port_transmit_wait_total",
     "Number of ticks during which the port had data to transmit but no data was sent during the "
     "entire tick"},
    {"counters/symbol_error", "symbol_error_total",
     "Number of minor link errors detected on one or more physical lanes."},
    {"counters/unicast_rcv_packets", "unicast_packets_received_total",
     "Number of unicast packets received (including errors)"},
    {"counters/unicast_xmit_packets", "unicast_packets_transmitted_total",
     "Number of unicast packets transmitted (including errors)"},
    {"counters/VL15_dropped", "vl15_dropped_total",
     "Number of incoming VL15 packets dropped due to resource limitations."},
}};

void AddGauge(FamilySet& families, std::string_view name, std::string_view help,
              const std::string& labels, std::optional<double> value) {
  if (value) families.AddRendered(name, help, MetricType::kGauge, labels, *value);
}

// "4: ACTIVE" is 4.
std::optional<double> StateId(const std::string& path) {
  std::string text = ReadText(path).value_or("");
  return ParseDouble(Trim(std::string_view(text).substr(0, text.find(':'))));
}

// "40 Gb/sec (4X QDR)" in bytes per second.
std::optional<double> Rate(const std::string& path) {
  std::string text = ReadText(path).value_or("");
  std::optional<double> gigabits = ParseDouble(std::string_view(text).substr(0, text.find(' ')));
  if (!gigabits) return std::nullopt;
  return *gigabits * 125000000;
}

void AddPort(FamilySet& families, const std::string& path, const std::string& device,
             const std::string& port) {
  std::string labels = exposition::RenderLabels({{"device", device}, {"port", port}});
  AddGauge(families, "node_infiniband_state_id",
           "State of the InfiniBand port (0: no change, 1: down, 2: init, 3: armed, 4: active, 5: "
           "act defer)",
           labels, StateId(path + "/state"));
  AddGauge(families, "node_infiniband_physical_state_id",
           "Physical state of the InfiniBand port (0: no change, 1: sleep, 2: polling, 3: disable, "
           "4: shift, 5: link up, 6: link error recover, 7: phytest)",
           labels, StateId(path + "/phys_state"));
  AddGauge(families, "node_infiniband_rate_bytes_per_second", "Maximum signal transfer rate",
           labels, Rate(path + "/rate"));
  for (const Counter& counter : kCounters) {
    // Adapters that do not count something say "N/A (no PMA)".
    std::optional<std::uint64_t> value = ReadUint(path + "/" + std::string(counter.file));
    if (!value) continue;
    families.AddRendered("node_infiniband_" + std::string(counter.name), counter.help,
                         MetricType::kCounter, labels,
                         static_cast<double>(*value) * counter.factor);
  }
}

void AddDevice(FamilySet& families, const std::string& path, const std::string& device) {
  auto read = [&](std::string_view file) {
    return ValidUtf8(ReadText(path + "/" + std::string(file)).value_or(""));
  };
  families.Add("node_infiniband_info",
               "Non-numeric data from /sys/class/infiniband/<device>, value is always 1.",
               MetricType::kGauge,
               {{"board_id", read("board_id")},
                {"device", device},
                {"firmware_version", read("fw_ver")},
                {"hca_type", read("hca_type")}},
               1);
  for (const std::string& port : ListFolderOrNone(path + "/ports")) {
    if (ParseUint(port)) AddPort(families, path + "/ports/" + port, device, port);
  }
}

}  // namespace

CollectorPtr MakeInfinibandCollector(const Paths& paths) {
  std::string root = paths.Sys("class/infiniband");
  return MakeFunctionCollector("infiniband", [root](CollectContext& context) -> Status {
    Result<std::vector<std::string>> devices = ListFolder(root);
    if (!devices) return devices.error();
    FamilySet families;
    for (const std::string& device : *devices) AddDevice(families, root + "/" + device, device);
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
