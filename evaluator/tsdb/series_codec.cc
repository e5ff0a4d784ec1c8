#include "evaluator/tsdb/series_codec.h"

#include <algorithm>
#include <utility>

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

void SeriesEncoder::Add(std::uint32_t number, const Labels& labels) {
  steps_.Clear();
  step_count_ = 0;
  auto before = before_.begin();
  for (const auto& [name, value] : labels) {
    while (before != before_.end() && (*before).name < name) {
      Extend(Step::kSkip);
      ++before;
    }
    if (before == before_.end() || (*before).name != name) {
      FlushRun();
      Write(Step::kInsert, name.size());
      steps_.Bytes(name);
      steps_.String(value);
      continue;
    }
    if ((*before).value == value) {
      Extend(Step::kCopy);
    } else {
      Change((*before).value, value);
    }
    ++before;
  }
  if (run_ == Step::kCopy) FlushRun();
  run_length_ = 0;
  out_.Signed(static_cast<std::int64_t>(number) - number_ - 1);
  out_.Varint(step_count_);
  out_.Bytes(steps_.view());
  number_ = number;
  before_ = labels;
}

SeriesCursor::Pair& SeriesCursor::NewPair() {
  if (size_ == pairs_.size()) pairs_.emplace_back();
  return pairs_[size_++];
}

void SeriesCursor::Copy(std::uint64_t amount, std::size_t& from) {
  if (amount > before_size_ - from) return reader_.Fail();
  // Each label of the series before is looked at once: it may go.
  for (; amount > 0; --amount) std::swap(NewPair(), before_[from++]);
}

void SeriesCursor::Change(std::uint64_t kept, std::size_t& from) {
  const std::string_view rest = reader_.String();
  if (from == before_size_ || kept > before_[from].value.size()) return reader_.Fail();
  Pair& pair = NewPair();
  std::swap(pair, before_[from++]);
  pair.value.resize(static_cast<std::size_t>(kept));
  pair.value.append(rest);
}

void SeriesCursor::TakeStep(std::size_t& from) {
  const std::uint64_t head = reader_.Varint();
  const std::uint64_t amount = head >> 2;
  switch (static_cast<SeriesEncoder::Step>(head & 3)) {
    case SeriesEncoder::Step::kCopy:
      return Copy(amount, from);
    case SeriesEncoder::Step::kSkip:
      if (amount > before_size_ - from) return reader_.Fail();
      from += static_cast<std::size_t>(amount);
      return;
    case SeriesEncoder::Step::kChange:
      return Change(amount, from);
    case SeriesEncoder::Step::kInsert: {
      Pair& pair = NewPair();
      pair.name = reader_.Bytes(amount);
      pair.value = reader_.String();
      return;
    }
  }
}

bool SeriesCursor::Next() {
  if (reader_.done()) return false;
  std::swap(pairs_, before_);
  before_size_ = std::exchange(size_, 0);
  number_ += static_cast<std::uint32_t>(reader_.Signed()) + 1;
  std::size_t from = 0;
  for (std::uint64_t steps = reader_.Varint(); steps > 0 && reader_.ok(); --steps) TakeStep(from);
  return reader_.ok();
}

Labels SeriesCursor::labels() const {
  std::vector<LabelView> views;
  views.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i) views.push_back({pairs_[i].name, pairs_[i].value});
  return Labels::FromPairs(views);
}

}  // namespace skep::tsdb
