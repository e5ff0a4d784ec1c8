// Sessions of agents that are told of in several ways at once (metrics, events, spans, hooks,
// transcripts of the same session): remembers what was counted already, so that each thing counts
// once whichever way told it first, and what is going on in each session.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"
#include "exporter/swarm/words.h"

namespace skep::swarm {

struct SessionOptions {
  // A subagent that did not stop within it is taken for gone.
  Duration subagent_ttl{std::chrono::hours(1)};
  // So many calls of one tool in a row with this outcome, by one agent, are a loop; 0: never.
  std::size_t failures_are_loop = 5;
  std::size_t successes_are_loop = 50;

  // Bounds of memory. Of things counted the first give way, of sessions and agents those that were
  // not told of for longest. The state file knows that order as of its last snapshot only.
  std::size_t max_ids = 200'000;      // things counted; about 20 bytes each
  std::size_t max_sessions = 20'000;  // and agents in them; about 150 bytes each
};

// A Section: made before the store. Thread-safe: changed under the store's lock and one of its own.
class Sessions : public state::Section {
 public:
  // What can be told in more than one way.
  enum class Topic : std::uint8_t {
    kRequest,
    kTokens,
    kCost,
    kTool,
    kDecision,
    kSubagent,
    kSubagentTokens,
    kCompaction,
    kEvent,
    kRetries
  };
  enum class Way : std::uint8_t { kEvents = 1, kSpans, kMetrics, kHooks, kTranscripts };

  explicit Sessions(SessionOptions options = {});
  ~Sessions() override;

  void Apply(SessionOptions options);

  // What is asked and told within one Store::Update; it sees what it told itself. Nothing is kept
  // without Finish, or if the unit does not come to be. Times are the exporter's own clock.
  class Unit {
   public:
    Unit(Sessions& sessions, state::Changes& changes, Timestamp now);
    ~Unit();
    Unit(const Unit&) = delete;
    Unit& operator=(const Unit&) = delete;

    // Once, at the end of what is told.
    void Finish();

    // True the first time that the thing with this id is told under `topic`.
    bool IsFirst(std::string_view session, Topic topic, std::string_view id);
    // For what has no id: the way that comes first keeps the topic for the session; true for it.
    bool Claim(std::string_view session, Topic topic, Way way);
    // Whether another way has the topic.
    bool IsTaken(std::string_view session, Topic topic, Way way) const;

    // The type of the agent in the session; "" is not known. `agent` "" is the session itself.
    std::string AgentType(std::string_view session, std::string_view agent) const;
    void NoteAgentType(std::string_view session, std::string_view agent, std::string_view type);

    // A subagent was asked for by a call of a tool; did not come to be; runs. The last returns how
    // long it took where the call is known.
    void AgentWanted(std::string_view session, std::string_view call, std::string_view type);
    void AgentNotWanted(std::string_view session, std::string_view call, std::string_view type);
    std::optional<Duration> AgentStarted(std::string_view session, std::string_view agent,
                                         std::string_view type);
    // It stopped: its type and how long it ran; nothing where its start is not known.
    std::optional<std::pair<std::string, Duration>> AgentStopped(std::string_view session,
                                                                 std::string_view agent);
    // No agent of the session runs any more.
    void SessionEnded(std::string_view session);

    // A call of a tool has ended. True: with it the agent is in a loop (again).
    bool ToolEnded(std::string_view session, std::string_view agent, std::string_view tool,
                   Outcome outcome);

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

  // swarm_subagents_active{agent_type}, and how full the tables are. Types that had a subagent stay
  // with 0. Must not outlive this.
  std::unique_ptr<exporter::Collector> MakeCollector(const Clock& clock);

  std::string_view name() const override { return "agent_sessions"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::swarm
