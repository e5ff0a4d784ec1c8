#include "tests/support/memory_store.h"

#include <algorithm>
#include <bit>
#include <set>
#include <string>
#include <vector>

#include "common/model/histogram_math.h"

namespace skep::test {

using storage::AppendOutcome;
using storage::SampleColumns;

class MemoryAppender final : public storage::Appender {
 public:
  explicit MemoryAppender(MemoryStore& store) : store_(store) {}

  AppendOutcome Append(storage::SeriesRef& ref, const Labels& labels, Sample sample) override {
    ref = 0;
    SampleColumns& columns = batch_.try_emplace(labels, Known(labels)).first->second;
    if (!columns.histograms.empty() && columns.histograms.times.back() >= sample.time) {
      return columns.histograms.times.back() > sample.time ? AppendOutcome::kOutOfOrder
                                                           : AppendOutcome::kDuplicate;
    }
    if (columns.size() > 0 && columns.times.back() >= sample.time) {
      if (columns.times.back() > sample.time) return AppendOutcome::kOutOfOrder;
      const bool same = std::bit_cast<std::uint64_t>(columns.values.back()) ==
                        std::bit_cast<std::uint64_t>(sample.value);
      return same ? AppendOutcome::kAccepted : AppendOutcome::kDuplicate;
    }
    columns.times.push_back(sample.time);
    columns.values.push_back(sample.value);
    if (!columns.starts.empty()) columns.starts.push_back(kNoStart);
    return AppendOutcome::kAccepted;
  }

  // It gives out no numbers.
  std::optional<AppendOutcome> AppendKnown(storage::SeriesRef /*ref*/, Sample /*sample*/) override {
    return std::nullopt;
  }

  AppendOutcome AppendFull(storage::SeriesRef& ref, const Labels& labels,
                           const FullSample& sample) override {
    if (sample.histogram != nullptr) return AppendHistogram(labels, sample);
    const AppendOutcome outcome = Append(ref, labels, Sample{sample.time, sample.value});
    if (outcome == AppendOutcome::kAccepted && sample.start != kNoStart) {
      SampleColumns& columns = batch_.find(labels)->second;
      columns.starts.resize(columns.times.size(), kNoStart);
      columns.starts.back() = sample.start;
    }
    return outcome;
  }

  Status Commit() override {
    const std::lock_guard lock(store_.mutex_);
    auto data = std::make_shared<MemoryStore::Data>(*store_.data_);
    for (auto& [labels, columns] : batch_) {
      if (columns.empty()) continue;
      (*data)[labels] = std::make_shared<const SampleColumns>(std::move(columns));
    }
    store_.data_ = std::move(data);
    return {};
  }

 private:
  AppendOutcome AppendHistogram(const Labels& labels, const FullSample& sample) {
    SampleColumns& columns = batch_.try_emplace(labels, Known(labels)).first->second;
    SampleColumns::Histograms& histograms = columns.histograms;
    const bool float_is_newest =
        columns.size() > 0 &&
        (histograms.empty() || columns.times.back() > histograms.times.back());
    if (float_is_newest && columns.times.back() >= sample.time) return AppendOutcome::kOutOfOrder;
    if (!histograms.empty() && histograms.times.back() >= sample.time) {
      if (histograms.times.back() > sample.time) return AppendOutcome::kOutOfOrder;
      return SameHistogram(*histograms.values.back(), *sample.histogram)
                 ? AppendOutcome::kAccepted
                 : AppendOutcome::kDuplicate;
    }
    auto kept = std::make_shared<Histogram>(*sample.histogram);
    const bool follows = !float_is_newest && !histograms.empty();
    kept->reset_hint = StoredHint(*kept, follows ? histograms.values.back().get() : nullptr);
    histograms.times.push_back(sample.time);
    histograms.values.push_back(std::move(kept));
    histograms.starts.push_back(sample.start);
    return AppendOutcome::kAccepted;
  }

  SampleColumns Known(const Labels& labels) const {
    const std::lock_guard lock(store_.mutex_);
    const auto at = store_.data_->find(labels);
    return at == store_.data_->end() ? SampleColumns{} : *at->second;
  }

