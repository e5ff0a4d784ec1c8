#include "evaluator/tsdb/head_appender.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

namespace skep::tsdb {
namespace {

using storage::AppendOutcome;
using storage::SeriesRef;

// A batch of a million samples must not keep its memory for ever.
constexpr std::size_t kKeptEncoderBytes = std::size_t{4} << 20U;

class HeadAppender final : public storage::Appender {
 public:
  explicit HeadAppender(std::shared_ptr<HeadState> state)
      : state_(std::move(state)),
        entries_(state_->spare_entries.Take()),
        commits_before_(state_->finished_commits.load(std::memory_order_acquire)) {}

  ~HeadAppender() override {
    {
      StripeLock stripe(state_->stripes);
      for (const BatchEntry& entry : entries_) {
        stripe.Take(entry.series->number());
        --entry.series->uncommitted;
      }
    }
    state_->spare_entries.GiveBack(std::move(entries_));
  }

  AppendOutcome Append(SeriesRef& ref, const Labels& labels, Sample sample) override {
    return AppendTo(ref, labels, sample, nullptr);
  }
  std::optional<AppendOutcome> AppendKnown(SeriesRef ref, Sample sample) override {
    StripeLock stripe(state_->stripes);
    stripe.Take(static_cast<std::uint32_t>(ref));
    Prefetch(ref + kAhead);
    return AppendTo(ref, sample, nullptr, stripe);
  }
  // A lock for each series was a tenth of what storing a page cost.
  void AppendRun(Timestamp time, std::span<const storage::KnownSample> run,
                 std::vector<storage::RunException>& exceptions) override {
    StripeLock stripe(state_->stripes);
    for (std::size_t i = 0; i < run.size(); ++i) {
      stripe.Take(static_cast<std::uint32_t>(run[i].ref));
      if (i + kAhead < run.size()) Prefetch(run[i + kAhead].ref);
      const auto outcome = AppendTo(run[i].ref, {time, run[i].value}, nullptr, stripe);
      if (outcome != AppendOutcome::kAccepted) exceptions.push_back({i, outcome});
    }
  }
  AppendOutcome AppendFull(SeriesRef& ref, const Labels& labels,
                           const FullSample& sample) override {
    const bool plain = sample.histogram == nullptr && sample.start == kNoStart;
    return AppendTo(ref, labels, {sample.time, sample.value}, plain ? nullptr : &sample);
  }
  Status Commit() override {
    const std::lock_guard lock(state_->commit_mutex);
    if (state_->finished_commits.load(std::memory_order_relaxed) != commits_before_) {
      HeadState::Count(state_->counters.out_of_order, DropOutOfOrder());
    }
    if (entries_.empty()) return {};
    if (state_->log != nullptr) RETURN_IF_ERROR(WriteLog());
    const CommitNumber commit = state_->snapshots.BeginCommit(state_->living);
    ApplyEntries(commit, state_->living);
    state_->snapshots.Publish(commit);
    state_->finished_commits.fetch_add(1, std::memory_order_release);
    HeadState::Count(state_->counters.appended, entries_.size());
    entries_.clear();
    full_.clear();
    return {};
  }

 private:
  // Another batch has been committed since this one began, and may have brought newer samples; from
  // here on no other commits. Gives how many go.
  std::uint64_t DropOutOfOrder() {
    StripeLock stripe(state_->stripes);
    const auto is_refused = [&](BatchEntry& entry) {
      stripe.Take(entry.series->number());
      if (entry.late) return false;
      const std::optional<Timestamp> last = entry.series->last_time();
      if (!last || *last < entry.sample.time) return false;
      if (*last != entry.sample.time && MayBeLate(entry.sample.time)) {
        if (entry.full == 0)
          AddFull({.time = entry.sample.time, .value = entry.sample.value}, entry);
        entry.late = true;
        return false;
      }
      --entry.series->uncommitted;
      return true;
    };
    return std::erase_if(entries_, is_refused);
  }

