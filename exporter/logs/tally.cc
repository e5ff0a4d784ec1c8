#include "exporter/logs/tally.h"

#include <algorithm>

namespace skep::logs {
namespace {

OwnedLabels Sorted(OwnedLabels labels) {
  std::sort(labels.begin(), labels.end());
  return labels;
}

std::vector<state::LabelView> Views(const OwnedLabels& labels) {
  return {labels.begin(), labels.end()};
}

}  // namespace

Tally::Id Tally::MakeCounter(MaybeFamily family, OwnedLabels labels) {
  counters_.push_back({{family, Sorted(std::move(labels))}, 0});
  return static_cast<Id>(counters_.size() - 1);
}

Tally::Id Tally::MakeHistogram(MaybeFamily family, OwnedLabels labels,
                               const std::vector<double>& bounds) {
  Histogram histogram;
  histogram.series = {family, Sorted(std::move(labels))};
  histogram.bounds = &bounds;
  histogram.counts.resize(bounds.size() + 1);
  histograms_.push_back(std::move(histogram));
  return static_cast<Id>(histograms_.size() - 1);
}

void Tally::AddTo(Histogram& histogram, double value) {
  const std::vector<double>& bounds = *histogram.bounds;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  ++histogram.counts[static_cast<std::size_t>(bucket)];
  ++histogram.count;
  histogram.sum += value;
}

void Tally::Observe(Id id, double value) {
  Histogram& histogram = histograms_[id];
  if (histogram.count == 0) touched_histograms_.push_back(id);
  AddTo(histogram, value);
}

Tally::Loose& Tally::FindLoose(state::FamilyId family, OwnedLabels labels) {
  labels = Sorted(std::move(labels));
  std::string key = std::to_string(family);
  for (const auto& [name, value] : labels) {
    key.append(1, '\0').append(name).append(1, '\0').append(value);
  }
  Loose& loose = loose_[std::move(key)];
  if (loose.labels.empty()) {
    loose.family = family;
    loose.labels = std::move(labels);
  }
  return loose;
}

void Tally::CountLoose(state::FamilyId family, OwnedLabels labels, double value) {
  FindLoose(family, std::move(labels)).value += value;
}

void Tally::ObserveLoose(state::FamilyId family, OwnedLabels labels,
                         const std::vector<double>& bounds, double value) {
  Loose& loose = FindLoose(family, std::move(labels));
  if (loose.histogram.bounds == nullptr) {
    loose.histogram.bounds = &bounds;
    loose.histogram.counts.resize(bounds.size() + 1);
  }
  AddTo(loose.histogram, value);
}

void Tally::Write(state::Changes& changes) const {
  for (const Id id : touched_counters_) {
    const Counter& c = counters_[id];
    if (c.series.family) changes.Add(*c.series.family, Views(c.series.labels), c.value);
  }
  for (const Id id : touched_histograms_) {
    const Histogram& h = histograms_[id];
    if (h.series.family) {
      changes.AddBuckets(*h.series.family, Views(h.series.labels), h.counts, h.sum);
    }
  }
  for (const auto& [key, loose] : loose_) {
    if (loose.histogram.bounds == nullptr) {
      changes.Add(loose.family, Views(loose.labels), loose.value);
    } else {
      changes.AddBuckets(loose.family, Views(loose.labels), loose.histogram.counts,
                         loose.histogram.sum);
    }
  }
}

void Tally::Clear() {
  for (const Id id : touched_counters_) counters_[id].value = 0;
  for (const Id id : touched_histograms_) {
    Histogram& h = histograms_[id];
    std::fill(h.counts.begin(), h.counts.end(), 0);
    h.count = 0;
    h.sum = 0;
  }
  touched_counters_.clear();
  touched_histograms_.clear();
  loose_.clear();
}

}  // namespace skep::logs
