// What a store's bytes and series are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/transfer/store_reader.h"
#include "evaluator/tsdb/block_format.h"

namespace skep::transfer {

struct NamedCount {
  std::string name;
  std::uint64_t count = 0;
};

// Of the series with one metric name. Bytes are those in blocks: of values, starts, summaries, and
// of the times its part, which it shares with the other series of a target.
struct MetricShare {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t samples = 0;
  std::uint64_t series = 0;  // distinct, of the whole store
};

struct StoreAnalysis {
  Timestamp min_time = kMaxTimestamp, max_time = kMinTimestamp;
  std::uint64_t blocks = 0;
  std::uint64_t block_bytes = 0;
  std::uint64_t block_samples = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t log_samples = 0;
  std::uint64_t series = 0;  // distinct
  tsdb::BlockParts parts;    // of all blocks
  // Series that began, and that ended, in the newest day: what came later than ten minutes after
  // the day's begin, and what was over ten minutes before its end.
  std::uint64_t began = 0;
  std::uint64_t ended = 0;

  // The largest first.
  std::vector<MetricShare> metrics;
  std::vector<NamedCount> values_by_label;  // distinct values
  std::vector<NamedCount> series_by_label;  // series that have it
  std::vector<NamedCount> series_by_pair;   // "name=value"
  std::vector<NamedCount> churn_by_metric;  // series that began or ended
  std::vector<NamedCount> churn_by_pair;
};

// Reads the index and the chunk lists of all blocks, no samples, and the samples of the log.
// `limit` entries in each list. Holds some 40 bytes for each series and the texts of the pairs.
Result<StoreAnalysis> Analyze(StoreReader& store, std::size_t limit);

}  // namespace skep::transfer
