#include "exporter/cmd/metrics_handler.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/number.h"

namespace skep::exporter {
namespace {

constexpr double kBudgetWithoutHeader = 30;
constexpr double kLongestBudget = 3600;

constexpr std::string_view kScrapes = "skep_exporter_scrapes_total";
constexpr std::string_view kScrapesHelp = "Scrapes of the metrics page by HTTP status code.";

std::set<std::string, std::less<>> Names(const net::HttpRequest& request, std::string_view key) {
  std::set<std::string, std::less<>> names;
  for (const std::string_view name : request.ParameterValues(key)) names.emplace(name);
  return names;
}

// Counts a scrape as running for as long as it lives.
class Running {
 public:
  Running(std::atomic<int>& count, const instrument::Gauge& gauge)
      : count_(count), gauge_(gauge), number_(++count) {
    gauge_.Add(1);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    --count_;
    gauge_.Add(-1);
  }

  int number() const { return number_; }

 private:
  std::atomic<int>& count_;
  const instrument::Gauge& gauge_;
  const int number_;
};

}  // namespace

Result<std::chrono::duration<double>> ScrapeBudget(const net::HttpRequest& request,
                                                   double offset_seconds) {
  const std::string_view text = request.Header("X-Prometheus-Scrape-Timeout-Seconds");
  if (text.empty()) return std::chrono::duration<double>(kBudgetWithoutHeader);
  const std::optional<double> timeout = ParseDouble(text);
  if (!timeout || !std::isfinite(*timeout) || *timeout <= 0) {
    return Invalid(
        "header X-Prometheus-Scrape-Timeout-Seconds: expected a positive number, got \"" +
        std::string(text) + "\"");
  }
  const double budget = *timeout > offset_seconds ? *timeout - offset_seconds : *timeout;
  return std::chrono::duration<double>(std::min(budget, kLongestBudget));
}

MetricsHandler::MetricsHandler(Exporter& exporter, const Clock& clock, int max_requests,
                               double timeout_offset_seconds)
    : exporter_(exporter),
      clock_(clock),
      max_requests_(max_requests),
      offset_seconds_(timeout_offset_seconds) {
  instrument::Instruments& instruments = exporter.instruments();
  in_flight_ = instruments.AddGauge("skep_exporter_scrapes_in_flight",
                                    "Scrapes of the metrics page that are running.");
  ok_ = instruments.AddCounter(kScrapes, kScrapesHelp, {{"code", "200"}});
  bad_request_ = instruments.AddCounter(kScrapes, kScrapesHelp, {{"code", "400"}});
  over_limit_ = instruments.AddCounter(kScrapes, kScrapesHelp, {{"code", "503"}});
}

net::HttpResponse MetricsHandler::Handle(const net::HttpRequest& request) {
  const Running running(running_, in_flight_);
  if (max_requests_ != 0 && running.number() > max_requests_) {
    over_limit_.Increment();
    return net::HttpResponse::Text(503, "Limit of concurrent requests reached (" +
                                            std::to_string(max_requests_) +
                                            "), try again later.\n");
  }
  net::HttpResponse response = Answer(request);
  (response.status == 200 ? ok_ : bad_request_).Increment();
  return response;
}

net::HttpResponse MetricsHandler::Answer(const net::HttpRequest& request) {
  const auto budget = ScrapeBudget(request, offset_seconds_);
  if (!budget) return net::HttpResponse::Text(400, budget.error().message() + "\n");
  PageRequest wanted;
  wanted.format = exposition::NegotiateFormat(request.Header("Accept"));
  wanted.escaping = exposition::NegotiateEscaping(request.Header("Accept"));
  wanted.deadline =
      clock_.SteadyNow() + std::chrono::duration_cast<std::chrono::nanoseconds>(*budget);
  wanted.collect = Names(request, "collect[]");
  wanted.exclude = Names(request, "exclude[]");
  if (!wanted.collect.empty() && !wanted.exclude.empty()) {
    return net::HttpResponse::Text(400, "collect[] and exclude[] cannot go together\n");
  }
  Result<std::string> page = exporter_.MakePage(wanted);
  if (!page) return net::HttpResponse::Text(400, page.error().message() + "\n");
  net::HttpResponse response;
  response.content_type = exposition::ContentType(wanted.format, wanted.escaping);
  response.body = std::move(*page);
  return response;
}

}  // namespace skep::exporter
