#include "evaluator/promqltest/series_loader.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "common/base/number.h"
#include "common/model/histogram_math.h"
#include "common/model/sample.h"

namespace skep::promqltest {

using promql::SequenceValue;

namespace {

// What the classic series of one histogram say at one time.
struct ClassicPoint {
  std::map<double, double> buckets;  // cumulative, by upper bound
  std::optional<double> count;
  double sum = 0;
};

// Null where the buckets contradict each other.
HistogramPtr ToCustomBuckets(const ClassicPoint& point) {
  auto histogram = std::make_shared<Histogram>();
  auto bounds = std::make_shared<std::vector<double>>();
  histogram->schema = kCustomBucketsSchema;
  histogram->sum = point.sum;
  double below = 0;
  std::int32_t index = 0;
  for (const auto& [bound, count] : point.buckets) {
    if (count < below) return nullptr;
    if (!std::isinf(bound)) bounds->push_back(bound);
    histogram->positive.Append(index++, count - below);
    below = count;
  }
  histogram->count = point.count.value_or(below);
  const bool has_last = !point.buckets.empty() && std::isinf(point.buckets.rbegin()->first);
  if (histogram->count < below) return nullptr;
  if (!has_last) histogram->positive.Append(index, histogram->count - below);
  histogram->bounds = std::move(bounds);
  Compact(*histogram);
  return histogram;
}

// Notes a series if it belongs to a classic histogram; its points by the native one's labels.
void CollectClassic(const Labels& labels, const std::vector<FullSample>& samples,
                    std::map<Labels, std::map<Timestamp, ClassicPoint>>& out) {
  const std::string_view name = labels.metric_name();
  for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
    if (!name.ends_with(suffix)) continue;
    const std::optional<double> bound = ParseDouble(labels.Get("le"));
    if (suffix == "_bucket" && (!bound || std::isnan(*bound))) return;
    LabelsBuilder builder(labels);
    builder.Set(kMetricName, name.substr(0, name.size() - suffix.size())).Delete("le");
    auto& points = out[builder.Build()];
    for (const FullSample& sample : samples) {
      if (sample.histogram != nullptr || IsStaleNaN(sample.value)) continue;
      ClassicPoint& point = points[sample.time];
      if (suffix == "_bucket") point.buckets[*bound] = sample.value;
      if (suffix == "_count") point.count = sample.value;
      if (suffix == "_sum") point.sum = sample.value;
    }
  }
}

}  // namespace

// A series that stands twice in one load has the samples of the last line.
Status SeriesLoader::AddLine(std::string_view line) {
  const std::size_t mark = line.find("@st ");
  std::string text(line);
  if (mark != std::string_view::npos) text.erase(mark, 3);
  const Result<promql::SeriesDescription> series = promql::ParseSeriesDescription(text);
  if (!series) return series.error();
  if (mark != std::string_view::npos) {
    starts_ = series->values;
    return {};
  }
  std::vector<FullSample> samples;
  for (std::size_t i = 0; i < series->values.size(); ++i) {
    const SequenceValue& value = series->values[i];
    if (value.kind == SequenceValue::Kind::kOmitted) continue;
    const Timestamp time = start_ + static_cast<std::int64_t>(i) * step_;
    samples.push_back({time, value.value, value.histogram, StartOf(i, time)});
  }
  starts_.clear();
  series_[series->labels] = std::move(samples);
  return {};
}

Timestamp SeriesLoader::StartOf(std::size_t place, Timestamp time) const {
  if (place >= starts_.size() || starts_[place].kind != SequenceValue::Kind::kFloat) {
    return kNoStart;
  }
  return time + Duration(std::llround(starts_[place].value * 1000));
}

void SeriesLoader::AddCustomBuckets() {
  std::map<Labels, std::map<Timestamp, ClassicPoint>> classics;
  for (const auto& [labels, samples] : series_) CollectClassic(labels, samples, classics);
  for (const auto& [labels, points] : classics) {
    const bool has_buckets = std::any_of(points.begin(), points.end(), [](const auto& point) {
      return !point.second.buckets.empty();
    });
    if (!has_buckets) continue;
    for (const auto& [time, point] : points) {
      if (HistogramPtr histogram = ToCustomBuckets(point)) {
        series_[labels].push_back({.time = time, .histogram = std::move(histogram)});
      }
    }
  }
}

Status SeriesFeed::AppendUntil(Timestamp time, storage::Appendable& store) {
  const auto appender = store.NewAppender();
  for (const auto& [labels, samples] : series_) {
    std::size_t& done = done_[labels];
    storage::SeriesRef ref = 0;
    for (; done < samples.size() && samples[done].time <= time; ++done) {
      const auto outcome = appender->AppendFull(ref, labels, samples[done]);
      if (outcome != storage::AppendOutcome::kAccepted) {
        return Invalid("refused by the store: " + labels.ToString());
      }
    }
  }
  return appender->Commit();
}

}  // namespace skep::promqltest
