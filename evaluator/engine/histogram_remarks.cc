#include "evaluator/engine/histogram_remarks.h"

#include "common/base/quote.h"

namespace skep::engine {

std::string HistogramRemarker::WithName(std::string_view text) const {
  std::string out(text);
  if (!name_.empty()) out += " for metric name " + Quote(name_);
  return out;
}

void HistogramRemarker::MixOfFloats() const {
  context_.annotations.Warn(WithName("encountered a mix of histograms and floats"), place_);
}

void HistogramRemarker::MixOfFloatsInAggregation() const {
  context_.annotations.Warn("encountered a mix of histograms and floats for aggregation", place_);
}

void HistogramRemarker::MixOfBuckets() const {
  context_.annotations.Warn(
      WithName("vector contains a mix of histograms with exponential and custom buckets schemas"),
      place_);
}

void HistogramRemarker::MixOfClassic() const {
  context_.annotations.Warn(WithName("vector contains a mix of classic and native histograms"),
                            place_);
}

void HistogramRemarker::NotCounter() const {
  context_.annotations.Warn("this native histogram metric is not a counter: " + Quote(name_),
                            place_);
}

void HistogramRemarker::NotGauge() const {
  context_.annotations.Warn("this native histogram metric is not a gauge: " + Quote(name_), place_);
}

void HistogramRemarker::IgnoredInRange() const {
  context_.annotations.Info(
      WithName("ignored histograms in a range containing both floats and histograms"), place_);
}

void HistogramRemarker::IgnoredInAggregation(std::string_view name) const {
  context_.annotations.Info("ignored histogram in " + std::string(name) + " aggregation", place_);
}

void HistogramRemarker::NaNInQuantile(bool result_is_nan) const {
  context_.annotations.Info(
      WithName(result_is_nan
                   ? "input to histogram_quantile has NaN observations, result is NaN"
                   : "input to histogram_quantile has NaN observations, result is skewed higher"),
      place_);
}

void HistogramRemarker::NaNInFraction() const {
  context_.annotations.Info(
      WithName("input to histogram_fraction has NaN observations, which are excluded from all "
               "fractions"),
      place_);
}

void HistogramRemarker::StartOverlaps() const {
  context_.annotations.Warn(
      "sample has start time that overlaps with previous sample timestamp for metric " +
          Quote(name_),
      place_);
}

void HistogramRemarker::IncompatibleTypes(std::string_view op, std::string_view left,
                                          std::string_view right) const {
  std::string text = "incompatible sample types encountered for binary operator " + Quote(op);
  text.append(": ").append(left).append(" ").append(op).append(" ").append(right);
  context_.annotations.Info(text, place_);
}

void HistogramRemarker::IncompatibleLayouts(std::string_view op) const {
  context_.annotations.Warn(
      "incompatible bucket layout encountered for binary operator " + std::string(op), place_);
}

void HistogramRemarker::Note(const HistogramRemarks& remarks, std::string_view operation) const {
  if (remarks.reset_conflict) {
    context_.annotations.Warn(
        "conflicting counter resets during histogram " + std::string(operation), place_);
  }
  NoteBounds(remarks, operation);
}

void HistogramRemarker::NoteBounds(const HistogramRemarks& remarks,
                                   std::string_view operation) const {
  if (!remarks.bounds_reconciled) return;
  context_.annotations.Info(
      "mismatched custom buckets were reconciled during " + std::string(operation), place_);
}

}  // namespace skep::engine
