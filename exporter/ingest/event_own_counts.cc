#include "exporter/ingest/event_own_counts.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace skep::ingest {
namespace {

constexpr std::string_view kReasonNames[kRefusalReasons] = {"json", "kind", "field", "measure"};
constexpr std::array<int, 7> kRefusedStatuses = {400, 401, 403, 408, 413, 415, 429};

class EventCollector final : public exporter::Collector {
 public:
  EventCollector(const EventOwnCounts& own, const Deployments& deployments, const Clock& clock)
      : own_(own), deployments_(deployments), clock_(clock) {}

  std::string_view name() const override { return "events"; }

  Status Collect(exporter::CollectContext& context) override {
    exposition::PageWriter& page = context.page;
    page.Family("skep_exporter_events_refused_total", "Events refused, by what was wrong.",
                exposition::MetricType::kCounter);
    for (std::size_t i = 0; i < kRefusalReasons; ++i) {
      page.Sample({{"reason", kReasonNames[i]}}, static_cast<double>(own_.refused[i]));
    }
    Counter(page, "skep_exporter_events_duplicate_total",
            "Events whose id was seen within 24 hours: not counted again.", own_.duplicates);
    Counter(page, "skep_exporter_events_too_old_to_check_total",
            "Events with an id that are older than the ids that are remembered: counted, even if "
            "they were before.",
            own_.unchecked);
    Counter(page, "skep_exporter_event_ids_forgotten_early_total",
            "Ids forgotten before their 24 hours, since there were over 1,000,000.",
            own_.ids_forgotten);
    Gauge(page, "skep_exporter_event_ids", "Ids of events that are remembered.",
          static_cast<double>(own_.ids));
    page.Family("skep_exporter_event_requests_refused_total",
                "Requests to /v1/events and /v1/beacons that were refused as a whole, by the HTTP "
                "status of the answer.",
                exposition::MetricType::kCounter);
    for (std::size_t i = 0; i < kRefusedStatuses.size(); ++i) {
      page.Sample({{"code", std::to_string(kRefusedStatuses[i])}},
                  static_cast<double>(own_.refused_requests[i]));
    }
    Counter(page, "skep_exporter_event_requests_unwritten_total",
            "Requests sent away since the state file could not be written.", own_.unwritten);
    Counter(page, "skep_exporter_event_requests_foreign_origin_total",
            "Requests of web pages that may not post.", own_.foreign_origin);
    Counter(page, "skep_exporter_beacons_over_rate_total", "Beacons beyond the rate.",
            own_.beacons_over_rate);
    if (own_.last_accepted_ms > 0) {
      Gauge(page, "skep_exporter_event_last_accepted_timestamp_seconds",
            "When an event was accepted last.", ToSeconds(FromMillis(own_.last_accepted_ms)));
    }
    deployments_.WriteAges(page, clock_.Now());
    return {};
  }

 private:
  static void Counter(exposition::PageWriter& page, std::string_view name, std::string_view help,
                      std::uint64_t value) {
    page.Family(name, help, exposition::MetricType::kCounter);
    page.Sample(static_cast<double>(value));
  }
  static void Gauge(exposition::PageWriter& page, std::string_view name, std::string_view help,
                    double value) {
    page.Family(name, help, exposition::MetricType::kGauge);
    page.Sample(value);
  }

  const EventOwnCounts& own_;
  const Deployments& deployments_;
  const Clock& clock_;
};

}  // namespace

void EventOwnCounts::CountRefusedRequest(int status) {
  const auto place = std::find(kRefusedStatuses.begin(), kRefusedStatuses.end(), status);
  if (place == kRefusedStatuses.end()) return;
  ++refused_requests[static_cast<std::size_t>(place - kRefusedStatuses.begin())];
}

std::unique_ptr<exporter::Collector> MakeEventCollector(const EventOwnCounts& own,
                                                        const Deployments& deployments,
                                                        const Clock& clock) {
  return std::make_unique<EventCollector>(own, deployments, clock);
}

}  // namespace skep::ingest
