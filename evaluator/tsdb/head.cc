#include "evaluator/tsdb/head.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>

#include "evaluator/tsdb/kept_series.h"
#include "evaluator/tsdb/label_index.h"
#include "evaluator/tsdb/label_order.h"
#include "evaluator/tsdb/series.h"
#include "evaluator/tsdb/series_table.h"

namespace skep::tsdb {
namespace {

using storage::AppendOutcome;
using storage::SeriesRef;

// Which commits living queriers have seen. Thread-safe.
class Snapshots {
 public:
  CommitNumber Enter() {
    const std::lock_guard lock(mutex_);
    living_.insert(visible_);
    return visible_;
  }
  void Leave(CommitNumber snapshot) {
    const std::lock_guard lock(mutex_);
    living_.erase(living_.find(snapshot));
  }
  // The number of the commit that begins, and the oldest snapshot that may be read during it.
  // Commits follow each other.
  std::pair<CommitNumber, CommitNumber> BeginCommit() const {
    const std::lock_guard lock(mutex_);
    return {visible_ + 1, living_.empty() ? visible_ : *living_.begin()};
  }
  void Publish(CommitNumber commit) {
    const std::lock_guard lock(mutex_);
    visible_ = commit;
  }

 private:
  mutable std::mutex mutex_;
  CommitNumber visible_ = 0;            // guarded by mutex_
  std::multiset<CommitNumber> living_;  // guarded by mutex_
};

struct Counters {
  std::atomic<std::uint64_t> created{0}, removed{0}, appended{0}, out_of_order{0}, duplicate{0},
      too_old{0}, refused{0};
};

void Count(std::atomic<std::uint64_t>& counter, std::uint64_t n = 1) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

struct BatchEntry {
  Series* series = nullptr;  // its `uncommitted` keeps it alive
  Sample sample;
  std::size_t full = 0;  // plus one: among the full samples; 0: a plain float
};

}  // namespace

// Shared by the Head and by whoever it handed out. Locks are taken in this order:
// commit_mutex, index_mutex, a stripe, that of `returned`; never two stripes at once.
class Head::State {
 public:
  explicit State(HeadOptions o) : options(o) {}
  ~State() {
    for (const std::uint32_t number : index.all()) pages.Get(number)->RemoveUser();
  }

  // The number of the series with these labels, which is made if need be. 0: the limit.
  std::uint32_t GetOrCreate(const Labels& labels);
  void DropBefore(Timestamp time);

  const HeadOptions options;
  Counters counters;
  Snapshots snapshots;
  std::atomic<std::uint64_t> batches{0};
  std::atomic<std::int64_t> oldest_millis{ToMillis(kMinTimestamp)};  // what retention left

  std::mutex commit_mutex;
  mutable std::shared_mutex index_mutex;
  LabelIndex index;               // guarded by index_mutex
  LabelsTable by_labels;          // guarded by index_mutex
  SeriesPages pages;              // see there
  std::uint32_t next_number = 1;  // guarded by index_mutex
  LabelOrder order;
  mutable Stripes stripes;
  ReturnedSeries returned;

