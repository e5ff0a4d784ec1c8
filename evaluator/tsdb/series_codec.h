// Series with their numbers and labels as bytes: each told as its difference from the one before,
// since neighbours share most labels (the series of a page: 5 bytes and what is new, instead of
// 200).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/labels.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

// Writes one run of series. Thread-compatible.
//
//   series = number s (distance from the one before, less 1) | number of steps n | steps
//   step = n: amount * 4 + kind, then by kind
//     0 copy     `amount` labels of the series before
//     1 skip     `amount` of them
//     2 change   the value of the next of them: it keeps `amount` bytes, then comes a string
//     3 insert   a label: name (`amount` bytes), value (a string)
//   Labels of the series before that are left over are not copied.
class SeriesEncoder {
 public:
  // Begins anew with nothing.
  void Clear();
  // Requires: no value is empty.
  void Add(std::uint32_t number, const Labels& labels);
  bool empty() const { return out_.empty(); }
  std::string_view bytes() const { return out_.view(); }

 private:
  enum class Step : std::uint8_t { kCopy, kSkip, kChange, kInsert };
  friend class SeriesCursor;

  void Write(Step step, std::uint64_t amount);
  void FlushRun();
  void Extend(Step step);
  void Change(std::string_view before, std::string_view now);
  void Insert(const LabelView& label);

  ByteWriter out_;
  ByteWriter steps_;  // of the present series
  std::uint64_t step_count_ = 0;
  Step run_ = Step::kCopy;  // of copied or skipped labels that is not written yet
  std::uint64_t run_length_ = 0;
  std::uint32_t number_ = 0;
  Labels before_;
};

// Reads such a run, of any bytes. Thread-compatible.
class SeriesCursor {
 public:
  // Views `bytes`.
  explicit SeriesCursor(std::string_view bytes) : reader_(bytes) {}

  // Moves to the first or next series. False at the end, and where the bytes make no sense.
  bool Next();
  std::uint32_t number() const { return number_; }
  const Labels& labels() const { return labels_; }
  // False once Next has met bytes that are no series.
  bool ok() const { return reader_.ok(); }

 private:
  // The value of pairs_[pair] is to be that part of merged_, which still grows.
  struct MergedValue {
    std::size_t pair, begin, end;
  };

  void TakeStep(std::size_t& from);
  void Copy(std::uint64_t amount, std::size_t& from);
  void Change(std::uint64_t kept, std::size_t& from);
  void TakePairs();

  ByteReader reader_;
  std::uint32_t number_ = 0;
  Labels labels_;
  std::vector<LabelView> before_;  // views of labels_ while the next series is read
  std::vector<LabelView> pairs_;   // of that one
  std::string merged_;
  std::vector<MergedValue> merged_values_;
};

}  // namespace skep::tsdb
