// What the decoders of both encodings share: limits, how items belong to each other, and where a
// batch keeps its lists.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/ingest/otlp_decode.h"

namespace skep::ingest {

// Collects the parts of one item at a time in memory that is used again, then adds the item to the
// batch. Thread-compatible.
class OtlpBatchBuilder {
 public:
  OtlpBatchBuilder(const DecodeLimits& limits, OtlpBatch& batch) : limits_(limits), batch_(batch) {}

  // ---- attributes, of one owner at a time ----
  void BeginAttributes() {
    attributes_.clear();
    too_many_attributes_ = false;
  }
  void AddAttribute(std::string_view key, const AttributeValue& value) {
    if (attributes_.size() == limits_.max_attributes) {
      too_many_attributes_ = true;
    } else {
      attributes_.push_back({key, value});
    }
  }

  // ---- what items belong to; with the attributes collected since BeginAttributes ----
  void AddResource() { batch_.resources.push_back({KeepAttributes()}); }
  // Of the last resource.
  void AddScope(std::string_view name, std::string_view version) {
    batch_.scopes.push_back({name, version, KeepAttributes()});
  }

  // ---- items: points of metrics, records, spans ----
  // Empty ones of the last resource and scope; points of the last metric.
  Metric NewMetric() const;
  Point NewPoint() const;
  LogRecord NewLog() const;
  Span NewSpan() const;
  // The points that follow are its own. A metric without points stays in the batch.
  void AddMetric(const Metric& metric) { batch_.metrics.push_back(metric); }
  // Requires: there is one.
  Metric& last_metric() { return batch_.metrics.back(); }
  // False, after counting it: the request has as many as it may.
  bool MayAdd() {
    if (items_ < limits_.max_items) return true;
    Drop("more than " + std::to_string(limits_.max_items) + " in one request");
    return false;
  }

  // With the attributes and buckets collected since BeginAttributes and BeginHistogram.
  void AddPoint(Point point, const HistogramData* histogram);
  void AddLog(LogRecord record);
  void AddSpan(Span span);

  // ---- buckets of one point ----
  std::vector<std::uint64_t>& counts() { return counts_; }
  std::vector<std::uint64_t>& negative_counts() { return negative_counts_; }
  std::vector<double>& bounds() { return bounds_; }
  void BeginHistogram() {
    counts_.clear();
    negative_counts_.clear();
    bounds_.clear();
  }

  // ---- events of one span, each with attributes of its own before the span's ----
  void BeginEvents() { events_.clear(); }
  void AddEvent(SpanEvent event) {
    event.attributes = KeepAttributes();
    events_.push_back(event);
  }

  // A copy that lives as long as the batch.
  std::string_view KeepText(std::span<const char> text) {
    const std::span<const char> kept = batch_.text.Keep(text);
    return {kept.data(), kept.size()};
  }

 private:
  void Drop(std::string reason) {
    if (batch_.dropped++ == 0) batch_.dropped_reason = std::move(reason);
  }
  // False, after counting it: the item's attributes were too many.
  bool AttributesFit();
  Attributes KeepAttributes() { return batch_.attributes.Keep(attributes_); }
  std::uint32_t LastResource() const {
    return static_cast<std::uint32_t>(batch_.resources.size() - 1);
  }
  std::uint32_t LastScope() const { return static_cast<std::uint32_t>(batch_.scopes.size() - 1); }

  const DecodeLimits& limits_;
  OtlpBatch& batch_;
  std::size_t items_ = 0;
  bool too_many_attributes_ = false;
  std::vector<Attribute> attributes_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::uint64_t> negative_counts_;
  std::vector<double> bounds_;
  std::vector<SpanEvent> events_;
};

}  // namespace skep::ingest
