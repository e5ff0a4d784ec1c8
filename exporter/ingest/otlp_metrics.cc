#include "exporter/ingest/otlp_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/base/hash.h"
#include "common/protobuf/message.h"
#include "exporter/ingest/otlp_buckets.h"

namespace skep::ingest {
namespace {

using protobuf::Tag;
using protobuf::WireType;

constexpr std::uint64_t kSeed = 0x736b65702d6f746cULL;  // of stream keys; on disk, so for ever
constexpr std::size_t kMaxReason = 300;

// The series of an up-down sum as one string: family, then names and values in turn.
std::string EncodeTarget(const std::string& family, std::span<const state::LabelView> labels) {
  std::string target;
  protobuf::MessageWriter writer(target);
  writer.Bytes(1, family);
  for (const auto& [name, value] : labels) writer.Bytes(2, name).Bytes(3, value);
  return target;
}

bool DecodeTarget(std::string_view target, std::string_view& family,
                  std::vector<state::LabelView>& labels) {
  protobuf::MessageReader reader(target);
  while (reader.Next()) {
    if (reader.tag() == Tag(1, WireType::kBytes)) family = reader.bytes();
    if (reader.tag() == Tag(2, WireType::kBytes)) labels.emplace_back(reader.bytes(), "");
    if (reader.tag() == Tag(3, WireType::kBytes) && !labels.empty()) {
      labels.back().second = reader.bytes();
    }
  }
  return reader.ok();
}

// A cumulative stream begins anew with its start time; others go on.
bool StartIsIdentity(const Metric& metric) {
  return metric.temporality == Temporality::kCumulative &&
         (metric.monotonic || metric.kind == MetricKind::kHistogram ||
          metric.kind == MetricKind::kExponentialHistogram);
}

StreamKey KeyOfMetric(const OtlpBatch& batch, const Metric& metric) {
  const Scope& scope = batch.scopes[metric.scope];
  StreamKey key = HashOf(batch.resources[metric.resource].attributes, kSeed);
  key = Combine(key, HashOf(scope.name, kSeed));
  key = Combine(key, HashOf(scope.version, kSeed));
  key = Combine(key, HashOf(metric.name, kSeed));
  key = Combine(key, HashOf(metric.unit, kSeed));
  const auto shape = static_cast<std::uint64_t>(metric.kind) << 8 |
                     static_cast<std::uint64_t>(metric.temporality) << 1 |
                     static_cast<std::uint64_t>(metric.monotonic);
  return Combine(key, {shape, 0});
}

// True where the interval was added before; else it is noted. Without times nothing can be told.
bool NoteInterval(Stream& stream, const Point& point) {
  stream.time = std::max(stream.time, point.time);
  if (point.time == 0) return false;
  const std::uint64_t interval = MixHash(point.start, point.time) | 1;
  if (std::find(stream.seen.begin(), stream.seen.end(), interval) != stream.seen.end()) {
    return true;
  }
  std::move_backward(stream.seen.begin(), stream.seen.end() - 1, stream.seen.end());
  stream.seen.front() = interval;
  return false;
}

// Not newer than what the stream has told.
bool IsOld(const Stream& stream, const Point& point) {
  return point.time != 0 && stream.time != 0 && point.time <= stream.time;
}

// What is wrong with the point itself; "" where nothing is.
std::string_view ProblemOf(const Metric& metric, const Point& point,
                           const HistogramData* histogram) {
  const bool has_temporality = metric.kind != MetricKind::kGauge;
  if (metric.kind == MetricKind::kNone) return "the metric has no data";
  if (metric.kind == MetricKind::kSummary) {
    return "summaries cannot be added up over senders; send a histogram";
  }
  if (has_temporality && metric.temporality == Temporality::kUnspecified) {
    return "the temporality is not told";
  }
  if (histogram != nullptr) {
    if (!histogram->has_sum) return "the histogram has no sum";
    return std::isfinite(histogram->sum) ? "" : "the sum is not finite";
  }
  if (!point.has_value) return "the point has no value";
  if (metric.kind == MetricKind::kSum && !std::isfinite(point.value)) {
    return "the value is not finite";
  }
  if (metric.kind == MetricKind::kSum && metric.monotonic && point.value < 0) {
    return "the value of a monotonic sum is below 0";
  }
  return "";
}

}  // namespace

std::string_view ItemResultName(ItemResult result) {
  constexpr std::array<std::string_view, kItemResults> kNames = {
      "accepted", "duplicate", "baseline", "dropped_limit", "future", "unsupported"};
  return kNames[static_cast<std::size_t>(result)];
}

void ItemCounts::Refuse(ItemResult result, std::string_view metric, std::string_view why) {
  Count(result);
  if (!reason.empty()) return;
  reason = metric.substr(0, kMaxReason);
  if (!reason.empty()) reason += ": ";
  reason += why.substr(0, kMaxReason);
}

// ---- before the lock ----

void OtlpMetrics::PrepareMetric(const OtlpBatch& batch, std::size_t index, const Point* first,
                                const OtlpOptions& options, PreparedMetrics& prepared) {
  PreparedMetrics::OfMetric& plan = prepared.metrics[index];
  const Metric& metric = batch.metrics[index];
  const bool is_wanted =
      options.pass_through && metric.kind != MetricKind::kNone &&
      metric.kind != MetricKind::kSummary && first != nullptr &&
      std::none_of(options.drop_metrics.begin(), options.drop_metrics.end(),
                   [&](const std::string& one) { return MatchesPattern(one, metric.name); });
  if (!is_wanted) return;
  const HistogramData* const histogram =
      first->histogram == Point::kNoHistogram ? nullptr : &batch.histograms[first->histogram];
  const Result<const MetricFamily*> family = families_.Resolve(metric, histogram);
  if (family) {
    plan.family = *family;
    return;
  }
  plan.problem = family.error().message();
  if (family.error().kind() == ErrorKind::kUnavailable) {
    plan.problem_result = ItemResult::kDroppedLimit;
  }
}

void OtlpMetrics::Prepare(const OtlpBatch& batch, const OtlpOptions& options, LabelMaker& labels,
                          PreparedMetrics& prepared) {
  prepared.metrics.assign(batch.metrics.size(), {});
  prepared.points.clear();
  prepared.points.reserve(batch.points.size());
  StreamKey metric_key;
  std::uint32_t metric_index = UINT32_MAX;
  std::uint32_t resource = UINT32_MAX;
  for (const Point& point : batch.points) {
    const Metric& metric = batch.metrics[point.metric];
    if (point.metric != metric_index) {
      metric_index = point.metric;
      metric_key = KeyOfMetric(batch, metric);
      PrepareMetric(batch, metric_index, &point, options, prepared);
    }
    if (metric.resource != resource) {
      resource = metric.resource;
      labels.SetResource(batch.resources[resource].attributes);
    }
    StreamKey key = Combine(metric_key, HashOf(point.attributes, kSeed));
    if (StartIsIdentity(metric)) key = Combine(key, {point.start, 1});
    const bool has_labels = prepared.metrics[point.metric].family != nullptr;
    prepared.points.push_back(
        {key, has_labels ? labels.Make(point.attributes) : std::span<const state::LabelView>()});
  }
}

// ---- inside the unit ----

void OtlpMetrics::Apply(const OtlpBatch& batch, const PreparedMetrics& prepared,
                        const OtlpOptions& options, std::int64_t now, state::Changes& changes,
                        OtlpConsumer* consumer, ItemCounts& counts) {
  now_ = now;
  streams_.Begin(options.max_streams);
  std::string why;
  for (std::size_t i = 0; i < batch.points.size(); ++i) {
    const Point& point = batch.points[i];
    const Metric& metric = batch.metrics[point.metric];
    const HistogramData* const histogram =
        point.histogram == Point::kNoHistogram ? nullptr : &batch.histograms[point.histogram];
    const Item item{metric, point, histogram, prepared.metrics[point.metric], prepared.points[i]};
    double value = point.value;
    why.clear();
    const auto [result, is_new] = ApplyOne(item, changes, value, why);
    if (why.empty()) {
      counts.Count(result);
    } else {
      counts.Refuse(result, metric.name, why);
    }
    const bool is_number = metric.kind == MetricKind::kGauge || metric.kind == MetricKind::kSum;
    if (consumer != nullptr && is_new && is_number && !point.no_recorded_value) {
      consumer->OnMetric(changes, {batch.resources[metric.resource], batch.scopes[metric.scope],
                                   metric, point.attributes, point.time, value});
    }
  }
  FinishUnit(changes);
}

OtlpMetrics::Applied OtlpMetrics::ApplyOne(const Item& item, state::Changes& changes, double& value,
                                           std::string& why) {
  if (item.point.no_recorded_value) return {ItemResult::kAccepted};
  why = ProblemOf(item.metric, item.point, item.histogram);
  if (!why.empty()) return {ItemResult::kUnsupported};
  if (IsAhead(item.point)) {
    why = "the time is more than an hour ahead of the exporter's clock";
    return {ItemResult::kFuture};
  }
  const std::uint64_t refused = changes.refused_changes();
  const ItemResult result = ApplyByKind(item, changes, value, why);
  const bool is_new = result == ItemResult::kAccepted;
  if (changes.refused_changes() != refused) {
    why = "the value cannot be added: the sum would not be finite, or a count over 2^53";
    return {ItemResult::kUnsupported, is_new};
  }
  if (item.plan.problem.empty() || !is_new) return {result, is_new};
  why = item.plan.problem;
  return {item.plan.problem_result, is_new};
}

ItemResult OtlpMetrics::ApplyByKind(const Item& item, state::Changes& changes, double& value,
                                    std::string& why) {
  if (item.histogram != nullptr) {
    return item.plan.family == nullptr ? ItemResult::kAccepted : ApplyHistogram(item, changes, why);
  }
  if (item.metric.kind == MetricKind::kGauge) return ApplyGauge(item, changes);
  if (!item.metric.monotonic) return ApplyUpDown(item, changes, value, why);
  if (item.metric.temporality == Temporality::kDelta) return ApplyDelta(item, changes);
  return ApplyCumulative(item, changes, value);
}

bool OtlpMetrics::IsAhead(const Point& point) const {
  constexpr UnixNanos kNanosPerMilli = 1'000'000;
  const std::int64_t limit = now_ + std::chrono::milliseconds(kMaxAhead).count();
  return static_cast<std::int64_t>(point.time / kNanosPerMilli) > limit;
}

ItemResult OtlpMetrics::ApplyGauge(const Item& item, state::Changes& changes) {
  Stream& stream = streams_.Touch(item.prepared.key, Stream::Kind::kGauge).stream;
  stream.arrival = now_;
  if (IsOld(stream, item.point)) return ItemResult::kDuplicate;
  stream.time = item.point.time;
  if (item.plan.family != nullptr) {
    changes.Set(item.plan.family->id, item.prepared.labels, item.point.value);
  }
  return ItemResult::kAccepted;
}

ItemResult OtlpMetrics::ApplyDelta(const Item& item, state::Changes& changes) {
  Stream& stream = streams_.Touch(item.prepared.key, Stream::Kind::kDelta).stream;
  stream.arrival = now_;
  if (NoteInterval(stream, item.point)) return ItemResult::kDuplicate;
  if (item.plan.family != nullptr) {
    changes.Add(item.plan.family->id, item.prepared.labels, item.point.value);
  }
  return ItemResult::kAccepted;
}

ItemResult OtlpMetrics::ApplyCumulative(const Item& item, state::Changes& changes,
                                        double& increase) {
  const auto [stream, is_new] = streams_.Touch(item.prepared.key, Stream::Kind::kCumulative);
  stream.arrival = now_;
  if (!is_new && IsOld(stream, item.point)) return ItemResult::kDuplicate;
  const bool is_base = is_new && streams_.MayHaveBeenForgotten(item.prepared.key, item.point.start);
  const double last = is_new || item.point.value < stream.value ? 0 : stream.value;
  increase = item.point.value - last;
  stream.time = item.point.time;
  stream.value = item.point.value;
  if (is_base) return ItemResult::kBaseline;
  if (item.plan.family != nullptr) {
    changes.Add(item.plan.family->id, item.prepared.labels, increase);
  }
  return ItemResult::kAccepted;
}

ItemResult OtlpMetrics::ApplyUpDown(const Item& item, state::Changes& changes, double& value,
                                    std::string& why) {
  const auto [stream, is_new] = streams_.Touch(item.prepared.key, Stream::Kind::kUpDown);
  stream.arrival = now_;
  if (item.metric.temporality == Temporality::kDelta) {
    if (NoteInterval(stream, item.point)) return ItemResult::kDuplicate;
    value += stream.value;
    if (!std::isfinite(value)) {
      why = "what the stream adds up to would not be finite";
      return ItemResult::kUnsupported;
    }
  } else {
    if (!is_new && IsOld(stream, item.point)) return ItemResult::kDuplicate;
    stream.time = item.point.time;
  }
  if (item.plan.family == nullptr) {
    stream.value = value;
    return ItemResult::kAccepted;
  }
  const std::string target = stream.target.empty()
                                 ? EncodeTarget(item.plan.family->name, item.prepared.labels)
                                 : stream.target;
  const std::optional<double> total = streams_.Contribute(stream, target, value);
  if (!total) {
    why = "the sum over the streams would not be finite";
    return ItemResult::kUnsupported;
  }
  ChangeTarget(target, total, changes);
  return ItemResult::kAccepted;
}

ItemResult OtlpMetrics::ApplyHistogram(const Item& item, state::Changes& changes,
                                       std::string& why) {
  const MetricFamily& family = *item.plan.family;
  why = item.metric.kind == MetricKind::kHistogram
            ? CumulateClassic(*item.histogram, family.bounds, cumulated_)
            : CumulateExponential(*item.histogram, family.bounds, cumulated_);
  if (!why.empty()) return ItemResult::kUnsupported;
  if (item.metric.temporality == Temporality::kCumulative) {
    return ApplyCumulativeHistogram(item, changes);
  }
  Stream& stream = streams_.Touch(item.prepared.key, Stream::Kind::kDelta).stream;
  stream.arrival = now_;
  if (NoteInterval(stream, item.point)) return ItemResult::kDuplicate;
  std::vector<std::uint64_t> before(cumulated_.size(), 0);
  AddIncrease(before, cumulated_, added_);
  changes.AddBuckets(family.id, item.prepared.labels, added_, item.histogram->sum);
  return ItemResult::kAccepted;
}

ItemResult OtlpMetrics::ApplyCumulativeHistogram(const Item& item, state::Changes& changes) {
  const MetricFamily& family = *item.plan.family;
  const auto [stream, is_new] =
      streams_.Touch(item.prepared.key, Stream::Kind::kCumulativeHistogram);
  stream.arrival = now_;
  if (!is_new && IsOld(stream, item.point)) return ItemResult::kDuplicate;
  const bool has_other_bounds = !is_new && (stream.bounds_hash != family.bounds_hash ||
                                            stream.counts.size() != cumulated_.size());
  const bool is_base = has_other_bounds || (is_new && streams_.MayHaveBeenForgotten(
                                                          item.prepared.key, item.point.start));
  const bool is_reset = !is_new && !has_other_bounds && stream.counts.back() > cumulated_.back();
  if (is_new || has_other_bounds || is_reset) {
    stream.counts.assign(cumulated_.size(), 0);
    stream.value = 0;
  }
  AddIncrease(stream.counts, cumulated_, added_);
  const double sum = item.histogram->sum - stream.value;
  stream.time = item.point.time;
  stream.value = item.histogram->sum;
  stream.bounds_hash = family.bounds_hash;
  if (is_base) return ItemResult::kBaseline;
  changes.AddBuckets(family.id, item.prepared.labels, added_, sum);
  return ItemResult::kAccepted;
}

void OtlpMetrics::ChangeTarget(const std::string& target, std::optional<double> total,
                               state::Changes& changes) {
  std::string_view name;
  std::vector<state::LabelView> labels;
  if (!DecodeTarget(target, name, labels)) return;
  const MetricFamily* const family = families_.Find(name);
  if (family == nullptr) return;
  if (total) {
    changes.Set(family->id, labels, *total);
  } else {
    changes.Remove(family->id, labels);
  }
}

void OtlpMetrics::Expire(const OtlpOptions& options, std::int64_t now, state::Changes& changes) {
  streams_.Begin(options.max_streams);
  streams_.Expire(now - options.gauge_expiry.count(),
                  [&](const std::string& target, std::optional<double> total) {
                    ChangeTarget(target, total, changes);
                  });
  FinishUnit(changes);
}

void OtlpMetrics::FinishUnit(state::Changes& changes) {
  streams_.Evict([&](const std::string& target, std::optional<double> total) {
    ChangeTarget(target, total, changes);
  });
  const std::string& record = streams_.Record();
  if (record.empty()) return;
  changes.Record(streams_.name(), record);
  changes.OnCommitted([this] { streams_.Commit(); });
}

}  // namespace skep::ingest
