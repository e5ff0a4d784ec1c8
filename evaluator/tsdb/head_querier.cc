#include "evaluator/tsdb/head_querier.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace skep::tsdb {
namespace {

class HeadSeriesSet final : public HeadSet {
 public:
  HeadSeriesSet(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<const SeriesList> list,
                storage::TimeRange range)
      : snapshot_(std::move(snapshot)), list_(std::move(list)), range_(range) {}

  bool Next() override {
    if (next_ == list_->series.size()) return false;
    present_ = list_->series[next_++];
    return true;
  }
  const Labels& labels() const override { return LabelsAt(place()); }
  std::uint32_t place() const override { return static_cast<std::uint32_t>(next_ - 1); }
  const Labels& LabelsAt(std::uint32_t place) const override {
    if (made_.empty()) made_.resize(list_->series.size());
    std::unique_ptr<const Labels>& labels = made_[place];
    if (labels == nullptr) labels = std::make_unique<const Labels>(CopyLabels(place));
    return *labels;
  }
  Labels CopyLabels(std::uint32_t place) const override {
    return snapshot_->state->CopyLabels(*list_->series[place]);
  }
  std::uint32_t slot() const override { return list_->slots.empty() ? 0 : list_->slots[next_ - 1]; }
  Status ReadSamples(storage::SampleColumns& out) override {
    const std::lock_guard lock(snapshot_->state->stripes.Of(present_->number()));
    RETURN_IF_ERROR(snapshot_->CheckCurrent());
    return present_->Read(snapshot_->number, range_, out);
  }
  Status ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out) override {
    const std::lock_guard lock(snapshot_->state->stripes.Of(present_->number()));
    RETURN_IF_ERROR(snapshot_->CheckCurrent());
    return present_->ReadSummarized(snapshot_->number, range_, cuts, out);
  }
  std::shared_ptr<const void> list() const override { return list_; }
  std::unique_ptr<HeadSet> Again() const override {
    return std::make_unique<HeadSeriesSet>(snapshot_, list_, range_);
  }
  KeptBytes kept_bytes() const override { return snapshot_->state->kept_bytes; }

 private:
  const std::shared_ptr<const Snapshot> snapshot_;
  const std::shared_ptr<const SeriesList> list_;
  const storage::TimeRange range_;
  std::size_t next_ = 0;
  Series* present_ = nullptr;
  mutable std::vector<std::unique_ptr<const Labels>> made_;  // by place; empty: none yet
};

class HeadQuerier final : public storage::Querier {
 public:
  HeadQuerier(std::shared_ptr<const Snapshot> snapshot, storage::TimeRange range)
      : snapshot_(std::move(snapshot)), range_(range) {}

  Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher> matchers,
                                                     storage::TimeRange range) override {
    range = Clip(range);
    auto list = std::make_shared<SeriesList>();
    {
      const std::shared_lock lock(state().index_mutex);
      std::vector<Series*> series = Find(matchers, range);
      state().order.Sort(series, state().pages, state().index);
      list->Take(std::move(series));
    }
    RETURN_IF_ERROR(snapshot_->CheckCurrent());
    return {std::make_unique<HeadSeriesSet>(snapshot_, std::move(list), range)};
  }

  Result<std::unique_ptr<storage::SeriesSet>> SelectAgain(
      std::span<const Matcher> matchers, storage::TimeRange range,
      std::unique_ptr<storage::KeptSelect>& kept) override {
    range = Clip(range);
    if (kept == nullptr) kept = std::make_unique<KeptSeries>(state().kept_bytes);
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
    RETURN_IF_ERROR(snapshot_->CheckCurrent());
    return {std::make_unique<HeadSeriesSet>(snapshot_, std::move(list), range)};
  }

  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) override {
    const std::shared_lock lock(state().index_mutex);
    if (matchers.empty() && MeetsNewest()) return state().index.Names();
    const LabelPairs& pairs = state().index.pairs();
    std::set<NameId> names;
    for (const Series* series : Find(matchers, range_)) {
      for (const PairId pair : series->pairs()) names.insert(pairs.name_id(pair));
    }
    RETURN_IF_ERROR(snapshot_->CheckCurrent());
    std::vector<std::string> list;
    for (const auto& [name, id] : pairs.names()) {
      if (names.contains(id)) list.emplace_back(name);
    }
    return list;
  }

  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const Matcher> matchers) override {
    const std::shared_lock lock(state().index_mutex);
    if (matchers.empty() && MeetsNewest()) return state().index.Values(name);
    const LabelPairs& pairs = state().index.pairs();
    std::set<std::string_view> values;
    if (const auto id = pairs.FindName(name)) {
      for (const Series* series : Find(matchers, range_)) {
        values.insert(pairs.ValueOf(series->pairs(), *id));
      }
      values.erase("");
    }
    RETURN_IF_ERROR(snapshot_->CheckCurrent());
    return std::vector<std::string>(values.begin(), values.end());
  }

 private:
  HeadState& state() const { return *snapshot_->state; }
  // Whether the range meets the time of which a head usually has samples. Then the names of all its
  // series are given, as Prometheus does it; where it lies before, each series is looked at.
  bool MeetsNewest() const {
    constexpr Duration kUsual = std::chrono::hours(1);
    const Timestamp newest = FromMillis(state().newest_millis.load(std::memory_order_relaxed));
    return range_.min <= newest &&
           (newest < kMinTimestamp + kUsual || range_.max >= newest - kUsual);
  }
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

  const std::shared_ptr<const Snapshot> snapshot_;
  const storage::TimeRange range_;
};

}  // namespace

std::unique_ptr<storage::Querier> NewHeadQuerier(std::shared_ptr<HeadState> state,
                                                 storage::TimeRange range, ReaderBlocks blocks) {
  return std::make_unique<HeadQuerier>(
      std::make_shared<const Snapshot>(std::move(state), std::move(blocks)), range);
}

}  // namespace skep::tsdb