 private:
  std::vector<std::uint32_t> ForgetSamples(Timestamp time);
  void RemoveEmpty(const std::vector<std::uint32_t>& numbers);
};

std::uint32_t Head::State::GetOrCreate(const Labels& labels) {
  const std::uint64_t hash = labels.Hash();
  {
    const std::shared_lock lock(index_mutex);
    if (const Series* series = by_labels.Find(labels, hash)) return series->number();
  }
  const std::unique_lock lock(index_mutex);
  if (const Series* series = by_labels.Find(labels, hash)) return series->number();
  const bool full = options.max_series > 0 && by_labels.size() >= options.max_series;
  if (full || next_number == SeriesPages::kMostNumbers) {
    Count(counters.refused);
    return 0;
  }
  auto* const series = new Series(labels, hash, next_number++);
  by_labels.Insert(series);
  index.Add(series->labels(), series->number());
  StripeLock stripe(stripes);
  stripe.Take(series->number());
  pages.Set(series->number(), series);
  Count(counters.created);
  return series->number();
}

// The numbers of series that have no sample left.
std::vector<std::uint32_t> Head::State::ForgetSamples(Timestamp time) {
  std::vector<std::uint32_t> empty;
  const std::shared_lock lock(index_mutex);
  StripeLock stripe(stripes);
  for (const std::uint32_t number : index.all()) {
    stripe.Take(number);
    Series* const series = pages.Get(number);
    series->DropBefore(time);
    if (series->empty() && series->uncommitted == 0) empty.push_back(number);
  }
  return empty;
}

void Head::State::RemoveEmpty(const std::vector<std::uint32_t>& numbers) {
  const std::unique_lock lock(index_mutex);
  Postings gone;
  std::vector<Series*> removed;
  std::vector<const Labels*> labels;
  {
    StripeLock stripe(stripes);
    for (const std::uint32_t number : numbers) {
      stripe.Take(number);
      Series* const series = pages.Get(number);
      // Meanwhile somebody may have appended to it, or be about to.
      if (!series || !series->empty() || series->uncommitted > 0) continue;
      pages.Set(number, nullptr);
      gone.push_back(number);
      removed.push_back(series);
      labels.push_back(&series->labels());
    }
  }
  index.Remove(gone, labels);
  for (Series* series : removed) {
    by_labels.Remove(series);
    series->RemoveUser();
  }
  Count(counters.removed, gone.size());
}

void Head::State::DropBefore(Timestamp time) {
  if (ToMillis(time) > oldest_millis.load()) oldest_millis.store(ToMillis(time));
  const std::vector<std::uint32_t> empty = ForgetSamples(time);
  if (!empty.empty()) RemoveEmpty(empty);
}

namespace {

template <typename State>
class HeadAppender final : public storage::Appender {
 public:
  explicit HeadAppender(std::shared_ptr<State> state)
      : state_(std::move(state)), batch_(state_->batches.fetch_add(1) + 1) {}

  ~HeadAppender() override {
    StripeLock stripe(state_->stripes);
    for (const BatchEntry& entry : entries_) {
      stripe.Take(entry.series->number());
      --entry.series->uncommitted;
    }
  }

  AppendOutcome Append(SeriesRef& ref, const Labels& labels, Sample sample) override {
    return AppendTo(ref, labels, sample, nullptr);
  }
  AppendOutcome AppendFull(SeriesRef& ref, const Labels& labels,
                           const FullSample& sample) override {
    const bool plain = sample.histogram == nullptr && sample.start == kNoStart;
    return AppendTo(ref, labels, {sample.time, sample.value}, plain ? nullptr : &sample);
  }
  Status Commit() override {
    const std::lock_guard lock(state_->commit_mutex);
    const auto [commit, oldest_reader] = state_->snapshots.BeginCommit();
    std::uint64_t appended = 0;
    {
      StripeLock stripe(state_->stripes);
      for (const BatchEntry& entry : entries_) {
        stripe.Take(entry.series->number());
        --entry.series->uncommitted;
        // Another batch may have brought newer samples since this one was offered.
        const std::optional<Timestamp> last = entry.series->last_time();
        if (last && *last >= entry.sample.time) continue;
        if (entry.full == 0) {
          entry.series->Append(entry.sample, commit, oldest_reader);
        } else {
          entry.series->AppendFull(full_[entry.full - 1], commit, oldest_reader);
        }
        if (std::exchange(entry.series->left_out, false)) {
          state_->returned.Add(entry.series->number());
        }
        ++appended;
      }
    }
    state_->snapshots.Publish(commit);
    Count(state_->counters.appended, appended);
    Count(state_->counters.out_of_order, entries_.size() - appended);
    entries_.clear();
    full_.clear();
    return {};
  }

 private:
  // `full` may be null: `sample` says it all.
  AppendOutcome AppendTo(SeriesRef& ref, const Labels& labels, Sample sample,
                         const FullSample* full) {
    const bool too_old =
        ToMillis(sample.time) < state_->oldest_millis.load(std::memory_order_relaxed);
    while (true) {
      if (ref != 0) {
        StripeLock stripe(state_->stripes);
        stripe.Take(static_cast<std::uint32_t>(ref));
        if (Series* series = state_->pages.Get(ref)) {
          return too_old ? TooOld() : Offer(*series, sample, full);
        }
        ref = 0;
      }
      if (too_old) return TooOld();
      // Retention may remove a new series again before it has its sample: then once more.
      ref = state_->GetOrCreate(labels);
      if (ref == 0) return AppendOutcome::kLimitExceeded;
    }
  }

