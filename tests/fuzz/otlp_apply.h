// Sends bytes as a request of each signal to an endpoint over a store in memory.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "exporter/ingest/otlp.h"
#include "exporter/ingest/otlp_decode.h"

namespace skep::fuzz {

class OtlpTarget {
 public:
  OtlpTarget() {
    store_ = std::move(*state::Store::Open({}, memory_.sections(), clock_, Logger::Silent()));
    otlp_ = std::move(
        *ingest::Otlp::Create({}, {}, memory_, *store_, nullptr, clock_, Logger::Silent()));
  }

  void Send(const net::HttpRequest& request) {
    Check(otlp_->HandleMetrics(request));
    Check(otlp_->HandleLogs(request));
    Check(otlp_->HandleTraces(request));
  }

 private:
  static void Check(const net::HttpResponse& response) {
    if (response.status != 200 && response.status != 400) std::abort();
  }

  SystemClock clock_;
  ingest::OtlpMemory memory_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<ingest::Otlp> otlp_;
};

inline void ApplyOtlp(ingest::OtlpEncoding encoding, std::string_view bytes) {
  static OtlpTarget target;
  net::HttpRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", encoding == ingest::OtlpEncoding::kJson
                                          ? "application/json"
                                          : "application/x-protobuf"}};
  request.body = bytes;
  target.Send(request);
}

}  // namespace skep::fuzz
