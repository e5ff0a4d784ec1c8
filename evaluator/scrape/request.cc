#include "evaluator/scrape/request.h"

#include "common/base/number.h"
#include "common/base/quote.h"

namespace skep::scrape {
namespace {

using exposition::Format;

std::string_view MediaType(Protocol protocol) {
  switch (protocol) {
    case Protocol::kPrometheusText004:
      return "text/plain;version=0.0.4";
    case Protocol::kPrometheusText100:
      return "text/plain;version=1.0.0";
    case Protocol::kOpenMetricsText001:
      return "application/openmetrics-text;version=0.0.1";
    case Protocol::kOpenMetricsText100:
      return "application/openmetrics-text;version=1.0.0";
  }
  return {};
}

bool HasEscaping(Protocol protocol) {
  return protocol == Protocol::kPrometheusText100 || protocol == Protocol::kOpenMetricsText100;
}

Format FormatOf(Protocol protocol) {
  const bool text =
      protocol == Protocol::kPrometheusText004 || protocol == Protocol::kPrometheusText100;
  return text ? Format::kText : Format::kOpenMetrics;
}

}  // namespace

std::string AcceptHeader(const JobOptions& job) {
  std::string accept;
  std::size_t weight = job.protocols.size() + 1;
  for (const Protocol protocol : job.protocols) {
    accept += MediaType(protocol);
    if (HasEscaping(protocol)) {
      accept += job.legacy_names ? ";escaping=underscores" : ";escaping=allow-utf-8";
    }
    accept += ";q=0." + std::to_string(weight--) + ",";
  }
  return accept + "*/*;q=0." + std::to_string(weight);
}

net::ClientRequest MakeRequest(const JobOptions& job, const Target& target) {
  net::ClientRequest request;
  request.url = target.url;
  request.timeout = target.timeout;
  request.max_body_bytes =
      job.limits.body_size_bytes == 0 ? kMostBodyBytes : job.limits.body_size_bytes;
  request.accept_compressed = job.enable_compression;
  request.headers = {
      {"Accept", AcceptHeader(job)},
      {"X-Prometheus-Scrape-Timeout-Seconds", FormatDouble(ToSeconds(target.timeout))}};
  return request;
}

Result<Format> PageFormat(const JobOptions& job, const net::ClientResponse& response) {
  if (response.status != 200) {
    return Invalid("server returned HTTP status " + std::to_string(response.status));
  }
  const std::string_view type = response.Header("Content-Type");
  if (const std::optional<Format> format = exposition::FormatOfContentType(type)) return *format;
  if (job.fallback_protocol) return FormatOf(*job.fallback_protocol);
  if (type.empty()) {
    return Invalid(
        "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol "
        "specified for target");
  }
  return Invalid("received unsupported Content-Type " + Quote(type) +
                 " and no fallback_scrape_protocol specified for target");
}

}  // namespace skep::scrape