  AppendOutcome TooOld() {
    Count(state_->counters.too_old);
    return AppendOutcome::kTooOld;
  }

  // Under the stripe of `series`.
  AppendOutcome Offer(Series& series, Sample sample, const FullSample* full) {
    const bool mine = series.hint_batch == batch_;
    const std::optional<Timestamp> last =
        mine ? std::optional(entries_[series.hint_index].sample.time) : series.last_time();
    if (last && sample.time <= *last) {
      return Refuse(mine ? Offered(series.hint_index) : *series.last(), sample, full);
    }
    series.hint_batch = batch_;
    series.hint_index = static_cast<std::uint32_t>(entries_.size());
    ++series.uncommitted;
    series.Prefetch();
    if (full != nullptr) full_.push_back(*full);
    entries_.push_back({&series, sample, full == nullptr ? 0 : full_.size()});
    return AppendOutcome::kAccepted;
  }

  FullSample Offered(std::size_t index) const {
    const BatchEntry& entry = entries_[index];
    if (entry.full != 0) return full_[entry.full - 1];
    return {.time = entry.sample.time, .value = entry.sample.value};
  }

  AppendOutcome Refuse(const FullSample& last, Sample sample, const FullSample* full) {
    if (sample.time < last.time) {
      Count(state_->counters.out_of_order);
      return AppendOutcome::kOutOfOrder;
    }
    if (SameValue(last, sample, full)) return AppendOutcome::kAccepted;
    Count(state_->counters.duplicate);
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

  const std::shared_ptr<State> state_;
  const std::uint64_t batch_;
  std::vector<BatchEntry> entries_;
  std::vector<FullSample> full_;
};

// Keeps a commit's state readable as long as it lives.
template <typename State>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<State> s)
      : state(std::move(s)), number(state->snapshots.Enter()) {}
  ~Snapshot() { state->snapshots.Leave(number); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const std::shared_ptr<State> state;
  const CommitNumber number;
};

template <typename State>
class HeadSeriesSet final : public storage::SeriesSet {
 public:
  HeadSeriesSet(std::shared_ptr<const Snapshot<State>> snapshot,
                std::shared_ptr<const SeriesList> list, storage::TimeRange range)
      : snapshot_(std::move(snapshot)), list_(std::move(list)), range_(range) {}

  bool Next() override {
    if (next_ == list_->series.size()) return false;
    present_ = list_->series[next_++];
    return true;
  }
  const Labels& labels() const override { return present_->labels(); }
  std::uint32_t slot() const override { return list_->slots.empty() ? 0 : list_->slots[next_ - 1]; }
  Status ReadSamples(storage::SampleColumns& out) override {
    const std::lock_guard lock(snapshot_->state->stripes.Of(present_->number()));
    present_->Read(snapshot_->number, range_, out);
    return {};
  }

 private:
  const std::shared_ptr<const Snapshot<State>> snapshot_;
  const std::shared_ptr<const SeriesList> list_;
  const storage::TimeRange range_;
  std::size_t next_ = 0;
  Series* present_ = nullptr;
};

template <typename State>
class HeadQuerier final : public storage::Querier {
 public:
  HeadQuerier(std::shared_ptr<State> state, storage::TimeRange range)
      : snapshot_(std::make_shared<const Snapshot<State>>(std::move(state))), range_(range) {}

  Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher> matchers,
                                                     storage::TimeRange range) override {
    range = Clip(range);
    auto list = std::make_shared<SeriesList>();
    {
      const std::shared_lock lock(state().index_mutex);
      std::vector<Series*> series = Find(matchers, range);
      state().order.Sort(series, state().pages, state().index.all());
      list->Take(std::move(series));
    }
    return {std::make_unique<HeadSeriesSet<State>>(snapshot_, std::move(list), range)};
  }

