// What the scraping side tells the API about itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/exposition/format.h"
#include "common/model/labels.h"

namespace skep::scrape {

enum class Health : std::uint8_t { kUnknown, kUp, kDown };

// "unknown", "up", "down".
std::string_view HealthName(Health health);

struct TargetStatus {
  std::string pool;  // the job
  Labels discovered_labels;
  Labels labels;
  std::string scrape_url;
  std::string global_url;  // the same with a host name that others can use where it is loopback
  std::string last_error;  // "" when up
  Timestamp last_scrape;   // zero: never
  double last_duration_seconds = 0;
  Health health = Health::kUnknown;
  Duration interval{};
  Duration timeout{};
};

struct DroppedTarget {
  std::string pool;
  Labels discovered_labels;
};

struct TargetsStatus {
  std::vector<TargetStatus> active;    // by pool, then address
  std::vector<DroppedTarget> dropped;  // at most keep_dropped_targets per pool
  std::vector<std::pair<std::string, std::uint64_t>> dropped_counts;  // per pool, all of them
  std::vector<std::string> pools;                                     // sorted
};

struct MetricMetadata {
  std::string family;  // as the page says it: OpenMetrics counters without _total
  exposition::MetricType type = exposition::MetricType::kUnknown;
  std::string help;
  std::string unit;

  bool operator==(const MetricMetadata&) const = default;
};

// HELP, TYPE and UNIT of one target's last good page, by family. Immutable.
using MetadataTable = std::vector<MetricMetadata>;

struct TargetMetadata {
  std::string pool;
  Labels labels;
  std::shared_ptr<const MetadataTable> table;  // never null
};

}  // namespace skep::scrape
