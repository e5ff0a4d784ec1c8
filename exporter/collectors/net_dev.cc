#include "exporter/collectors/net_dev.h"

#include <optional>

#include "exporter/collectors/proc_files.h"
#include "exporter/collectors/scan.h"

namespace skep::exporter {
namespace {

using Stats = rtnl_link_stats64;

// The columns of /proc/net/dev, in order.
constexpr __u64 Stats::*kColumns[] = {
    &Stats::rx_bytes,       &Stats::rx_packets,     &Stats::rx_errors,
    &Stats::rx_dropped,     &Stats::rx_fifo_errors, &Stats::rx_frame_errors,
    &Stats::rx_compressed,  &Stats::multicast,      &Stats::tx_bytes,
    &Stats::tx_packets,     &Stats::tx_errors,      &Stats::tx_dropped,
    &Stats::tx_fifo_errors, &Stats::collisions,     &Stats::tx_carrier_errors,
    &Stats::tx_compressed,
};

}  // namespace

const std::vector<NetdevCounter>& NetdevCounters() {
  static const std::vector<NetdevCounter> counters = {
      {"receive_bytes", [](const Stats& s) -> std::uint64_t { return s.rx_bytes; }},
      {"receive_compressed", [](const Stats& s) -> std::uint64_t { return s.rx_compressed; }},
      {"receive_drop",
       [](const Stats& s) -> std::uint64_t { return s.rx_dropped + s.rx_missed_errors; }},
      {"receive_errs", [](const Stats& s) -> std::uint64_t { return s.rx_errors; }},
      {"receive_fifo", [](const Stats& s) -> std::uint64_t { return s.rx_fifo_errors; }},
      {"receive_frame",
       [](const Stats& s) -> std::uint64_t {
         return s.rx_frame_errors + s.rx_length_errors + s.rx_over_errors + s.rx_crc_errors;
       }},
      {"receive_multicast", [](const Stats& s) -> std::uint64_t { return s.multicast; }},
      {"receive_nohandler", [](const Stats& s) -> std::uint64_t { return s.rx_nohandler; }},
      {"receive_packets", [](const Stats& s) -> std::uint64_t { return s.rx_packets; }},
      {"transmit_bytes", [](const Stats& s) -> std::uint64_t { return s.tx_bytes; }},
      {"transmit_carrier",
       [](const Stats& s) -> std::uint64_t {
         return s.tx_carrier_errors + s.tx_aborted_errors + s.tx_heartbeat_errors +
                s.tx_window_errors;
       }},
      {"transmit_colls", [](const Stats& s) -> std::uint64_t { return s.collisions; }},
      {"transmit_compressed", [](const Stats& s) -> std::uint64_t { return s.tx_compressed; }},
      {"transmit_drop", [](const Stats& s) -> std::uint64_t { return s.tx_dropped; }},
      {"transmit_errs", [](const Stats& s) -> std::uint64_t { return s.tx_errors; }},
      {"transmit_fifo", [](const Stats& s) -> std::uint64_t { return s.tx_fifo_errors; }},
      {"transmit_packets", [](const Stats& s) -> std::uint64_t { return s.tx_packets; }},
  };
  return counters;
}

const std::vector<NetdevCounter>& NetdevDetailedCounters() {
  static const std::vector<NetdevCounter> counters = {
      {"collisions", [](const Stats& s) -> std::uint64_t { return s.collisions; }},
      {"multicast", [](const Stats& s) -> std::uint64_t { return s.multicast; }},
      {"receive_bytes", [](const Stats& s) -> std::uint64_t { return s.rx_bytes; }},
      {"receive_compressed", [](const Stats& s) -> std::uint64_t { return s.rx_compressed; }},
      {"receive_crc_errors", [](const Stats& s) -> std::uint64_t { return s.rx_crc_errors; }},
      {"receive_dropped", [](const Stats& s) -> std::uint64_t { return s.rx_dropped; }},
      {"receive_errors", [](const Stats& s) -> std::uint64_t { return s.rx_errors; }},
      {"receive_fifo_errors", [](const Stats& s) -> std::uint64_t { return s.rx_fifo_errors; }},
      {"receive_frame_errors", [](const Stats& s) -> std::uint64_t { return s.rx_frame_errors; }},
      {"receive_length_errors", [](const Stats& s) -> std::uint64_t { return s.rx_length_errors; }},
      {"receive_missed_errors", [](const Stats& s) -> std::uint64_t { return s.rx_missed_errors; }},
      {"receive_nohandler", [](const Stats& s) -> std::uint64_t { return s.rx_nohandler; }},
      {"receive_over_errors", [](const Stats& s) -> std::uint64_t { return s.rx_over_errors; }},
      {"receive_packets", [](const Stats& s) -> std::uint64_t { return s.rx_packets; }},
      {"transmit_aborted_errors",
       [](const Stats& s) -> std::uint64_t { return s.tx_aborted_errors; }},
      {"transmit_bytes", [](const Stats& s) -> std::uint64_t { return s.tx_bytes; }},
      {"transmit_carrier_errors",
       [](const Stats& s) -> std::uint64_t { return s.tx_carrier_errors; }},
      {"transmit_compressed", [](const Stats& s) -> std::uint64_t { return s.tx_compressed; }},
      {"transmit_dropped", [](const Stats& s) -> std::uint64_t { return s.tx_dropped; }},
      {"transmit_errors", [](const Stats& s) -> std::uint64_t { return s.tx_errors; }},
      {"transmit_fifo_errors", [](const Stats& s) -> std::uint64_t { return s.tx_fifo_errors; }},
      {"transmit_heartbeat_errors",
       [](const Stats& s) -> std::uint64_t { return s.tx_heartbeat_errors; }},
      {"transmit_packets", [](const Stats& s) -> std::uint64_t { return s.tx_packets; }},
      {"transmit_window_errors",
       [](const Stats& s) -> std::uint64_t { return s.tx_window_errors; }},
  };
  return counters;
}

Status ParseNetDev(std::string_view text, std::vector<LinkRow>& rows) {
  rows.clear();
  // Two lines of headings, whose columns have not changed since Linux 2.1.
  (void)NextLine(text);
  (void)NextLine(text);
  while (std::optional<std::string_view> line = NextLine(text)) {
    const std::size_t colon = line->rfind(':');  // an alias has one in its name: "eth0:1"
    if (colon == std::string_view::npos) return Invalid("line without a colon");
    LinkRow row;
    row.name = Trim(line->substr(0, colon));
    std::string_view rest = line->substr(colon + 1);
    for (__u64 Stats::*column : kColumns) {
      std::uint64_t value = 0;
      if (!NextUint(rest, value)) return Invalid("interface " + row.name + ": expected 16 numbers");
      row.stats.*column = value;
    }
    rows.push_back(std::move(row));
  }
  return {};
}

}  // namespace skep::exporter
