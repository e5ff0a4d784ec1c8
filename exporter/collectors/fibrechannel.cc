// Fibre Channel host adapters.
#include <array>
#include <limits>

#include "exporter/collectors/family_set.h"
#include "exporter/collectors/scan.h"

namespace skep::exporter {

namespace {

struct Counter {
  std::string_view file;
  std::string_view name;
  std::string_view help;
};

constexpr std::array<Counter, 14> kCounters = {{
    {"dumped_frames", "node_fibrechannel_dumped_frames_total", "Number of dumped frames"},
    {"error_frames", "node_fibrechannel_error_frames_total", "Number of errors in frames"},
    {"fcp_packet_aborts", "node_fibrechannel_fcp_packet_aborts_total", "Number of aborted packets"},
    {"invalid_crc_count", "node_fibrechannel_invalid_crc_total",
     "Invalid Cyclic Redundancy Check count"},
    {"invalid_tx_word_count", "node_fibrechannel_invalid_tx_words_total",
     "Number of invalid words transmitted by host port"},
    {"link_failure_count", "node_fibrechannel_link_failure_total",
     "Number of times the host port link has failed"},
    {"loss_of_signal_count", "node_fibrechannel_loss_of_signal_total",
     "Number of times signal has been lost"},
    {"loss_of_sync_count", "node_fibrechannel_loss_of_sync_total",
     "Number of failures on either bit or transmission word boundaries"},
    {"nos_count", "node_fibrechannel_nos_total",
     "Number Not_Operational Primitive Sequence received by host port"},
    {"rx_frames", "node_fibrechannel_rx_frames_total", "Number of frames received"},
    {"rx_words", "node_fibrechannel_rx_words_total", "Number of words received by host port"},
    {"seconds_since_last_reset", "node_fibrechannel_seconds_since_last_reset_total",
     "Number of seconds since last host port reset"},
    {"tx_frames", "node_fibrechannel_tx_frames_total", "Number of frames transmitted by host port"},
    {"tx_words", "node_fibrechannel_tx_words_total", "Number of words transmitted by host port"},
}};

std::string WithoutHexPrefix(std::string text) {
  if (text.starts_with("0x")) text.erase(0, 2);
  return text;
}

void AddInfo(FamilySet& families, const std::string& folder, const std::string& host) {
  auto read = [&](std::string_view file) {
    return ValidUtf8(ReadText(folder + "/" + std::string(file)).value_or(""));
  };
  families.Add("node_fibrechannel_info",
               "Non-numeric data from /sys/class/fc_host/<host>, value is always 1.",
               MetricType::kGauge,
               {{"dev_loss_tmo", read("dev_loss_tmo")},
                {"fabric_name", WithoutHexPrefix(read("fabric_name"))},
                {"fc_host", host},
                {"port_id", WithoutHexPrefix(read("port_id"))},
                {"port_name", WithoutHexPrefix(read("port_name"))},
                {"port_state", read("port_state")},
                {"port_type", read("port_type")},
                {"speed", read("speed")},
                {"supported_classes", read("supported_classes")},
                {"supported_speeds", read("supported_speeds")},
                {"symbolic_name", read("symbolic_name")}},
               1);
}

// All ones: the adapter does not count that. A statistic that is missing is not shown at all.
void AddCounters(FamilySet& families, const std::string& folder, const std::string& host) {
  for (const Counter& counter : kCounters) {
    std::optional<std::string> text = ReadText(folder + "/statistics/" + std::string(counter.file));
    std::uint64_t value = 0;
    if (!text || !ParseHex(*text, value)) continue;
    if (value == std::numeric_limits<std::uint64_t>::max()) continue;
    families.Add(counter.name, counter.help, MetricType::kCounter, {{"fc_host", host}},
                 static_cast<double>(value));
  }
}

}  // namespace

CollectorPtr MakeFibreChannelCollector(const Paths& paths) {
  std::string root = paths.Sys("class/fc_host");
  return MakeFunctionCollector("fibrechannel", [root](CollectContext& context) -> Status {
    Result<std::vector<std::string>> hosts = ListFolder(root);
    if (!hosts) return hosts.error();
    FamilySet families;
    for (const std::string& host : *hosts) {
      AddInfo(families, root + "/" + host, host);
      AddCounters(families, root + "/" + host, host);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
