// What one source of a workspace told in one round.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/stores/claude_flow_json.h"
#include "exporter/stores/database_file.h"
#include "exporter/stores/reading.h"
#include "exporter/stores/store_file.h"
#include "exporter/swarm/snapshot.h"

namespace skep::stores {

// A store of the source that could not be read.
struct PartFailure {
  std::string_view part;  // a literal: "agents"
  ReadFailure failure = ReadFailure::kIo;
  bool is_shown = false;  // its last good value is in the snapshot
};

struct SourceReport {
  swarm::Snapshot snapshot;
  std::vector<PartFailure> failures;
  bool present = false;      // there is something of this source in the workspace
  std::size_t readable = 0;  // parts that have a value

  // Whether something that exists is neither readable nor shown from before. What its owner has
  // encrypted is meant to be unreadable: it is counted, but nothing is broken.
  bool IsComplete() const {
    for (const PartFailure& failure : failures) {
      const bool is_meant =
          failure.failure == ReadFailure::kMissing || failure.failure == ReadFailure::kEncrypted;
      if (!failure.is_shown && !is_meant) return false;
    }
    return true;
  }
};

// A component of claude-flow's HealthCheckManager as it looks from outside.
struct ComponentCheck {
  std::string_view component;  // a literal: "taskEngine"
  bool up = false;
  std::string_view reason = {};  // a literal; "" when up
  double seconds = 0;            // what the check took
};

// Refreshes one part of a source and notes in `report` how it went. Items of a store that were
// refused are a kSchema of a part that is shown, told once.
template <typename T>
void TakePart(StoreFile<T>& file, const Round& round, SourceReport& report) {
  const bool existed = file.exists();
  const std::uint64_t generation = file.generation();
  std::optional<ReadFailure> failure = file.Refresh(round);
  const T* value = file.value(round);
  report.present |= file.exists() || existed;
  report.readable += value == nullptr ? 0 : 1;
  if constexpr (requires(const T& records) { records.refused; }) {
    const bool is_new = file.generation() != generation;
    if (!failure && is_new && value != nullptr && value->refused > 0) {
      report.failures.push_back(
          {.part = file.part(), .failure = ReadFailure::kSchema, .is_shown = true});
    }
  }
  if (!failure) return;
  report.failures.push_back(
      {.part = file.part(), .failure = *failure, .is_shown = value != nullptr});
}

template <typename T>
void TakePart(DatabaseFile<T>& file, const Round& round, const DatabaseOptions& options,
              SourceReport& report) {
  const bool existed = file.exists();
  std::optional<ReadFailure> failure = file.Refresh(round, options);
  report.present |= file.exists() || existed;
  report.readable += file.value(round) == nullptr ? 0 : 1;
  if (!failure) return;
  report.failures.push_back(
      {.part = file.part(), .failure = *failure, .is_shown = file.value(round) != nullptr});
}

// As exporter/swarm has them.
swarm::Agent ToAgent(const AgentRecord& record);
swarm::Task ToTask(const TaskRecord& record);
swarm::Swarm ToSwarm(const SwarmRecord& record);

// Database and write-ahead log together; nothing where there is no database.
std::optional<double> DatabaseBytes(const std::string& path);

}  // namespace skep::stores
