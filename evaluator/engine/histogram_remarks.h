// What is said about histograms that do not fit together, in the words of Prometheus.
#pragma once

#include <string>
#include <string_view>

#include "common/model/histogram_math.h"
#include "evaluator/engine/context.h"
#include "evaluator/promql/position.h"

namespace skep::engine {

// Remarks about one series or group at one place of the query. Short-lived: holds references.
class HistogramRemarker {
 public:
  // `metric_name` may be empty: then it is not told, but where the text needs one.
  HistogramRemarker(QueryContext& context, std::string_view metric_name, promql::PosRange place)
      : context_(context), name_(metric_name), place_(place) {}

  void MixOfFloats() const;               // a range with floats and histograms
  void MixOfFloatsInAggregation() const;  // a group with both
  void MixOfBuckets() const;              // exponential and custom ones
  void MixOfClassic() const;              // classic and native ones of one name
  void NotCounter() const;
  void NotGauge() const;
  void IgnoredInRange() const;                             // histograms beside floats
  void IgnoredInAggregation(std::string_view name) const;  // where floats alone count
  void NaNInQuantile(bool result_is_nan) const;            // of observations
  void NaNInFraction() const;
  void StartOverlaps() const;  // a sample began before the one in front of it ended

  // Of a binary operator: "histogram" or "float" on either side.
  void IncompatibleTypes(std::string_view op, std::string_view left, std::string_view right) const;
  void IncompatibleLayouts(std::string_view op) const;

  // `operation`: "addition", "subtraction", "aggregation".
  void Note(const HistogramRemarks& remarks, std::string_view operation) const;
  // Custom bounds alone: where conflicting resets are none of the operation's business.
  void NoteBounds(const HistogramRemarks& remarks, std::string_view operation) const;

  QueryContext& context() const { return context_; }

 private:
  std::string WithName(std::string_view text) const;

  QueryContext& context_;
  std::string_view name_;
  promql::PosRange place_;
};

}  // namespace skep::engine
