#include "exporter/swarm/words.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "common/base/hash.h"

namespace skep::swarm {
namespace {

using Entry = std::pair<std::string_view, std::string_view>;

constexpr std::size_t kLongestWord = 32;

// Lower case, '_' for '-' and blanks within, no blanks around. Longer texts are no word we know.
std::string Folded(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() > kLongestWord) return {};
  std::string folded(text);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == ' ') c = '_';
  }
  return folded;
}

template <std::size_t N>
std::string_view Look(const std::array<Entry, N>& table, std::string_view text) {
  if (text.empty()) return {};
  const std::string folded = Folded(text);
  for (const Entry& entry : table) {
    if (entry.first == folded) return entry.second;
  }
  return "other";
}

constexpr std::array kAgentStatus = {
    Entry{"idle", "idle"},           Entry{"ready", "idle"},
    Entry{"active", "active"},       Entry{"running", "active"},
    Entry{"working", "active"},      Entry{"busy", "busy"},
    Entry{"starting", "starting"},   Entry{"spawned", "starting"},
    Entry{"spawning", "starting"},   Entry{"initializing", "starting"},
    Entry{"paused", "paused"},       Entry{"waiting", "paused"},
    Entry{"completed", "completed"}, Entry{"done", "completed"},
    Entry{"failed", "failed"},       Entry{"error", "failed"},
    Entry{"crashed", "failed"},      Entry{"terminated", "terminated"},
    Entry{"stopped", "terminated"},  Entry{"offline", "terminated"},
};

constexpr std::array kTaskStatus = {
    Entry{"pending", "pending"},     Entry{"queued", "pending"},
    Entry{"todo", "pending"},        Entry{"created", "pending"},
    Entry{"assigned", "assigned"},   Entry{"in_progress", "in_progress"},
    Entry{"running", "in_progress"}, Entry{"active", "in_progress"},
    Entry{"started", "in_progress"}, Entry{"blocked", "blocked"},
    Entry{"completed", "completed"}, Entry{"complete", "completed"},
    Entry{"done", "completed"},      Entry{"success", "completed"},
    Entry{"succeeded", "completed"}, Entry{"failed", "failed"},
    Entry{"error", "failed"},        Entry{"timeout", "failed"},
    Entry{"cancelled", "cancelled"}, Entry{"canceled", "cancelled"},
    Entry{"aborted", "cancelled"},
};

constexpr std::array kSwarmStatus = {
    Entry{"starting", "starting"},     Entry{"initializing", "starting"},
    Entry{"ready", "starting"},        Entry{"running", "running"},
    Entry{"active", "running"},        Entry{"paused", "paused"},
    Entry{"stopped", "stopped"},       Entry{"completed", "completed"},
    Entry{"failed", "failed"},         Entry{"error", "failed"},
    Entry{"terminated", "terminated"}, Entry{"destroyed", "terminated"},
};

constexpr std::array kTopology = {
    Entry{"hierarchical", "hierarchical"},
    Entry{"hierarchical_mesh", "hybrid"},
    Entry{"mesh", "mesh"},
    Entry{"ring", "ring"},
    Entry{"star", "star"},
    Entry{"centralized", "centralized"},
    Entry{"distributed", "distributed"},
    Entry{"decentralized", "distributed"},
    Entry{"hybrid", "hybrid"},
    Entry{"adaptive", "adaptive"},
    Entry{"pipeline", "pipeline"},
};

constexpr std::array kPriority = {
    Entry{"low", "low"},         Entry{"normal", "normal"}, Entry{"medium", "normal"},
    Entry{"default", "normal"},  Entry{"high", "high"},     Entry{"critical", "critical"},
    Entry{"urgent", "critical"},
};

constexpr std::array kDenial = {
    Entry{"circuit_open", "circuit_open"},
    Entry{"global_concurrency", "global_concurrency"},
    Entry{"hourly_budget", "hourly_budget"},
    Entry{"daily_budget", "daily_budget"},
    Entry{"budget_ledger_error", "budget_ledger_error"},
};

}  // namespace

std::string_view AgentStatusWord(std::string_view text) { return Look(kAgentStatus, text); }
std::string_view TaskStatusWord(std::string_view text) { return Look(kTaskStatus, text); }
std::string_view SwarmStatusWord(std::string_view text) { return Look(kSwarmStatus, text); }
std::string_view TopologyWord(std::string_view text) { return Look(kTopology, text); }
std::string_view PriorityWord(std::string_view text) { return Look(kPriority, text); }

std::string_view DenialWord(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return Look(kDenial, text.substr(0, text.find_first_of(": (")));
}

std::string_view DeferralWord(std::string_view text) {
  if (text.empty()) return {};
  const std::string folded = Folded(text.substr(0, kLongestWord));
  const std::string_view view = folded;
  if (view.starts_with("cpu")) return "cpu";
  if (view.find("memory") != std::string_view::npos) return "memory";
  if (view.find("concurren") != std::string_view::npos) return "concurrency";
  return "other";
}

bool IsFinished(std::string_view task_status) {
  return task_status == "completed" || task_status == "failed" || task_status == "cancelled";
}

bool IsBusy(std::string_view agent_status) {
  return agent_status == "active" || agent_status == "busy";
}

bool IsGone(std::string_view agent_status) {
  return agent_status == "terminated" || agent_status == "completed" || agent_status == "failed";
}

std::uint64_t StableHash(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = Fnv1a(text, kFnv1aBasis ^ seed);
  // FNV alone leaves the last bytes in few bits.
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return hash ^ (hash >> 33);
}

}  // namespace skep::swarm