  MemoryStore& store_;
  std::map<Labels, SampleColumns> batch_;  // with what was there before
};

namespace {

using Series = std::pair<Labels, std::shared_ptr<const SampleColumns>>;

class MemorySeriesSet final : public storage::SeriesSet {
 public:
  MemorySeriesSet(std::vector<Series> series, storage::TimeRange range)
      : series_(std::move(series)), range_(range) {}

  bool Next() override { return ++at_ <= series_.size(); }
  const Labels& labels() const override { return series_[at_ - 1].first; }
  Status ReadSamples(SampleColumns& out) override {
    const SampleColumns& from = *series_[at_ - 1].second;
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (!Wanted(from.times[i])) continue;
      out.times.push_back(from.times[i]);
      out.values.push_back(from.values[i]);
      if (!from.starts.empty()) out.starts.push_back(from.starts[i]);
    }
    ReadHistograms(from.histograms, out.histograms);
    return {};
  }

 private:
  bool Wanted(Timestamp time) const { return time >= range_.min && time <= range_.max; }
  void ReadHistograms(const SampleColumns::Histograms& from, SampleColumns::Histograms& out) const {
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (!Wanted(from.times[i])) continue;
      out.times.push_back(from.times[i]);
      out.values.push_back(from.values[i]);
      out.starts.push_back(from.starts[i]);
    }
  }

  std::vector<Series> series_;
  storage::TimeRange range_;
  std::size_t at_ = 0;
};

bool Overlaps(const SampleColumns& columns, storage::TimeRange range) {
  const auto inside = [range](Timestamp t) { return t >= range.min && t <= range.max; };
  const auto& histograms = columns.histograms.times;
  return std::any_of(columns.times.begin(), columns.times.end(), inside) ||
         std::any_of(histograms.begin(), histograms.end(), inside);
}

class MemoryQuerier final : public storage::Querier {
 public:
  using Data = std::map<Labels, std::shared_ptr<const SampleColumns>>;

  MemoryQuerier(std::shared_ptr<const Data> data, storage::TimeRange range)
      : data_(std::move(data)), range_(range) {}

  Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher> matchers,
                                                     storage::TimeRange range) override {
    range = {std::max(range.min, range_.min), std::min(range.max, range_.max)};
    std::vector<Series> found;
    for (const auto& [labels, columns] : *data_) {
      if (Matches(matchers, labels) && Overlaps(*columns, range)) {
        found.emplace_back(labels, columns);
      }
    }
    return std::unique_ptr<storage::SeriesSet>(new MemorySeriesSet(std::move(found), range));
  }

  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) override {
    std::set<std::string> names;
    for (const auto& [labels, columns] : *data_) {
      if (!Matches(matchers, labels) || !Overlaps(*columns, range_)) continue;
      for (const LabelView& label : labels) names.emplace(label.name);
    }
    return std::vector<std::string>(names.begin(), names.end());
  }

  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const Matcher> matchers) override {
    std::set<std::string> values;
    for (const auto& [labels, columns] : *data_) {
      const bool wanted = Matches(matchers, labels) && Overlaps(*columns, range_);
      if (wanted && labels.Has(name)) values.emplace(labels.Get(name));
    }
    return std::vector<std::string>(values.begin(), values.end());
  }

 private:
  static bool Matches(std::span<const Matcher> matchers, const Labels& labels) {
    return std::all_of(matchers.begin(), matchers.end(), [&labels](const Matcher& matcher) {
      return matcher.Matches(labels.Get(matcher.name()));
    });
  }

  std::shared_ptr<const Data> data_;
  storage::TimeRange range_;
};

}  // namespace

std::unique_ptr<storage::Appender> MemoryStore::NewAppender() {
  return std::make_unique<MemoryAppender>(*this);
}

Result<std::unique_ptr<storage::Querier>> MemoryStore::NewQuerier(storage::TimeRange range) {
  const std::lock_guard lock(mutex_);
  return std::unique_ptr<storage::Querier>(new MemoryQuerier(data_, range));
}

}  // namespace skep::test
