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

// Bytes of the heap, by what takes them; about, with what malloc adds.
struct HeadMemory {
  std::uint64_t labels = 0;         // strings, once each
  std::uint64_t index = 0;          // from labels to series, and their order
  std::uint64_t series = 0;         // the objects, each with the numbers of its labels
  std::uint64_t open_runs = 0;      // the newest samples
  std::uint64_t sealed_chunks = 0;  // the others
  std::uint64_t rare = 0;           // histograms, starts, late samples, versions
  std::uint64_t kept_selects = 0;   // lists of series, here and in blocks, that are asked for again

  std::uint64_t sum() const {
    return labels + index + series + open_runs + sealed_chunks + rare + kept_selects;
  }
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
