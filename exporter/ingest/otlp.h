// OTLP over HTTP: /v1/metrics, /v1/logs, /v1/traces, as the OTLP specification has them. Metrics
// are passed through under Prometheus's names; all three are handed to a consumer that knows what
// they mean.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/net/http_message.h"
#include "exporter/ingest/access.h"
#include "exporter/ingest/otlp_consumer.h"
#include "exporter/ingest/otlp_options.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// What OTLP keeps beside the metrics: the last value of each stream, the bounds of histograms,
// digests of requests. Made before the Store, given to Store::Open, and outlives both.
class OtlpMemory {
 public:
  OtlpMemory();
  ~OtlpMemory();
  OtlpMemory(const OtlpMemory&) = delete;
  OtlpMemory& operator=(const OtlpMemory&) = delete;

  std::vector<state::Section*> sections();

 private:
  friend class Otlp;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Thread-safe. No threads of its own.
class Otlp {
 public:
  // Defines its families. All but the options must outlive it; `consumer` may be null.
  static Result<std::unique_ptr<Otlp>> Create(OtlpOptions options, AccessOptions access,
                                              OtlpMemory& memory, state::Store& store,
                                              OtlpConsumer* consumer, const Clock& clock,
                                              Logger log);
  ~Otlp();

  // Waits for requests at work; those that come meanwhile wait behind it.
  void Apply(OtlpOptions options, AccessOptions access);

  // POST. Answers in the client's encoding: 200 with Export...ServiceResponse, whose
  // partial_success says how many points, records or spans were refused and why; else a Status
  // message with 400 (broken), 401, 413, 429 (max_concurrent at work), 503 (the state file cannot
  // be written; nothing has counted) with Retry-After. 415 for other content types, 404 while it is
  // off, as text.
  net::HttpResponse HandleMetrics(const net::HttpRequest& request);
  net::HttpResponse HandleLogs(const net::HttpRequest& request);
  net::HttpResponse HandleTraces(const net::HttpRequest& request);

  // For the server: the body of a request to one of the three could not be read (broken gzip or
  // chunks, too late, too large). Counted as theirs; the answer has the status of `plain` in the
  // client's encoding.
  net::HttpResponse AnswerUnreadable(const net::HttpRequest& request, net::HttpResponse plain);

  // For the server: `peer` has begun to speak HTTP/2, as OTLP over gRPC does. Counted, and logged
  // with what to set instead.
  void NoteHttp2(std::string_view peer);

  // swarm_otlp_streams and what is kept in the Store only at scrapes: silent up-down streams,
  // counts of refused requests. Must not outlive this.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Impl;
  explicit Otlp(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::ingest
