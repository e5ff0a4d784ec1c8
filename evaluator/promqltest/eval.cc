#include "evaluator/promqltest/eval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/model/histogram_math.h"

namespace skep::promqltest {
namespace {

using promql::SequenceValue;

bool NearlyEqual(double expected, double got) {
  constexpr double kTolerance = 1e-6;
  constexpr double kSmallest = std::numeric_limits<double>::min();
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (expected == got) return true;
  const double sum = std::fabs(expected) + std::fabs(got);
  const double difference = std::fabs(expected - got);
  if (expected == 0 || got == 0 || sum < kSmallest) return difference < kTolerance * kSmallest;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

// A float or a histogram.
struct Point {
  double value = 0;
  HistogramPtr histogram = nullptr;
  bool has_reset_hint = false;  // of an expected histogram: it counts
};

Point PointOf(const SequenceValue& value) {
  return {value.value, value.histogram, value.has_reset_hint};
}

std::string Show(const Point& point) {
  if (point.histogram == nullptr) return FormatDouble(point.value);
  constexpr std::string_view kHints[] = {"", "reset", "not_reset", "gauge"};
  const Histogram& h = *point.histogram;
  std::string out = "schema " + std::to_string(h.schema) + " zero " +
                    FormatDouble(h.zero_threshold) + " " + FormatHistogram(h) + " bounds";
  for (const double bound : h.custom_bounds()) out += " " + FormatDouble(bound);
  out += " ";
  return out.append(kHints[static_cast<std::size_t>(h.reset_hint)]);
}

std::string Show(const promql::SeriesDescription& series) {
  std::string out = series.labels.ToString();
  for (const SequenceValue& value : series.values) {
    out += value.kind == SequenceValue::Kind::kOmitted ? " _" : " " + Show(PointOf(value));
  }
  return out;
}

using Points = std::map<Timestamp, Point>;

std::string Show(const Points& points) {
  std::string out;
  for (const auto& [time, point] : points) out += " " + Show(point);
  return out;
}

bool NearlyEqual(const BucketRuns& expected, const BucketRuns& got) {
  return expected.spans == got.spans &&
         std::equal(expected.counts.begin(), expected.counts.end(), got.counts.begin(),
                    [](double a, double b) { return NearlyEqual(a, b); });
}

bool NearlyEqual(Histogram expected, Histogram got) {
  Compact(expected);
  Compact(got);
  const auto a = expected.custom_bounds();
  const auto b = got.custom_bounds();
  return expected.schema == got.schema && std::equal(a.begin(), a.end(), b.begin(), b.end()) &&
         NearlyEqual(expected.count, got.count) && NearlyEqual(expected.sum, got.sum) &&
         NearlyEqual(expected.zero_count, got.zero_count) &&
         expected.zero_threshold == got.zero_threshold &&
         NearlyEqual(expected.positive, got.positive) &&
         NearlyEqual(expected.negative, got.negative);
}

bool Matches(const Point& expected, const Point& got) {
  if (expected.histogram == nullptr || got.histogram == nullptr) {
    return expected.histogram == got.histogram && NearlyEqual(expected.value, got.value);
  }
  if (expected.has_reset_hint && expected.histogram->reset_hint != got.histogram->reset_hint) {
    return false;
  }
  return NearlyEqual(*expected.histogram, *got.histogram);
}

std::string ComparePoints(const std::string& name, const Points& expected, const Points& got) {
  for (const auto& [time, value] : expected) {
    const auto at = got.find(time);
    const std::string place = name + " at " + FormatDuration(time.time_since_epoch());
    if (at == got.end()) return place + ": expected " + Show(value) + ", got nothing";
    if (!Matches(value, at->second)) {
      return place + ": expected " + Show(value) + ", got " + Show(at->second);
    }
  }
  for (const auto& [time, value] : got) {
    if (!expected.contains(time)) {
      return name + " at " + FormatDuration(time.time_since_epoch()) + ": unexpected " +
             Show(value);
    }
  }
  return {};
}

std::string CompareSeries(const std::map<Labels, Points>& expected,
                          const std::map<Labels, Points>& got) {
  for (const auto& [labels, points] : expected) {
    const auto at = got.find(labels);
    if (at == got.end()) return "missing series " + labels.ToString() + ": expected" + Show(points);
    std::string wrong = ComparePoints(labels.ToString(), points, at->second);
    if (!wrong.empty()) return wrong;
  }
  for (const auto& [labels, points] : got) {
    if (!expected.contains(labels)) {
      return "unexpected series " + labels.ToString() + ": got" + Show(points);
    }
  }
  return {};
}

std::map<Labels, Points> ExpectedPoints(const Eval& eval, const engine::QueryOptions& when) {
  std::map<Labels, Points> expected;
  for (const promql::SeriesDescription& series : eval.series) {
    Points points;
    Timestamp time = when.start;
    for (const SequenceValue& value : series.values) {
      if (value.kind != SequenceValue::Kind::kOmitted) points.emplace(time, PointOf(value));
      time += when.step;
    }
    if (!points.empty()) expected.emplace(series.labels, std::move(points));
  }
  return expected;
}

std::map<Labels, Points> PointsOf(const promql::Matrix& matrix) {
  std::map<Labels, Points> points;
  for (const promql::MatrixSeries& series : matrix) {
    for (const Sample& sample : series.samples) {
      points[series.labels].emplace(sample.time, Point{sample.value, nullptr});
    }
    for (const HistogramSample& sample : series.histograms) {
      points[series.labels].emplace(sample.time, Point{0, sample.histogram});
    }
  }
  return points;
}

std::string CompareOrder(const Eval& eval, const promql::InstantVector& vector) {
  for (std::size_t i = 0; i < std::min(vector.size(), eval.series.size()); ++i) {
    if (vector[i].labels != eval.series[i].labels) {
      return "at place " + std::to_string(i + 1) + ": expected " + Show(eval.series[i]) + ", got " +
             vector[i].labels.ToString();
    }
  }
  return {};
}

std::string CompareVector(const Eval& eval, const promql::InstantVector& vector, bool ordered) {
  std::map<Labels, Points> got;
  for (const promql::VectorSample& sample : vector) {
    const Point point{sample.sample.value, sample.histogram};
    if (!got.emplace(sample.labels, Points{{eval.when.start, point}}).second) {
      return "twice in the result: " + sample.labels.ToString();
    }
  }
  std::string wrong = CompareSeries(ExpectedPoints(eval, eval.when), got);
  return wrong.empty() && ordered ? CompareOrder(eval, vector) : wrong;
}

std::string CompareScalar(const Eval& eval, double got) {
  if (!eval.scalar) return "unexpected scalar " + FormatDouble(got);
  if (NearlyEqual(*eval.scalar, got)) return {};
  return "expected " + FormatDouble(*eval.scalar) + ", got " + FormatDouble(got);
}

}  // namespace

std::string Compare(const Eval& eval, const promql::Value& value) {
  if (const auto* text = std::get_if<promql::StringValue>(&value)) {
    if (!eval.text) return "unexpected string " + Quote(text->text);
    return text->text == *eval.text ? "" : "got string " + Quote(text->text);
  }
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    return CompareScalar(eval, scalar->value);
  }
  if (const auto* vector = std::get_if<promql::InstantVector>(&value)) {
    if (eval.scalar) return "expected a scalar, got a vector";
    return CompareVector(eval, *vector, eval.ordered);
  }
  const auto& matrix = std::get<promql::Matrix>(value);
  if (eval.instant() && !eval.range_vector) return "unexpected range vector";
  for (std::size_t i = 1; i < matrix.size() && !eval.range_vector; ++i) {
    if (!(matrix[i - 1].labels < matrix[i].labels)) return "range answer is not in order";
  }
  return CompareSeries(ExpectedPoints(eval, eval.range_vector.value_or(eval.when)),
                       PointsOf(matrix));
}

promql::Value At(const promql::Matrix& matrix, Timestamp time, promql::ValueType type) {
  promql::InstantVector vector;
  for (const promql::MatrixSeries& series : matrix) {
    for (const Sample& sample : series.samples) {
      if (sample.time != time) continue;
      if (type == promql::ValueType::kScalar) return promql::Scalar{time, sample.value};
      vector.push_back({series.labels, sample});
    }
    for (const HistogramSample& sample : series.histograms) {
      if (sample.time == time) vector.push_back({series.labels, {time, 0}, sample.histogram});
    }
  }
  return vector;
}

}  // namespace skep::promqltest
