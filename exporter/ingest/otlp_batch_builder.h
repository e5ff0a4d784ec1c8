// What the decoders of both encodings share: limits, and where a batch keeps its lists.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporter/ingest/otlp_decode.h"

namespace skep::ingest {

// Collects the parts of one item at a time in memory that is used again, then adds the item to the
// batch. Thread-compatible.
class OtlpBatchBuilder {
 public:
  OtlpBatchBuilder(const DecodeLimits& limits, OtlpBatch& batch) : limits_(limits), batch_(batch) {}

  OtlpBatch& batch() { return batch_; }

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
  Attributes KeepAttributes() { return batch_.attributes.Keep(attributes_); }

  // ---- items: points, records, spans ----
  // False, after counting it: the request has as many as it may.
  bool MayAdd() {
    if (items_ < limits_.max_items) return true;
    Drop("more than " + std::to_string(limits_.max_items) + " in one request");
    return false;
  }
  void Drop(std::string reason) {
    if (batch_.dropped++ == 0) batch_.dropped_reason = std::move(reason);
  }
  // False, after counting it: the item's attributes were too many.
  bool AttributesFit() {
    if (!too_many_attributes_) return true;
    Drop("more than " + std::to_string(limits_.max_attributes) + " attributes");
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

 private:
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
