// What the store holds, as /api/v1/status/tsdb shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace skep::tsdb {

struct NamedCount {
  std::string name;
  std::uint64_t value = 0;
};

struct HeadStatus {
  std::uint64_t series = 0;
  std::uint64_t label_pairs = 0;  // distinct
  std::uint64_t chunks = 0;
  std::uint64_t samples = 0;
  std::uint64_t chunk_bytes = 0;                // encoded samples, without what manages them
  std::optional<Timestamp> min_time, max_time;  // empty: no sample

  // The largest first.
  std::vector<NamedCount> series_by_metric_name;
  std::vector<NamedCount> values_by_label_name;
  std::vector<NamedCount> bytes_by_label_name;
  std::vector<NamedCount> series_by_label_pair;  // "name=value"
};

// Since the start. For our own metrics.
struct HeadCounters {
  std::uint64_t series_created = 0;
  std::uint64_t series_removed = 0;
  std::uint64_t samples_appended = 0;
  std::uint64_t samples_out_of_order = 0;  // refused at Append or, having lost a race, at Commit
  std::uint64_t samples_duplicate = 0;
  std::uint64_t samples_too_old = 0;
  std::uint64_t series_refused = 0;  // over the limit
  std::uint64_t samples_late = 0;    // out of order, and taken
  // Older than what was flushed to blocks when they came.
  std::uint64_t samples_behind_flush = 0;
};

}  // namespace skep::tsdb
