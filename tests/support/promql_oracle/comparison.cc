#include "tests/support/promql_oracle/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/base/number.h"
#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {
namespace {

using Points = std::map<Timestamp, Quantity>;
using Answer = std::map<std::string, Points>;  // by label set

constexpr double kTolerance = 1e-9;

bool Same(double a, double b, double size = 0) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  return std::fabs(a - b) <= kTolerance * std::max({std::fabs(a), std::fabs(b), size});
}

using Buckets = std::map<int, double>;

double SizeOf(const Native& native) {
  double size = std::fabs(native.zero_count);
  for (const Buckets* side : {&native.positive, &native.negative}) {
    for (const auto& [index, count] : *side) size = std::max(size, std::fabs(count));
  }
  return std::isfinite(size) ? size : 0;
}

bool SameBuckets(Buckets a, Buckets b, double size) {
  for (const auto& [index, count] : a) b.try_emplace(index, 0);
  for (const auto& [index, count] : b) a.try_emplace(index, 0);
  return std::equal(a.begin(), a.end(), b.begin(), [size](const auto& x, const auto& y) {
    return Same(x.second, y.second, size);
  });
}

bool Same(const Native& a, const Native& b) {
  const double size = std::max(SizeOf(a), SizeOf(b));
  return a.schema == b.schema && a.bounds == b.bounds && Same(a.zero_threshold, b.zero_threshold) &&
         Same(a.zero_count, b.zero_count, size) && Same(a.count, b.count, size) &&
         Same(a.sum, b.sum, size) && SameBuckets(a.positive, b.positive, size) &&
         SameBuckets(a.negative, b.negative, size);
}

bool Same(const Quantity& a, const Quantity& b) {
  if ((a.native == nullptr) != (b.native == nullptr)) return false;
  return a.native == nullptr ? Same(a.number, b.number) : Same(*a.native, *b.native);
}

Quantity ToQuantity(const HistogramPtr& histogram) {
  return {0, std::make_shared<const Native>(FromModel(*histogram))};
}

std::string Shown(const Quantity& quantity) {
  return quantity.native == nullptr ? FormatDouble(quantity.number)
                                    : FormatHistogram(ToModel(*quantity.native));
}

// A label set that comes twice gets a name of its own, which the other side does not have.
Points& NewSeries(Answer& answer, const Labels& labels) {
  std::string name = labels.ToString();
  while (answer.contains(name)) name += " once more";
  return answer[name];
}

Answer ToAnswer(const promql::Value& value) {
  Answer answer;
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    answer["scalar"][scalar->time] = {scalar->value, nullptr};
  } else if (const auto* vector = std::get_if<promql::InstantVector>(&value)) {
    for (const promql::VectorSample& element : *vector) {
      NewSeries(answer, element.labels)[element.sample.time] =
          element.histogram == nullptr ? Quantity{element.sample.value, nullptr}
                                       : ToQuantity(element.histogram);
    }
  } else if (const auto* matrix = std::get_if<promql::Matrix>(&value)) {
    for (const promql::MatrixSeries& series : *matrix) {
      Points& points = NewSeries(answer, series.labels);
      for (const Sample& sample : series.samples) points[sample.time] = {sample.value, nullptr};
      for (const HistogramSample& sample : series.histograms) {
        points[sample.time] = ToQuantity(sample.histogram);
      }
    }
  } else {
    answer["string"];
  }
  return answer;
}

std::string At(const std::string& series, Timestamp time) {
  return series + " at " + FormatTimestamp(time) + ": ";
}

std::string OfPoints(const std::string& series, const Points& engine, const Points& oracle) {
  for (const auto& [time, value] : engine) {
    const auto other = oracle.find(time);
    if (other == oracle.end()) {
      return At(series, time) + "the engine has " + Shown(value) + ", the oracle nothing";
    }
    if (Same(value, other->second)) continue;
    return At(series, time) + "the engine has " + Shown(value) + ", the oracle " +
           Shown(other->second);
  }
  for (const auto& [time, value] : oracle) {
    if (engine.contains(time)) continue;
    return At(series, time) + "the oracle has " + Shown(value) + ", the engine nothing";
  }
  return "";
}

}  // namespace

std::string Difference(const promql::Value& engine, const promql::Value& oracle) {
  if (engine.index() != oracle.index()) return "the types differ";
  const Answer ours = ToAnswer(engine);
  const Answer theirs = ToAnswer(oracle);
  for (const auto& [series, points] : ours) {
    const auto other = theirs.find(series);
    if (other == theirs.end()) return "only the engine has " + series;
    std::string difference = OfPoints(series, points, other->second);
    if (!difference.empty()) return difference;
  }
  for (const auto& [series, points] : theirs) {
    if (!ours.contains(series)) return "only the oracle has " + series;
  }
  return "";
}

}  // namespace skep::oracle
