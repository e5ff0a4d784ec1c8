#include "evaluator/tsdb/head_state.h"

#include <algorithm>
#include <map>

#include "evaluator/tsdb/deletion_codec.h"

namespace skep::tsdb {

Status Snapshot::CheckCurrent() const {
  if (blocks.shown >= state->expired_blocks.load()) return {};
  return Error(ErrorKind::kTimeout,
               "the query reads for so long that samples which it would see have left memory: ask "
               "again, for less at a time");
}

HeadState::~HeadState() {
  for (const std::uint32_t number : index.all()) pages.Get(number)->RemoveUser();
}

Series& HeadState::Add(const Labels& labels, std::uint64_t hash, std::uint32_t number) {
  auto* const series = Series::New(index.Intern(labels), static_cast<std::uint32_t>(hash), number);
  by_labels.Insert(*series, pages);
  index.Add(series->pairs(), number);
  StripeLock stripe(stripes);
  stripe.Take(number);
  pages.Set(number, series);
  return *series;
}

std::uint32_t HeadState::GetOrCreate(const Labels& labels) {
  const std::uint64_t hash = labels.Hash();
  {
    const std::shared_lock lock(index_mutex);
    if (const Series* series = Find(labels, hash)) return series->number();
  }
  const std::unique_lock lock(index_mutex);
  if (const Series* series = Find(labels, hash)) return series->number();
  const bool full = options.max_series > 0 && by_labels.size() >= options.max_series;
  if (full || next_number == SeriesPages::kMostNumbers) {
    Count(counters.refused);
    return 0;
  }
  Count(counters.created);
  return Add(labels, hash, next_number++).number();
}

// The numbers of series that have no sample left.
std::vector<std::uint32_t> HeadState::ForgetSamples(Timestamp time) {
  std::vector<std::uint32_t> empty;
  ForEachSeries([&](Series& series) {
    series.DropBefore(time);
    if (series.empty() && series.uncommitted == 0) empty.push_back(series.number());
  });
  return empty;
}

// The numbers of those that were removed. Requires: `numbers` rise; some may be there twice.
Postings HeadState::RemoveEmpty(const std::vector<std::uint32_t>& numbers,
                                SeriesPages::Taken& useless) {
  const std::unique_lock lock(index_mutex);
  Postings gone;
  std::vector<Series*> removed;
  std::vector<PairId> pairs;
  {
    StripeLock stripe(stripes);
    for (const std::uint32_t number : numbers) {
      stripe.Take(number);
      Series* const series = pages.Get(number);
      // Meanwhile somebody may have appended to it, or be about to.
      if (!series || !series->empty() || series->uncommitted > 0) continue;
      by_labels.Remove(*series, pages);
      pages.Set(number, nullptr);
      gone.push_back(number);
      removed.push_back(series);
      pairs.insert(pairs.end(), series->pairs().begin(), series->pairs().end());
      if (series->has_other_users()) series->Depart(LabelsOf(*series));
    }
  }
  for (Series* series : removed) series->RemoveUser();
  useless = pages.TakeUseless(next_number);
  index.Remove(gone, std::move(pairs));
  Count(counters.removed, gone.size());
  return gone;
}

// Where the log cannot be written they come back at the next start, and are forgotten again.
void HeadState::LogForgotten(const Postings& numbers) {
  const std::lock_guard lock(commit_mutex);
  if (log == nullptr) return;
  ByteWriter payload;
  WriteForgotten(numbers, payload);
  static_cast<void>(log->Append(RecordKind::kForget, payload.view()));
}

void HeadState::RemoveAndLog(const std::vector<std::uint32_t>& empty) {
  if (empty.empty()) return;
  SeriesPages::Taken useless;
  const Postings gone = RemoveEmpty(empty, useless);
  if (!useless.empty()) stripes.PassAll();  // then they go
  useless.clear();
  if (!gone.empty()) LogForgotten(gone);
}

void HeadState::DropBefore(Timestamp time) {
  if (ToMillis(time) > oldest_millis.load()) oldest_millis.store(ToMillis(time));
  RemoveAndLog(ForgetSamples(time));
}

void HeadState::DropFlushed(const FlushedSamples& flushed) {
  std::vector<std::uint32_t> empty;
  {
    StripeLock stripe(stripes);
    for (const auto& [number, through] : flushed.series) {
      stripe.Take(number);
      Series* const series = pages.Get(number);
      if (series == nullptr) continue;
      series->DropThrough(through);
      series->DropLate(flushed.before, flushed.newest);
      if (series->empty() && series->uncommitted == 0) empty.push_back(number);
    }
  }
  std::ranges::sort(empty);
  RemoveAndLog(empty);
}

Postings HeadState::Find(std::span<const Matcher> matchers) const {
  return SelectNumbers(index, pages, matchers);
}

// Up to when a deletion of the range goes for a series; nothing: it has nothing there.
//
// Samples that come after the deletion are not meant, also where the log is replayed onto a
// checkpoint that has them: so it ends with the newest sample of the series. Those that a flush has
// taken from memory are meant: until the next checkpoint the log has them and would bring them
// back.
std::optional<Timestamp> HeadState::EndOfDeletion(const Series& series,
                                                  storage::TimeRange range) const {
  const Timestamp newest = series.empty() ? FromMillis(flushed_millis.load()) : series.max_time();
  const Timestamp end = std::min(range.max, newest);
  return end < range.min ? std::nullopt : std::optional(end);
}

Status HeadState::Delete(std::span<const Matcher> matchers, storage::TimeRange range) {
  const std::lock_guard commits(commit_mutex);
  const std::shared_lock lock(index_mutex);
  std::map<Timestamp, std::vector<std::uint32_t>> by_end;
  const Postings found = Find(matchers);
  {
    StripeLock stripe(stripes);
    for (const std::uint32_t number : found) {
      stripe.Take(number);
      if (const auto end = EndOfDeletion(*pages.Get(number), range)) {
        by_end[*end].push_back(number);
      }
    }
  }
  for (const auto& [end, numbers] : by_end) {
    const Deletion deletion{{range.min, end}, numbers};
    if (log != nullptr) {
      ByteWriter payload;
      WriteDeletion(deletion, payload);
      RETURN_IF_ERROR(log->Append(RecordKind::kDeletion, payload.view()));
    }
    StripeLock stripe(stripes);
    for (const std::uint32_t number : numbers) {
      stripe.Take(number);
      pages.Get(number)->Delete(deletion.range);
    }
  }
  return {};
}

}  // namespace skep::tsdb
