// The words that labels of swarms may hold where the set is closed: what the many programs call the
// same thing becomes one word, what is none of them "other". All results are literals.
#pragma once

#include <cstdint>
#include <string_view>

namespace skep::swarm {

// All of these take any case, '-' for '_' and blanks around; "" stays "".

// idle active busy starting paused completed failed terminated, or other. "running" and "working"
// are active, "spawned" is starting, "stopped" and "offline" are terminated.
std::string_view AgentStatusWord(std::string_view text);
// pending assigned in_progress blocked completed failed cancelled, or other. "queued" and "todo"
// are pending, "running" and "active" are in_progress, "done" and "success" are completed.
std::string_view TaskStatusWord(std::string_view text);
// starting running paused stopped completed failed terminated, or other. "active" is running: what
// claude-flow 2 and ruv-swarm call so is what version 3 calls running.
std::string_view SwarmStatusWord(std::string_view text);
// hierarchical mesh ring star centralized distributed hybrid adaptive pipeline, or other.
std::string_view TopologyWord(std::string_view text);
// low normal high critical, or other. "medium" is normal, "urgent" is critical.
std::string_view PriorityWord(std::string_view text);
// circuit_open global_concurrency hourly_budget daily_budget budget_ledger_error, or other: what
// stands before the first ':' or blank of a denial's text.
std::string_view DenialWord(std::string_view text);
// cpu memory concurrency, or other: why a worker was put off.
std::string_view DeferralWord(std::string_view text);
// What came of a call, a run, an attempt.
enum class Outcome : std::uint8_t { kOk, kError };
// Of a flag that a protocol has.
constexpr Outcome OutcomeOf(bool ok) { return ok ? Outcome::kOk : Outcome::kError; }
// ok, error.
constexpr std::string_view OutcomeWord(Outcome outcome) {
  return outcome == Outcome::kOk ? "ok" : "error";
}

// "unknown" for "": where every series has the label.
constexpr std::string_view OrUnknown(std::string_view text) {
  return text.empty() ? std::string_view("unknown") : text;
}

// Of a word of TaskStatusWord: completed, failed, cancelled.
bool IsFinished(std::string_view task_status);
// Of a word of AgentStatusWord: what counts as working.
bool IsBusy(std::string_view agent_status);
// Of a word of AgentStatusWord: terminated, completed, failed: no agent any more.
bool IsGone(std::string_view agent_status);

// A number for an id that stays the same for ever (FNV-1a, mixed): what tables and state files keep
// instead of ids.
std::uint64_t StableHash(std::string_view text, std::uint64_t seed = 0);

}  // namespace skep::swarm
