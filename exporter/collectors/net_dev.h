// The counters of network interfaces under node_exporter's names, from either source.
#pragma once

#include <linux/if_link.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "exporter/collectors/link_dump.h"

namespace skep::exporter {

// One counter of all interfaces.
struct NetdevCounter {
  std::string_view name;  // "receive_bytes"
  std::uint64_t (*value)(const rtnl_link_stats64& stats);
};

// The names that dashboards know: those of /proc/net/dev, errors of a kind added up.
const std::vector<NetdevCounter>& NetdevCounters();
// One counter per field of the kernel (--collector.netdev.enable-detailed-metrics).
const std::vector<NetdevCounter>& NetdevDetailedCounters();

// The text of /proc/net/dev, whose sums stand in the field of the kind that gives the sum its name.
// kInvalid: an interface with fewer than 16 columns.
Status ParseNetDev(std::string_view text, std::vector<LinkRow>& rows);

}  // namespace skep::exporter
