#include "exporter/stores/source_report.h"

#include <sys/stat.h>

namespace skep::stores {

swarm::Agent ToAgent(const AgentRecord& record) {
  return {.id = record.id,
          .type = record.type,
          .status = record.status,
          .task = record.task,
          .health = record.health,
          .confidence = record.confidence,
          .created = record.created};
}

swarm::Task ToTask(const TaskRecord& record) {
  return {.id = record.id,
          .type = record.type,
          .status = record.status,
          .priority = record.priority,
          .progress = record.progress,
          .assigned_to = record.agents,
          .created = record.created,
          .started = record.started,
          .finished = record.completed};
}

swarm::Swarm ToSwarm(const SwarmRecord& record) {
  return {.topology = record.topology, .status = record.status, .max_agents = record.max_agents};
}

std::optional<double> DatabaseBytes(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  auto bytes = static_cast<double>(info.st_size);
  if (::stat((path + "-wal").c_str(), &info) == 0) bytes += static_cast<double>(info.st_size);
  return bytes;
}

}  // namespace skep::stores
