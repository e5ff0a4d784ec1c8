// Who makes metrics of his own out of OTLP data: what a known sender's metrics, events and spans
// mean (Claude Code) is not the endpoint's knowledge.
#pragma once

#include "exporter/ingest/otlp_model.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// One point that is new: repeats and points that were refused never arrive. Views as in the batch.
struct MetricSample {
  const Resource& resource;
  const Scope& scope;
  const Metric& metric;
  Attributes attributes;  // all of the point, also those that never become labels
  UnixNanos time = 0;
  // Of a monotonic sum: by how much it grew, whichever temporality was sent; of others: the present
  // value.
  double value = 0;
};

// The endpoint calls it inside one Store::Update per request, in the order of the request, under
// the store's lock: no I/O, no waiting. What it adds to `changes` is in the state file together
// with what the endpoint itself has counted, before the client is told. A request that was
// accepted before (the same bytes again) never gets here.
class OtlpConsumer {
 public:
  virtual ~OtlpConsumer() = default;

  // Before all of a request. The one before may have been given up without its end.
  virtual void OnRequestBegin() = 0;
  // Sums and gauges; not histograms and summaries.
  virtual void OnMetric(state::Changes& changes, const MetricSample& sample) = 0;
  virtual void OnLog(state::Changes& changes, const Resource& resource, const Scope& scope,
                     const LogRecord& record) = 0;
  virtual void OnSpan(state::Changes& changes, const Resource& resource, const Scope& scope,
                      const Span& span) = 0;
  // All of the request was handed over: where what several records say together is settled.
  virtual void OnRequestEnd(state::Changes& changes) = 0;
};

}  // namespace skep::ingest
