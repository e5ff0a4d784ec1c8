// Answers scrapes: what is wanted, in which form, until when.
#pragma once

#include <atomic>
#include <chrono>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/instrument/instruments.h"
#include "common/net/http_message.h"
#include "exporter/cmd/exporter.h"

namespace skep::exporter {

// When to answer: the header X-Prometheus-Scrape-Timeout-Seconds less `offset_seconds`, where that
// leaves anything, else the whole; without the header 30 s. kInvalid: the header is no positive
// number.
Result<std::chrono::duration<double>> ScrapeBudget(const net::HttpRequest& request,
                                                   double offset_seconds);

// Thread-safe.
class MetricsHandler {
 public:
  // Both must outlive it, and so must `clock`. `max_requests` 0: no bound.
  MetricsHandler(Exporter& exporter, const Clock& clock, int max_requests,
                 double timeout_offset_seconds);

  // 200 with the page; 400 for a bad parameter or header; 503 beyond `max_requests`.
  net::HttpResponse Handle(const net::HttpRequest& request);

 private:
  net::HttpResponse Answer(const net::HttpRequest& request);

  Exporter& exporter_;
  const Clock& clock_;
  const int max_requests_;
  const double offset_seconds_;
  std::atomic<int> running_{0};
  instrument::Gauge in_flight_;
  instrument::Counter ok_;
  instrument::Counter bad_request_;
  instrument::Counter over_limit_;
};

}  // namespace skep::exporter
