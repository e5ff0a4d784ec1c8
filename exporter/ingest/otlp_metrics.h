// OTLP metrics to the families of the Store: what is new of each stream is added to the series that
// is left when the identifiers are taken off.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/ingest/otlp_consumer.h"
#include "exporter/ingest/otlp_families.h"
#include "exporter/ingest/otlp_labels.h"
#include "exporter/ingest/otlp_model.h"
#include "exporter/ingest/otlp_options.h"
#include "exporter/ingest/otlp_stream_key.h"
#include "exporter/ingest/otlp_streams.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// What became of the items of one request.
enum class ItemResult : std::uint8_t {
  kAccepted,
  kDuplicate,     // was accepted before
  kBaseline,      // first point of a stream that may have been forgotten: counts nothing
  kDroppedLimit,  // over a limit of the configuration
  kFuture,        // its time is more than kMaxAhead after ours
  kUnsupported    // cannot be passed through; the answer says why
};
inline constexpr std::size_t kItemResults = 6;
// A point from further ahead would make its stream drop all that come before that time.
inline constexpr std::chrono::hours kMaxAhead{1};
std::string_view ItemResultName(ItemResult result);

struct ItemCounts {
  std::uint64_t of[kItemResults] = {};
  std::string reason;  // of the first that was refused

  void Count(ItemResult result, std::uint64_t items = 1) {
    of[static_cast<std::size_t>(result)] += items;
  }
  // The first reason is kept, with the metric's name before it.
  void Refuse(ItemResult result, std::string_view metric, std::string_view why);
  std::uint64_t refused() const {
    return of[static_cast<std::size_t>(ItemResult::kDroppedLimit)] +
           of[static_cast<std::size_t>(ItemResult::kFuture)] +
           of[static_cast<std::size_t>(ItemResult::kUnsupported)];
  }
};

// What can be made of a request before the store's lock is taken. Reused.
struct PreparedMetrics {
  struct OfMetric {
    const MetricFamily* family = nullptr;  // null: not passed through
    // Why it cannot be, where that is an error; else "".
    std::string problem;
    ItemResult problem_result = ItemResult::kUnsupported;
  };
  struct OfPoint {
    StreamKey key;
    std::span<const state::LabelView> labels;
  };
  std::vector<OfMetric> metrics;
  std::vector<OfPoint> points;  // as in the batch
};

// Rules, by kind:
//   monotonic sum, delta        its value is added
//   monotonic sum, cumulative   its increase since the stream's last point is added; a new start
//                               time is a new stream, a lower value a reset
//   up-down sum, cumulative     the series is the sum of the streams' last values
//   up-down sum, delta          the series is the sum of what the streams have added up to
//   gauge                       the last value of any stream
//   histogram                   as monotonic sums, bucket by bucket
//   summary                     refused: quantiles of several senders cannot be joined
// An up-down stream that is silent for gauge_expiry no longer counts.
class OtlpMetrics {
 public:
  OtlpMetrics(OtlpFamilies& families, StreamTable& streams)
      : families_(families), streams_(streams) {}

  // Thread-safe. Everything in `prepared` lives until labels.Clear() and as long as the batch.
  void Prepare(const OtlpBatch& batch, const OtlpOptions& options, LabelMaker& labels,
               PreparedMetrics& prepared);

  // Inside Store::Update; hands each new sum and gauge to `consumer`, which may be null. `now`: ms
  // since 1970.
  void Apply(const OtlpBatch& batch, const PreparedMetrics& prepared, const OtlpOptions& options,
             std::int64_t now, state::Changes& changes, OtlpConsumer* consumer, ItemCounts& counts);

  // Inside Store::Update, now and then: up-down streams that are silent leave their sums.
  void Expire(const OtlpOptions& options, std::int64_t now, state::Changes& changes);

 private:
  // One point with all that belongs to it.
  struct Item {
    const Metric& metric;
    const Point& point;
    const HistogramData* histogram;
    const PreparedMetrics::OfMetric& plan;
    const PreparedMetrics::OfPoint& prepared;
  };

  void PrepareMetric(const OtlpBatch& batch, std::size_t index, const Point* first,
                     const OtlpOptions& options, PreparedMetrics& prepared);
  struct Applied {
    ItemResult result = ItemResult::kAccepted;
    bool is_new = false;  // the point tells something, also where it cannot be passed through
  };
  Applied ApplyOne(const Item& item, state::Changes& changes, double& value, std::string& why);
  ItemResult ApplyByKind(const Item& item, state::Changes& changes, double& value,
                         std::string& why);
  bool IsAhead(const Point& point) const;
  ItemResult ApplyGauge(const Item& item, state::Changes& changes);
  ItemResult ApplyDelta(const Item& item, state::Changes& changes);
  ItemResult ApplyCumulative(const Item& item, state::Changes& changes, double& increase);
  ItemResult ApplyUpDown(const Item& item, state::Changes& changes, double& value,
                         std::string& why);
  ItemResult ApplyHistogram(const Item& item, state::Changes& changes, std::string& why);
  ItemResult ApplyCumulativeHistogram(const Item& item, state::Changes& changes);
  void ChangeTarget(const std::string& target, std::optional<double> total,
                    state::Changes& changes);
  void FinishUnit(state::Changes& changes);

  OtlpFamilies& families_;
  StreamTable& streams_;
  // Of the running unit; the store's lock guards them.
  std::int64_t now_ = 0;
  std::vector<std::uint64_t> cumulated_;
  std::vector<std::uint64_t> added_;
};

}  // namespace skep::ingest