  Result<std::unique_ptr<storage::SeriesSet>> SelectAgain(
      std::span<const Matcher> matchers, storage::TimeRange range,
      std::unique_ptr<storage::KeptSelect>& kept) override {
    range = Clip(range);
    if (kept == nullptr) kept = std::make_unique<KeptSeries>();
    std::shared_ptr<const SeriesList> list;
    {
      const std::shared_lock lock(state().index_mutex);
      const KeptSeries::View head{.index = state().index,
                                  .pages = state().pages,
                                  .order = state().order,
                                  .stripes = state().stripes,
                                  .returned = state().returned,
                                  .next_number = state().next_number,
                                  .removed = state().counters.removed};
      list = static_cast<KeptSeries&>(*kept).Update(matchers, range.min, head);
    }
    return {std::make_unique<HeadSeriesSet<State>>(snapshot_, std::move(list), range)};
  }

  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) override {
    const std::shared_lock lock(state().index_mutex);
    if (matchers.empty()) return state().index.Names();
    std::set<std::string_view> names;
    for (const Series* series : Find(matchers, range_)) {
      for (const auto& [name, value] : series->labels()) names.insert(name);
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const Matcher> matchers) override {
    const std::shared_lock lock(state().index_mutex);
    if (matchers.empty()) return state().index.Values(name);
    std::set<std::string_view> values;
    for (const Series* series : Find(matchers, range_)) {
      if (const std::string_view value = series->labels().Get(name); !value.empty()) {
        values.insert(value);
      }
    }
    return std::vector<std::string>(values.begin(), values.end());
  }

 private:
  State& state() const { return *snapshot_->state; }
  storage::TimeRange Clip(storage::TimeRange range) const {
    return {std::max(range.min, range_.min), std::min(range.max, range_.max)};
  }

  // In the order of their numbers. Under the index lock.
  std::vector<Series*> Find(std::span<const Matcher> matchers, storage::TimeRange range) const {
    const SeriesPages& pages = state().pages;
    const Postings found = SelectNumbers(state().index, pages, matchers);
    std::vector<Series*> series;
    series.reserve(found.size());
    StripeLock stripe(state().stripes);
    for (const std::uint32_t number : found) {
      Series* const one = pages.Get(number);
      stripe.Take(number);
      if (one->Overlaps(range)) series.push_back(one);
    }
    return series;
  }

  const std::shared_ptr<const Snapshot<State>> snapshot_;
  const storage::TimeRange range_;
};

}  // namespace

Head::Head(HeadOptions options) : state_(std::make_shared<State>(options)) {}
Head::~Head() = default;

std::unique_ptr<storage::Appender> Head::NewAppender() {
  return std::make_unique<HeadAppender<State>>(state_);
}

Result<std::unique_ptr<storage::Querier>> Head::NewQuerier(storage::TimeRange range) {
  return {std::make_unique<HeadQuerier<State>>(state_, range)};
}

void Head::DropBefore(Timestamp time) { state_->DropBefore(time); }

std::size_t Head::series_count() const {
  const std::shared_lock lock(state_->index_mutex);
  return state_->by_labels.size();
}

HeadCounters Head::counters() const {
  const Counters& c = state_->counters;
  return {.series_created = c.created,
          .series_removed = c.removed,
          .samples_appended = c.appended,
          .samples_out_of_order = c.out_of_order,
          .samples_duplicate = c.duplicate,
          .samples_too_old = c.too_old,
          .series_refused = c.refused};
}

HeadStatus Head::Status(std::size_t limit) const {
  HeadStatus status;
  const std::shared_lock lock(state_->index_mutex);
  state_->index.FillStatus(limit, status);
  status.series = state_->by_labels.size();
  StripeLock stripe(state_->stripes);
  for (const std::uint32_t number : state_->index.all()) {
    stripe.Take(number);
    const Series& series = *state_->pages.Get(number);
    if (series.empty()) continue;
    status.chunks += series.chunks();
    status.samples += series.samples();
    status.chunk_bytes += series.chunk_bytes();
    const Timestamp min = series.min_time();
    const Timestamp max = *series.last_time();
    status.min_time = std::min(status.min_time.value_or(min), min);
    status.max_time = std::max(status.max_time.value_or(max), max);
  }
  return status;
}

}  // namespace skep::tsdb
