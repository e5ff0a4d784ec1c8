// What is counted of /v1/events and /v1/beacons themselves, and how it is shown.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/base/clock.h"
#include "exporter/ingest/event_deployments.h"
#include "exporter/ingest/event_parser.h"
#include "exporter/registry/collector.h"

namespace skep::ingest {

// Thread-safe.
struct EventOwnCounts {
  std::array<std::atomic<std::uint64_t>, kRefusalReasons> refused{};
  std::atomic<std::uint64_t> duplicates{0};
  std::atomic<std::uint64_t> unchecked{0};
  std::atomic<std::uint64_t> unwritten{0};  // requests answered with 503
  // Requests that were refused as a whole, by the status of the answer (kRefusedStatuses).
  std::array<std::atomic<std::uint64_t>, 7> refused_requests{};
  std::atomic<std::uint64_t> foreign_origin{0};
  std::atomic<std::uint64_t> beacons_over_rate{0};
  std::atomic<std::int64_t> last_accepted_ms{0};
  // Copies of what the section of ids says, so that pages need no lock of the store.
  std::atomic<std::uint64_t> ids{0};
  std::atomic<std::uint64_t> ids_forgotten{0};

  // Of statuses other than 400, 401, 403, 408, 413, 415 and 429 nothing.
  void CountRefusedRequest(int status);
};

// skep_exporter_event*, skep_exporter_beacons_*, deployment_environment_age_seconds. All outlive
// it.
std::unique_ptr<exporter::Collector> MakeEventCollector(const EventOwnCounts& own,
                                                        const Deployments& deployments,
                                                        const Clock& clock);

}  // namespace skep::ingest