  // On error the batch is as it was, and nothing of it will be replayed, unless the disk took it
  // and did not sync: then it may come back at a start.
  Status WriteLog() {
    CommitEncoder& encoder = state_->encoder;
    encoder.Clear();
    for (BatchEntry& entry : entries_) {
      Series& series = *entry.series;
      entry.names_series = !std::exchange(series.is_logged, true);
      if (entry.names_series) encoder.AddSeries(series.number(), state_->CopyLabels(series));
      if (entry.full == 0) {
        encoder.AddFloat(series.number(), entry.sample);
      } else if (entry.late) {
        encoder.AddLate(series.number(), full_[entry.full - 1]);
      } else {
        encoder.AddFull(series.number(), full_[entry.full - 1]);
      }
    }
    Status written = state_->log->Append(RecordKind::kCommit, encoder.Finish());
    if (encoder.capacity_bytes() > kKeptEncoderBytes) encoder = {};
    if (!written) {
      for (const BatchEntry& entry : entries_) {
        if (entry.names_series) entry.series->is_logged = false;
      }
      return written;
    }
    // Without kEachCommit what the kernel has is enough: it outlives the process.
    return state_->log_sync == HeadLogSync::kEachCommit ? state_->log->Sync() : Status();
  }

  void ApplyEntries(CommitNumber commit, LivingSnapshots living) {
    const std::int64_t flushed = state_->flushed_millis.load(std::memory_order_relaxed);
    std::int64_t newest = state_->newest_millis.load(std::memory_order_relaxed);
    std::uint64_t late = 0, behind_flush = 0, repeated = 0;
    StripeLock stripe(state_->stripes);
    for (const BatchEntry& entry : entries_) {
      Series& series = *entry.series;
      stripe.Take(series.number());
      --series.uncommitted;
      // A sample that was offered twice, between which another batch touched the series.
      if (const auto last = series.last_time(); !entry.late && last && entry.sample.time <= *last) {
        ++repeated;
        continue;
      }
      const std::int64_t time = ToMillis(entry.sample.time);
      newest = std::max(newest, time);
      behind_flush += time < flushed ? 1 : 0;
      if (entry.full == 0) {
        series.Append(entry.sample, commit, living);
      } else if (entry.late) {
        const bool is_new = series.AppendLate(full_[entry.full - 1], commit);
        (is_new ? late : repeated) += 1;
      } else {
        series.AppendFull(full_[entry.full - 1], commit, living);
      }
      if (std::exchange(series.left_out, false)) state_->returned.Add(series.number());
    }
    state_->newest_millis.store(newest, std::memory_order_relaxed);
    HeadState::Count(state_->counters.late, late);
    HeadState::Count(state_->counters.duplicate, repeated);
    HeadState::Count(state_->counters.behind_flush, behind_flush);
  }

  // `full` may be null: `sample` says it all.
  AppendOutcome AppendTo(SeriesRef& ref, const Labels& labels, Sample sample,
                         const FullSample* full) {
    while (true) {
      {
        StripeLock stripe(state_->stripes);
        stripe.Take(static_cast<std::uint32_t>(ref));
        Prefetch(ref + kAhead);
        if (const auto outcome = AppendTo(ref, sample, full, stripe)) return *outcome;
      }
      ref = 0;
      if (IsTooOld(sample)) return TooOld();
      // Retention may remove a new series again before it has its sample: then once more.
      ref = state_->GetOrCreate(labels);
      if (ref == 0) return AppendOutcome::kLimitExceeded;
    }
  }

  // The same by number; nothing where there is no such series. Takes the stripe.
  std::optional<AppendOutcome> AppendTo(SeriesRef ref, Sample sample, const FullSample* full,
                                        StripeLock& stripe) {
    if (ref == 0) return std::nullopt;
    stripe.Take(static_cast<std::uint32_t>(ref));
    Series* const series = state_->pages.Get(ref);
    if (series == nullptr) return std::nullopt;
    return IsTooOld(sample) ? TooOld() : Offer(*series, sample, full);
  }

  bool IsTooOld(Sample sample) const {
    return ToMillis(sample.time) < state_->oldest_millis.load(std::memory_order_relaxed);
  }

