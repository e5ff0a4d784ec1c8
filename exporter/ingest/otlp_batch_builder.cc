#include "exporter/ingest/otlp_batch_builder.h"

namespace skep::ingest {

Metric OtlpBatchBuilder::NewMetric() const {
  Metric metric;
  metric.resource = LastResource();
  metric.scope = LastScope();
  return metric;
}

Point OtlpBatchBuilder::NewPoint() const {
  Point point;
  point.metric = static_cast<std::uint32_t>(batch_.metrics.size() - 1);
  return point;
}

LogRecord OtlpBatchBuilder::NewLog() const {
  LogRecord record;
  record.resource = LastResource();
  record.scope = LastScope();
  return record;
}

Span OtlpBatchBuilder::NewSpan() const {
  Span span;
  span.resource = LastResource();
  span.scope = LastScope();
  return span;
}

bool OtlpBatchBuilder::AttributesFit() {
  if (!too_many_attributes_) return true;
  Drop("more than " + std::to_string(limits_.max_attributes) + " attributes");
  return false;
}

void OtlpBatchBuilder::AddPoint(Point point, const HistogramData* histogram) {
  if (!AttributesFit()) return;
  if (histogram != nullptr) {
    if (counts_.size() + negative_counts_.size() > limits_.max_buckets ||
        bounds_.size() > limits_.max_buckets) {
      return Drop("more than " + std::to_string(limits_.max_buckets) + " buckets");
    }
    point.histogram = static_cast<std::uint32_t>(batch_.histograms.size());
    HistogramData& kept = batch_.histograms.emplace_back(*histogram);
    const bool exponential = batch_.metrics[point.metric].kind == MetricKind::kExponentialHistogram;
    (exponential ? kept.positive : kept.counts) = batch_.counts.Keep(counts_);
    kept.negative = batch_.counts.Keep(negative_counts_);
    kept.bounds = batch_.numbers.Keep(bounds_);
  }
  point.attributes = KeepAttributes();
  batch_.points.push_back(point);
  ++items_;
}

void OtlpBatchBuilder::AddLog(LogRecord record) {
  if (!AttributesFit()) return;
  record.attributes = KeepAttributes();
  if (record.event_name.empty()) {
    record.event_name = AttributeText(record.attributes, "event.name");
  }
  batch_.logs.push_back(record);
  ++items_;
}

void OtlpBatchBuilder::AddSpan(Span span) {
  if (!AttributesFit()) return;
  span.attributes = KeepAttributes();
  span.events = batch_.events.Keep(events_);
  batch_.spans.push_back(span);
  ++items_;
}

}  // namespace skep::ingest
