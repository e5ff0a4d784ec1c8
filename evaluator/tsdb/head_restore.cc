#include "evaluator/tsdb/head_restore.h"

#include <algorithm>
#include <string>

#include "evaluator/tsdb/commit_codec.h"
#include "evaluator/tsdb/deletion_codec.h"
#include "evaluator/tsdb/head_state.h"

namespace skep::tsdb {
namespace {

// Samples of the log belong to no commit that a reader could be older than.
constexpr CommitNumber kBeforeAll = 0;

}  // namespace

HeadRestore::HeadRestore(Head& head) : state_(*head.state_) {}

Status HeadRestore::Apply(const Record& record) {
  if (record.kind == kHeadSamples) return ApplySamples(record.payload);
  switch (record.kind) {
    case RecordKind::kCommit:
      return ApplyCommit(record.payload);
    case RecordKind::kSeries:
      return AddSeries(record.payload);
    case RecordKind::kForget: {
      const auto numbers = ReadForgotten(record.payload);
      if (!numbers) return numbers.error();
      Forget(*numbers);
      return {};
    }
    case RecordKind::kDeletion: {
      const Result<Deletion> deletion = ReadDeletion(record.payload);
      if (!deletion) return deletion.error();
      for (const std::uint32_t number : deletion->numbers) {
        if (Series* const series = state_.pages.Get(number)) series->Delete(deletion->range);
      }
      return {};
    }
    case RecordKind::kEnd:
    case RecordKind::kFirstOfHead:  // samples in a form that no release wrote
      break;
  }
  return Corrupt("a record of kind " + std::to_string(static_cast<int>(record.kind)) +
                 ", which this version does not know");
}

Status HeadRestore::ApplyCommit(std::string_view payload) {
  const Result<CommitParts> parts = CommitParts::Find(payload);
  if (!parts) return parts.error();
  unknown_ = 0;
  const Status series = AddSeries(parts->series);
  FloatCursor floats(parts->floats);
  AppendFloats(floats);
  FullCursor full(parts->full);
  while (full.Next()) {
    Series* const known = Find(full.number());
    if (known == nullptr) continue;
    if (full.late()) {
      if (known->AppendLate(full.sample(), kBeforeAll)) ++samples_;
    } else {
      Append(*known, full.sample());
    }
  }
  if (!series) return series;
  if (!floats.ok() || !full.ok()) return Corrupt("a batch whose samples are cut short");
  if (unknown_ == 0) return {};
  return Corrupt(std::to_string(unknown_) + " samples of series that no record names");
}

// Of 100,000 series none is in the processor's cache: memory is asked for ahead, first the series,
// then the end of its run.
void HeadRestore::AppendFloats(FloatCursor& floats) {
  constexpr std::size_t kAhead = 16;
  floats_.clear();
  while (floats.Next()) {
    Series* const series = Find(floats.number());
    if (series == nullptr) continue;
    __builtin_prefetch(series, 1);
    floats_.emplace_back(series, floats.sample());
  }
  for (std::size_t i = 0; i < floats_.size(); ++i) {
    if (i + kAhead < floats_.size()) floats_[i + kAhead].first->Prefetch();
    const auto& [series, sample] = floats_[i];
    Append(*series, {.time = sample.time, .value = sample.value});
  }
}

Series* HeadRestore::Find(std::uint32_t number) {
  Series* const series = state_.pages.Get(number);
  if (series != nullptr) return series;
  ++unknown_;
  if (number < SeriesPages::kMostNumbers) end_ = std::max(end_, number + 1);
  return nullptr;
}

void HeadRestore::Append(Series& series, const FullSample& sample) {
  const std::optional<Timestamp> last = series.last_time();
  if (last && *last >= sample.time) return;
  if (sample.histogram == nullptr && sample.start == kNoStart) {
    series.Append({sample.time, sample.value}, kBeforeAll, {});
  } else {
    series.AppendFull(sample, kBeforeAll, {});
  }
  ++samples_;
}

Status HeadRestore::AddSeries(std::string_view run) {
  SeriesCursor cursor(run);
  while (cursor.Next()) {
    const std::uint32_t number = cursor.number();
    if (number == 0 || number >= SeriesPages::kMostNumbers) {
      return Corrupt("a series with the number " + std::to_string(number));
    }
    const Labels& labels = cursor.labels();
    const std::uint64_t hash = labels.Hash();
    end_ = std::max(end_, number + 1);
    const Series* const known = state_.pages.Get(number);
    if (known != nullptr && state_.index.pairs().Equal(known->pairs(), labels)) continue;
    // A series whose end could not be written, and that began anew.
    if (known != nullptr) Forget({number});
    if (const Series* twin = state_.Find(labels, hash)) Forget({twin->number()});
    auto* const series =
        Series::New(state_.index.Intern(labels), static_cast<std::uint32_t>(hash), number);
    series->is_logged = true;
    state_.by_labels.Insert(*series, state_.pages);
    state_.pages.Set(number, series);
  }
  return cursor.ok() ? Status() : Corrupt("a run of series that is cut short");
}

void HeadRestore::Forget(const std::vector<std::uint32_t>& numbers) {
  for (const std::uint32_t number : numbers) {
    Series* const series = state_.pages.Get(number);
    if (series == nullptr) continue;
    state_.by_labels.Remove(*series, state_.pages);
    state_.pages.Set(number, nullptr);
    series->RemoveUser();
  }
}

Status HeadRestore::ApplySamples(std::string_view payload) {
  ByteReader reader(payload);
  while (!reader.done()) {
    const std::uint64_t number = reader.Varint();
    Series* const series = state_.pages.Get(number);
    if (series == nullptr || !series->empty() || !series->Restore(reader)) {
      return Corrupt("samples of series " + std::to_string(number) + " that cannot be read");
    }
  }
  return {};
}

void HeadRestore::Finish() {
  for (std::uint32_t number = 1; number < end_; ++number) {
    if (const Series* series = state_.pages.Get(number)) {
      state_.index.Add(series->pairs(), number);
    }
  }
  state_.index.ReleaseUnused();  // of series that were forgotten again
  state_.next_number = end_;
  static_cast<void>(state_.pages.TakeUseless(end_));  // nobody else looks yet
  std::int64_t newest = ToMillis(kMinTimestamp);
  for (const std::uint32_t number : state_.index.all()) {
    const std::optional<Timestamp> last = state_.pages.Get(number)->last_time();
    if (last) newest = std::max(newest, ToMillis(*last));
  }
  state_.newest_millis = newest;
}

}  // namespace skep::tsdb
