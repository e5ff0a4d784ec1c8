// Fills a new Head with what its log has.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "evaluator/tsdb/commit_codec.h"
#include "evaluator/tsdb/head.h"
#include "evaluator/tsdb/record_file.h"
#include "evaluator/tsdb/series.h"

namespace skep::tsdb {

// What the head writes to its checkpoints beside the series: chunks of samples.
//   payload = for each series: number n | series_bytes.cc's bytes
inline constexpr auto kHeadSamples = RecordKind{66};

// Thread-compatible; nobody else uses the head until Finish.
class HeadRestore {
 public:
  explicit HeadRestore(Head& head);

  // Applies one record of ReplayWal. A record may come again, and samples that the head has already
  // are passed over, since a checkpoint may show more than what it covers. kCorrupt: a part of the
  // record, which the message names, cannot be used; the rest of it is.
  Status Apply(const Record& record);

  // Afterwards the head is ready.
  void Finish();

  std::uint64_t samples() const { return samples_; }  // of the log's commits

 private:
  Status ApplyCommit(std::string_view payload);
  Status AddSeries(std::string_view run);
  void Forget(const std::vector<std::uint32_t>& numbers);
  Status ApplySamples(std::string_view payload);
  void AppendFloats(FloatCursor& floats);
  // Null where nobody named it, which is counted.
  Series* Find(std::uint32_t number);
  void Append(Series& series, const FullSample& sample);

  HeadState& state_;
  std::uint32_t end_ = 1;  // above every number that was seen
  std::uint64_t samples_ = 0;
  std::uint64_t unknown_ = 0;  // samples of the present record whose series nobody named
  std::vector<std::pair<Series*, Sample>> floats_;  // of the present record
};

}  // namespace skep::tsdb
