#include "common/instrument/instruments.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include "common/base/number.h"

namespace skep::instrument {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

prometheus::Labels ToLabels(LabelPairs labels) {
  prometheus::Labels out;
  for (const auto& [name, value] : labels) out.emplace(name, value);
  return out;
}

MetricType TypeOf(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return MetricType::kCounter;
    case prometheus::MetricType::Gauge:
      return MetricType::kGauge;
    case prometheus::MetricType::Summary:
      return MetricType::kSummary;
    case prometheus::MetricType::Histogram:
      return MetricType::kHistogram;
    case prometheus::MetricType::Untyped:
      return MetricType::kUnknown;
  }
  return MetricType::kUnknown;
}

void WriteHistogram(PageWriter& page, const std::string& labels,
                    const prometheus::ClientMetric::Histogram& histogram) {
  for (const auto& bucket : histogram.bucket) {
    std::string with_bound = labels;
    exposition::AppendRenderedLabel(with_bound, "le", FormatDouble(bucket.upper_bound),
                                    page.escaping());
    page.SuffixedSample("_bucket", with_bound, static_cast<double>(bucket.cumulative_count));
  }
  page.SuffixedSample("_sum", labels, histogram.sample_sum);
  page.SuffixedSample("_count", labels, static_cast<double>(histogram.sample_count));
}

void WriteMetric(PageWriter& page, prometheus::MetricType type,
                 const prometheus::ClientMetric& metric) {
  std::string labels;
  for (const auto& label : metric.label) {
    exposition::AppendRenderedLabel(labels, label.name, label.value, page.escaping());
  }
  if (type == prometheus::MetricType::Histogram) {
    WriteHistogram(page, labels, metric.histogram);
  } else {
    const bool counter = type == prometheus::MetricType::Counter;
    page.RenderedSample(labels, counter ? metric.counter.value : metric.gauge.value);
  }
}

// The registry finds a family by walking all of them and cannot take one series off without it, so
// its families are kept by name here.
template <typename T>
class FamilyTable {
 public:
  template <typename Builder>
  prometheus::Family<T>& Get(prometheus::Registry& registry, Builder builder, std::string_view name,
                             std::string_view help) {
    const std::lock_guard lock(mutex_);
    const auto at = families_.find(name);
    if (at != families_.end()) return *at->second;
    prometheus::Family<T>& family =
        builder.Name(std::string(name)).Help(std::string(help)).Register(registry);
    families_.emplace(name, &family);
    return family;
  }

  void Remove(std::string_view name, LabelPairs labels) {
    const std::lock_guard lock(mutex_);
    const auto at = families_.find(name);
    const prometheus::Labels wanted = ToLabels(labels);
    if (at == families_.end() || !at->second->Has(wanted)) return;
    // Has has made sure that this finds the series and does not add one.
    at->second->Remove(&Find(*at->second, wanted));
  }

 private:
  static T& Find(prometheus::Family<T>& family, const prometheus::Labels& labels) {
    if constexpr (std::is_same_v<T, prometheus::Histogram>) {
      return family.Add(labels, prometheus::Histogram::BucketBoundaries{});
    } else {
      return family.Add(labels);
    }
  }

  std::mutex mutex_;
  std::map<std::string, prometheus::Family<T>*, std::less<>> families_;  // guarded by mutex_
};

}  // namespace

struct Instruments::Impl {
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Throw};
  FamilyTable<prometheus::Counter> counters;
  FamilyTable<prometheus::Gauge> gauges;
  FamilyTable<prometheus::Histogram> histograms;
  mutable std::mutex sources_mutex;
  std::vector<std::function<void(PageWriter&)>> sources;  // guarded by sources_mutex
};

Instruments::Instruments() : impl_(std::make_unique<Impl>()) {}
Instruments::~Instruments() = default;

Counter Instruments::AddCounter(std::string_view name, std::string_view help, LabelPairs labels) {
  auto& family = impl_->counters.Get(impl_->registry, prometheus::BuildCounter(), name, help);
  return Counter(family.Add(ToLabels(labels)));
}

Gauge Instruments::AddGauge(std::string_view name, std::string_view help, LabelPairs labels) {
  auto& family = impl_->gauges.Get(impl_->registry, prometheus::BuildGauge(), name, help);
  return Gauge(family.Add(ToLabels(labels)));
}

Histogram Instruments::AddHistogram(std::string_view name, std::string_view help,
                                    std::vector<double> bounds, LabelPairs labels) {
  auto& family = impl_->histograms.Get(impl_->registry, prometheus::BuildHistogram(), name, help);
  return Histogram(family.Add(ToLabels(labels), bounds));
}

void Instruments::RemoveCounter(std::string_view name, LabelPairs labels) {
  impl_->counters.Remove(name, labels);
}

void Instruments::RemoveGauge(std::string_view name, LabelPairs labels) {
  impl_->gauges.Remove(name, labels);
}

void Instruments::RemoveHistogram(std::string_view name, LabelPairs labels) {
  impl_->histograms.Remove(name, labels);
}

void Instruments::AddSource(std::function<void(PageWriter& page)> source) {
  const std::lock_guard lock(impl_->sources_mutex);
  impl_->sources.push_back(std::move(source));
}

void Instruments::Write(PageWriter& page) const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (prometheus::MetricFamily& family : families) {
    if (family.metric.empty()) continue;
    page.Family(family.name, family.help, TypeOf(family.type));
    // The registry keeps series in a hash table; a page with a steady order parses faster.
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
    for (const auto& metric : family.metric) WriteMetric(page, family.type, metric);
  }
  // Sources read files and ask other parts, but hold none of our locks.
  std::vector<std::function<void(PageWriter&)>> sources;
  {
    const std::lock_guard lock(impl_->sources_mutex);
    sources = impl_->sources;
  }
  for (const auto& source : sources) source(page);
}

void Counter::Increment(double by) const {
  if (counter_ != nullptr) counter_->Increment(by);
}

double Counter::value() const { return counter_ == nullptr ? 0 : counter_->Value(); }

void Gauge::Set(double value) const {
  if (gauge_ != nullptr) gauge_->Set(value);
}

void Gauge::Add(double by) const {
  if (gauge_ != nullptr) gauge_->Increment(by);
}

double Gauge::value() const { return gauge_ == nullptr ? 0 : gauge_->Value(); }

void Histogram::Observe(double value) const {
  if (histogram_ != nullptr) histogram_->Observe(value);
}

void Histogram::Observe(std::chrono::steady_clock::duration value) const {
  Observe(std::chrono::duration<double>(value).count());
}

std::vector<double> LatencyBounds() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

}  // namespace skep::instrument
