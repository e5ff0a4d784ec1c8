#include "tests/support/promql_oracle/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/base/number.h"

namespace skep::oracle {
namespace {

using Points = std::map<Timestamp, double>;
using Answer = std::map<std::string, Points>;  // by label set

bool Same(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  if (!std::isfinite(a) || !std::isfinite(b)) return false;
  return std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b));
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
    answer["scalar"][scalar->time] = scalar->value;
  } else if (const auto* vector = std::get_if<promql::InstantVector>(&value)) {
    for (const promql::VectorSample& element : *vector) {
      NewSeries(answer, element.labels)[element.sample.time] = element.sample.value;
    }
  } else if (const auto* matrix = std::get_if<promql::Matrix>(&value)) {
    for (const promql::MatrixSeries& series : *matrix) {
      Points& points = NewSeries(answer, series.labels);
      for (const Sample& sample : series.samples) points[sample.time] = sample.value;
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
      return At(series, time) + "the engine has " + FormatDouble(value) + ", the oracle nothing";
    }
    if (Same(value, other->second)) continue;
    return At(series, time) + "the engine has " + FormatDouble(value) + ", the oracle " +
           FormatDouble(other->second);
  }
  for (const auto& [time, value] : oracle) {
    if (engine.contains(time)) continue;
    return At(series, time) + "the oracle has " + FormatDouble(value) + ", the engine nothing";
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