  // Of 100,000 series none is in the processor's cache. Those of a page are numbered in a row and
  // come in that order, so this helps also whoever offers them one by one. Requires: some stripe is
  // held, else the page of the series might be freed meanwhile.
  static constexpr std::size_t kAhead = 12;
  void Prefetch(SeriesRef ref) const {
    const auto* const series = reinterpret_cast<const char*>(state_->pages.Get(ref));
    if (series == nullptr) return;
    for (std::size_t at = 0; at < sizeof(Series); at += 64) __builtin_prefetch(series + at, 1);
  }

  AppendOutcome TooOld() {
    HeadState::Count(state_->counters.too_old);
    return AppendOutcome::kTooOld;
  }

  // Under the stripe of `series`.
  AppendOutcome Offer(Series& series, Sample sample, const FullSample* full) {
    // Another appender may have touched the series since, or nobody in this batch.
    const std::size_t hint = series.hint_index;
    const bool mine =
        hint < entries_.size() && entries_[hint].series == &series && !entries_[hint].late;
    const std::optional<Timestamp> last =
        mine ? std::optional(entries_[hint].sample.time) : series.last_time();
    if (last && sample.time < *last && MayBeLate(sample.time)) {
      TakeLate(series, sample, full);
      return AppendOutcome::kAccepted;
    }
    if (last && sample.time <= *last) {
      return Refuse(mine ? Offered(hint) : *series.last(), sample, full);
    }
    series.hint_index = static_cast<std::uint32_t>(entries_.size());
    ++series.uncommitted;
    series.Prefetch();
    if (full != nullptr) full_.push_back(*full);
    entries_.push_back(
        {&series, sample, full == nullptr ? 0 : static_cast<std::uint32_t>(full_.size())});
    return AppendOutcome::kAccepted;
  }

  bool MayBeLate(Timestamp time) const {
    const std::int64_t window = state_->window_millis.load(std::memory_order_relaxed);
    if (window == 0) return false;
    const std::int64_t newest = state_->newest_millis.load(std::memory_order_relaxed);
    return ToMillis(time) >= newest - window;
  }

  void TakeLate(Series& series, Sample sample, const FullSample* full) {
    ++series.uncommitted;
    BatchEntry& entry = entries_.emplace_back(BatchEntry{&series, sample});
    AddFull(full != nullptr ? *full : FullSample{.time = sample.time, .value = sample.value},
            entry);
    entry.late = true;
  }

  void AddFull(const FullSample& sample, BatchEntry& entry) {
    full_.push_back(sample);
    entry.full = static_cast<std::uint32_t>(full_.size());
  }

  FullSample Offered(std::size_t index) const {
    const BatchEntry& entry = entries_[index];
    if (entry.full != 0) return full_[entry.full - 1];
    return {.time = entry.sample.time, .value = entry.sample.value};
  }

  AppendOutcome Refuse(const FullSample& last, Sample sample, const FullSample* full) {
    if (sample.time < last.time) {
      HeadState::Count(state_->counters.out_of_order);
      return AppendOutcome::kOutOfOrder;
    }
    if (SameValue(last, sample, full)) return AppendOutcome::kAccepted;
    HeadState::Count(state_->counters.duplicate);
    return AppendOutcome::kDuplicate;
  }

  static bool SameValue(const FullSample& last, Sample sample, const FullSample* full) {
    const Histogram* const histogram = full == nullptr ? nullptr : full->histogram.get();
    if (histogram != nullptr && last.histogram != nullptr) {
      return SameHistogram(*histogram, *last.histogram);
    }
    if (histogram != nullptr || last.histogram != nullptr) return false;
    return std::bit_cast<std::uint64_t>(sample.value) == std::bit_cast<std::uint64_t>(last.value);
  }

  const std::shared_ptr<HeadState> state_;
  BatchEntries entries_;
  std::vector<FullSample> full_;
  const std::uint64_t commits_before_;  // this batch
};

}  // namespace

std::unique_ptr<storage::Appender> NewHeadAppender(std::shared_ptr<HeadState> state) {
  return std::make_unique<HeadAppender>(std::move(state));
}

}  // namespace skep::tsdb
