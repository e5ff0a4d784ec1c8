#include "evaluator/tsdb/series_codec.h"

#include <algorithm>

namespace skep::tsdb {
namespace {

std::size_t CommonPrefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin()).first -
      a.begin());
}

}  // namespace

void SeriesEncoder::Clear() {
  out_.Clear();
  before_ = Labels();
  number_ = 0;
}

void SeriesEncoder::Write(Step step, std::uint64_t amount) {
  steps_.Varint(amount << 2 | static_cast<std::uint64_t>(step));
  ++step_count_;
}

void SeriesEncoder::FlushRun() {
  if (run_length_ > 0) Write(run_, run_length_);
  run_length_ = 0;
}

void SeriesEncoder::Extend(Step step) {
  if (run_ != step) FlushRun();
  run_ = step;
  ++run_length_;
}

void SeriesEncoder::Change(std::string_view before, std::string_view now) {
  FlushRun();
  const std::size_t kept = CommonPrefix(before, now);
  Write(Step::kChange, kept);
  steps_.String(now.substr(kept));
}

void SeriesEncoder::Insert(const LabelView& label) {
  FlushRun();
  Write(Step::kInsert, label.name.size());
  steps_.Bytes(label.name);
  steps_.String(label.value);
}

void SeriesEncoder::Add(std::uint32_t number, const Labels& labels) {
  steps_.Clear();
  step_count_ = 0;
  Labels::Iterator before = before_.begin();
  const Labels::Iterator end = before_.end();
  LabelView old = before == end ? LabelView() : *before;
  const auto step = [&] { old = ++before == end ? LabelView() : *before; };
  for (const LabelView label : labels) {
    while (before != end && old.name < label.name) {
      Extend(Step::kSkip);
      step();
    }
    if (old.name != label.name) {
      Insert(label);
      continue;
    }
    if (old.value == label.value) {
      Extend(Step::kCopy);
    } else {
      Change(old.value, label.value);
    }
    step();
  }
  if (run_ == Step::kCopy) FlushRun();
  run_length_ = 0;
  out_.Signed(static_cast<std::int64_t>(number) - number_ - 1);
  out_.Varint(step_count_);
  out_.Bytes(steps_.view());
  number_ = number;
  before_ = labels;
}

void SeriesCursor::Copy(std::uint64_t amount, std::size_t& from) {
  if (amount > before_.size() - from) return reader_.Fail();
  for (; amount > 0; --amount) pairs_.push_back(before_[from++]);
}

void SeriesCursor::Change(std::uint64_t kept, std::size_t& from) {
  const std::string_view rest = reader_.String();
  if (from == before_.size() || kept > before_[from].value.size()) return reader_.Fail();
  const LabelView& old = before_[from++];
  const std::size_t begin = merged_.size();
  merged_.append(old.value.substr(0, static_cast<std::size_t>(kept))).append(rest);
  merged_values_.push_back({pairs_.size(), begin, merged_.size()});
  pairs_.push_back({old.name, {}});
}

void SeriesCursor::TakeStep(std::size_t& from) {
  const std::uint64_t head = reader_.Varint();
  const std::uint64_t amount = head >> 2;
  switch (static_cast<SeriesEncoder::Step>(head & 3)) {
    case SeriesEncoder::Step::kCopy:
      return Copy(amount, from);
    case SeriesEncoder::Step::kSkip:
      if (amount > before_.size() - from) return reader_.Fail();
      from += static_cast<std::size_t>(amount);
      return;
    case SeriesEncoder::Step::kChange:
      return Change(amount, from);
    case SeriesEncoder::Step::kInsert: {
      const std::string_view name = reader_.Bytes(amount);
      pairs_.push_back({name, reader_.String()});
      return;
    }
  }
}

void SeriesCursor::TakePairs() {
  for (const MergedValue& merged : merged_values_) {
    pairs_[merged.pair].value =
        std::string_view(merged_).substr(merged.begin, merged.end - merged.begin);
  }
  labels_ = Labels::FromPairs(pairs_);
}

bool SeriesCursor::Next() {
  if (reader_.done()) return false;
  before_.assign(labels_.begin(), labels_.end());
  pairs_.clear();
  merged_.clear();
  merged_values_.clear();
  number_ += static_cast<std::uint32_t>(reader_.Signed()) + 1;
  std::size_t from = 0;
  for (std::uint64_t steps = reader_.Varint(); steps > 0 && reader_.ok(); --steps) TakeStep(from);
  if (reader_.ok()) TakePairs();
  return reader_.ok();
}

}  // namespace skep::tsdb
