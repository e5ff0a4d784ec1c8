#include "exporter/swarm/history.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "exporter/swarm/record.h"
#include "exporter/swarm/words.h"

namespace skep::swarm {
namespace {

constexpr std::array<std::string_view, 9> kStatuses = {
    "",          "pending", "assigned",  "in_progress", "blocked",
    "completed", "failed",  "cancelled", "other"};
constexpr std::uint8_t kInProgress = 3;

std::uint8_t StatusNumber(std::string_view word) {
  for (std::size_t i = 0; i < kStatuses.size(); ++i) {
    if (kStatuses[i] == word) return static_cast<std::uint8_t>(i);
  }
  return 0;
}

struct TaskMemory {
  std::uint8_t status = 0;    // index of kStatuses
  std::uint8_t progress = 0;  // percent
  bool started = false;       // its start was counted
  std::uint32_t seen = 0;     // in which snapshot of this process's life
  Timestamp changed{};

  bool SameAs(const TaskMemory& other) const {
    return status == other.status && progress == other.progress && started == other.started;
  }
};

struct AgentMemory {
  bool alive = false;
  std::uint32_t seen = 0;
  std::string type;

  bool SameAs(const AgentMemory& other) const { return alive == other.alive && type == other.type; }
};

struct WorkerMemory {
  double successes = 0;
  double failures = 0;

  bool operator==(const WorkerMemory&) const = default;
};

struct SourceMemory {
  SourceKey key;
  std::optional<Timestamp> tasks_since;  // the first snapshot that knew tasks
  std::optional<Timestamp> agents_since;
  std::unordered_map<std::uint64_t, TaskMemory> tasks;
  std::unordered_map<std::uint64_t, AgentMemory> agents;
  std::map<std::string, WorkerMemory, std::less<>> workers;
  std::optional<double> trips;
  std::optional<std::uint8_t> pause;  // PauseReason
  // Not in the state file:
  std::uint32_t tasks_snapshot = 0;  // number of the last one that knew tasks
  std::uint32_t agents_snapshot = 0;
  std::size_t vanished_tasks = 0;   // that the last one did not have
  std::size_t vanished_agents = 0;  // and that do not live
  std::size_t untracked = 0;
};

// What is written of a source; each behind its tag.
enum Tag : std::uint8_t {
  kTasksSince = 1,
  kAgentsSince = 2,
  kTask = 3,
  kAgent = 4,
  kWorker = 5,
  kTrips = 6,
  kPause = 7,
  kForgotten = 8
};

constexpr std::uint8_t kNoPause = 0xff;

void WriteTask(RecordWriter& out, std::uint64_t id, const TaskMemory& task) {
  out.Byte(kTask).Number(id).Byte(task.status).Byte(task.progress).Byte(task.started ? 1 : 0);
  out.Time(task.changed);
}

void WriteAgent(RecordWriter& out, std::uint64_t id, const AgentMemory& agent) {
  out.Byte(kAgent).Number(id).Byte(agent.alive ? 1 : 0).Text(agent.type);
}

void WriteWorker(RecordWriter& out, std::string_view name, const WorkerMemory& worker) {
  out.Byte(kWorker).Text(name).Real(worker.successes).Real(worker.failures);
}

RecordWriter BeginRecord(const SourceKey& key) {
  RecordWriter out;
  out.Text(key.workspace).Text(key.source);
  return out;
}

double Growth(double before, double now) { return now >= before ? now - before : now; }

}  // namespace

struct History::Impl {
  explicit Impl(HistoryLimits l) : limits(l) {}

  SourceMemory* Find(const SourceKey& key) {
    const auto at = sources.find(key);
    return at == sources.end() ? nullptr : &at->second;
  }
  // How many new entries will fit once MakeRoom was called.
  std::size_t TaskRoom() const;
  std::size_t AgentRoom() const;
  // Of what is full, entries that are in no store any more go.
  void MakeRoom();

  const HistoryLimits limits;
  mutable std::mutex mutex;
  // Guarded by mutex, and changed under the store's lock only: inside Update it may be read
  // without.
  std::map<SourceKey, SourceMemory> sources;
  std::size_t task_count = 0;
  std::size_t agent_count = 0;
};

std::size_t History::Impl::TaskRoom() const {
  std::size_t held = task_count;
  for (const auto& [key, source] : sources) held -= source.vanished_tasks;
  return limits.tasks > held ? limits.tasks - held : 0;
}

std::size_t History::Impl::AgentRoom() const {
  std::size_t held = agent_count;
  for (const auto& [key, source] : sources) held -= source.vanished_agents;
  return limits.agents > held ? limits.agents - held : 0;
}

void History::Impl::MakeRoom() {
  for (auto& keyed : sources) {
    SourceMemory& source = keyed.second;
    task_count -= std::erase_if(source.tasks, [&source](const auto& entry) {
      return entry.second.seen != source.tasks_snapshot;
    });
    agent_count -= std::erase_if(source.agents, [&source](const auto& entry) {
      return entry.second.seen != source.agents_snapshot && !entry.second.alive;
    });
    source.vanished_tasks = 0;
    source.vanished_agents = 0;
  }
}

namespace {

// One snapshot against what is remembered: counts, and collects what to remember.
class Advancer {
 public:
  struct Plan {
    std::vector<std::pair<std::uint64_t, TaskMemory>> tasks;  // all of the snapshot
    std::vector<std::pair<std::uint64_t, AgentMemory>> agents;
    std::vector<std::uint64_t> lost_agents;
    std::map<std::string, WorkerMemory, std::less<>> workers;
    std::optional<double> trips;
    std::optional<std::uint8_t> pause;
    std::optional<Timestamp> tasks_since;
    std::optional<Timestamp> agents_since;
    std::size_t untracked = 0;
  };

  // So many entries that are not there yet will be kept.
  struct Room {
    std::size_t tasks = 0;
    std::size_t agents = 0;
  };

  Advancer(const Snapshot& snapshot, const SourceMemory* before, Room room, const Flow& flow,
           state::Changes& changes, Timestamp now)
      : snapshot_(snapshot),
        before_(before != nullptr ? *before : kNothing),
        room_(room),
        flow_(flow),
        changes_(changes),
        now_(now),
        place_{snapshot.key.workspace, snapshot.key.source},
        record_(BeginRecord(snapshot.key)) {}

  Plan Run() {
    if (snapshot_.tasks) Tasks(*snapshot_.tasks);
    if (snapshot_.agents) Agents(*snapshot_.agents);
    for (const Worker& worker : snapshot_.workers) OneWorker(worker);
    if (snapshot_.router) Trips(*snapshot_.router);
    if (snapshot_.budget) Pause(*snapshot_.budget);
    if (changed_) changes_.Record("swarm_history", record_.bytes());
    return std::move(plan_);
  }

 private:
  static const SourceMemory kNothing;

  RecordWriter& Remember() {
    changed_ = true;
    return record_;
  }

  // Whether the entry will be kept. What is not must not be counted: it would be every time.
  template <typename Entry>
  bool HasPlace(const Entry* before, std::uint32_t last_snapshot, std::size_t& room) {
    if (before != nullptr && before->seen == last_snapshot) return true;
    if (room == 0) {
      ++plan_.untracked;
      return false;
    }
    --room;
    return true;
  }

  void Tasks(const std::vector<Task>& tasks) {
    plan_.tasks_since = before_.tasks_since;
    if (!plan_.tasks_since) {
      plan_.tasks_since = now_;
      Remember().Byte(kTasksSince).Time(now_);
    }
    plan_.tasks.reserve(tasks.size());
    for (const Task& task : tasks) OneTask(task);
  }

  void OneTask(const Task& task) {
    const std::uint64_t id = StableHash(task.id);
    const auto at = before_.tasks.find(id);
    const TaskMemory* before = at == before_.tasks.end() ? nullptr : &at->second;
    if (!HasPlace(before, before_.tasks_snapshot, room_.tasks)) return;
    const std::string_view status = TaskStatusWord(task.status);
    TaskMemory now;
    now.status = StatusNumber(status);
    now.progress = static_cast<std::uint8_t>(std::clamp(task.progress.value_or(0), 0.0, 1.0) * 100);
    now.started = (before != nullptr && before->started) || task.started.has_value() ||
                  now.status == kInProgress;
    if (before_.tasks_since && !IsOld(task, before)) CountTask(task, status, before, now);
    const bool same = before != nullptr && before->SameAs(now);
    now.changed = same ? before->changed : now_;
    if (!same) WriteTask(Remember(), id, now);
    plan_.tasks.emplace_back(id, now);
  }

  // It had ended before we began to look; it came to light later.
  bool IsOld(const Task& task, const TaskMemory* before) const {
    return before == nullptr && task.finished && *task.finished < *before_.tasks_since;
  }

  void CountTask(const Task& task, std::string_view status, const TaskMemory* before,
                 const TaskMemory& now) {
    if (now.started && (before == nullptr || !before->started)) CountStart(task, now);
    if (before != nullptr && before->status == now.status) return;
    // CountStart has told this one.
    if (now.status != kInProgress || (before != nullptr && before->started)) {
      flow_.TaskTransition(changes_, place_, task.type, status);
    }
    if (!IsFinished(status)) return;
    std::optional<double> seconds;
    if (task.started && task.finished && *task.finished >= *task.started) {
      seconds = ToSeconds(*task.finished - *task.started);
    }
    flow_.Record(changes_, place_, TaskEnd{task.type, status, seconds});
  }

  void CountStart(const Task& task, const TaskMemory&) {
    flow_.TaskTransition(changes_, place_, task.type, kStatuses[kInProgress]);
    if (task.created && task.started && *task.started >= *task.created) {
      flow_.TaskQueued(changes_, place_, task.type, ToSeconds(*task.started - *task.created));
    }
  }

  void Agents(const std::vector<Agent>& agents) {
    plan_.agents_since = before_.agents_since;
    if (!plan_.agents_since) {
      plan_.agents_since = now_;
      Remember().Byte(kAgentsSince).Time(now_);
    }
    plan_.agents.reserve(agents.size());
    for (const Agent& agent : agents) OneAgent(agent);
    LostAgents();
  }

  void OneAgent(const Agent& agent) {
    const std::uint64_t id = StableHash(agent.id);
    const auto at = before_.agents.find(id);
    const AgentMemory* before = at == before_.agents.end() ? nullptr : &at->second;
    if (!HasPlace(before, before_.agents_snapshot, room_.agents)) return;
    AgentMemory now;
    now.alive = !IsGone(AgentStatusWord(agent.status));
    now.type = agent.type.substr(0, 128);
    if (before_.agents_since) {
      const bool was_alive = before != nullptr && before->alive;
      // One that comes as gone was there and went between two snapshots.
      if (!was_alive && (now.alive || before == nullptr)) {
        flow_.AgentSpawned(changes_, place_, now.type);
      }
      if (!now.alive && (was_alive || before == nullptr)) {
        flow_.AgentTerminated(changes_, place_, now.type);
      }
    }
    if (before == nullptr || !before->SameAs(now)) WriteAgent(Remember(), id, now);
    plan_.agents.emplace_back(id, std::move(now));
  }

  // Those that lived and are in the store no more.
  void LostAgents() {
    std::size_t living = 0;
    for (const auto& [id, agent] : before_.agents) living += agent.alive ? 1 : 0;
    if (living == 0) return;
    std::vector<std::uint64_t> present;
    present.reserve(plan_.agents.size());
    for (const auto& [id, agent] : plan_.agents) present.push_back(id);
    std::sort(present.begin(), present.end());
    for (const auto& [id, agent] : before_.agents) {
      if (!agent.alive || std::binary_search(present.begin(), present.end(), id)) continue;
      flow_.AgentTerminated(changes_, place_, agent.type);
      plan_.lost_agents.push_back(id);
      AgentMemory gone = agent;
      gone.alive = false;
      WriteAgent(Remember(), id, gone);
    }
  }

  void OneWorker(const Worker& worker) {
    if (!worker.successes && !worker.failures) return;
    const auto at = before_.workers.find(worker.name);
    const WorkerMemory before = at == before_.workers.end() ? WorkerMemory{} : at->second;
    const WorkerMemory now{worker.successes.value_or(before.successes),
                           worker.failures.value_or(before.failures)};
    if (at != before_.workers.end()) {
      CountRuns(worker.name, Outcome::kOk, Growth(before.successes, now.successes));
      CountRuns(worker.name, Outcome::kError, Growth(before.failures, now.failures));
    }
    if (at == before_.workers.end() || !(before == now)) {
      WriteWorker(Remember(), worker.name, now);
      plan_.workers[worker.name] = now;
    }
  }

  void CountRuns(std::string_view worker, Outcome outcome, double times) {
    if (times > 0) flow_.Record(changes_, place_, WorkerRuns{worker, outcome, times});
  }

  void Trips(const Router& router) {
    if (!router.circuit_breaker_trips) return;
    const double now = *router.circuit_breaker_trips;
    const double grown = before_.trips ? Growth(*before_.trips, now) : 0;
    if (grown > 0) flow_.CircuitBreakerTrips(changes_, "model_router", grown);
    if (before_.trips == now) return;
    Remember().Byte(kTrips).Real(now);
    plan_.trips = now;
  }

  void Pause(const AiBudget& budget) {
    if (!budget.pause) return;
    const auto now = static_cast<std::uint8_t>(*budget.pause);
    if (before_.pause == now) return;
    const bool is_paused = *budget.pause != PauseReason::kNone;
    flow_.CircuitBreaker(changes_, "ai_budget",
                         is_paused ? BreakerState::kOpen : BreakerState::kClosed);
    const bool was_known = before_.pause.has_value();
    if (was_known && *budget.pause == PauseReason::kQuota) {
      flow_.CircuitBreakerTrips(changes_, "ai_budget", 1);
    }
    Remember().Byte(kPause).Byte(now);
    plan_.pause = now;
  }

  const Snapshot& snapshot_;
  const SourceMemory& before_;
  Room room_;
  const Flow& flow_;
  state::Changes& changes_;
  const Timestamp now_;
  const Place place_;
  RecordWriter record_;
  bool changed_ = false;
  Plan plan_;
};

const SourceMemory Advancer::kNothing;

// Marks the entry as of the present snapshot.
template <typename Entry>
void Keep(std::unordered_map<std::uint64_t, Entry>& table, std::uint64_t id, Entry entry,
          std::uint32_t snapshot, std::size_t& count) {
  entry.seen = snapshot;
  if (table.insert_or_assign(id, std::move(entry)).second) ++count;
}

bool HasLeft(const TaskMemory& task, std::uint32_t snapshot) { return task.seen != snapshot; }
bool HasLeft(const AgentMemory& agent, std::uint32_t snapshot) {
  return agent.seen != snapshot && !agent.alive;
}

template <typename Entry>
std::size_t CountVanished(const std::unordered_map<std::uint64_t, Entry>& table,
                          std::uint32_t snapshot) {
  std::size_t vanished = 0;
  for (const auto& [id, entry] : table) vanished += HasLeft(entry, snapshot) ? 1 : 0;
  return vanished;
}

void ApplyPlan(Advancer::Plan& plan, SourceMemory& source, std::size_t& task_count,
               std::size_t& agent_count) {
  // A part that is not known now does not make its entries look as if they had left.
  if (plan.tasks_since) {
    source.tasks_since = plan.tasks_since;
    ++source.tasks_snapshot;
  }
  if (plan.agents_since) {
    source.agents_since = plan.agents_since;
    ++source.agents_snapshot;
  }
  for (auto& [id, task] : plan.tasks) {
    Keep(source.tasks, id, task, source.tasks_snapshot, task_count);
  }
  for (auto& [id, agent] : plan.agents) {
    Keep(source.agents, id, std::move(agent), source.agents_snapshot, agent_count);
  }
  for (const std::uint64_t id : plan.lost_agents) source.agents[id].alive = false;
  source.vanished_tasks = CountVanished(source.tasks, source.tasks_snapshot);
  source.vanished_agents = CountVanished(source.agents, source.agents_snapshot);
  source.untracked = plan.untracked;
  for (auto& [name, worker] : plan.workers) source.workers[name] = worker;
  if (plan.trips) source.trips = plan.trips;
  if (plan.pause) source.pause = plan.pause;
}

}  // namespace

History::History(HistoryLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
History::~History() = default;

void History::Advance(const Snapshot& snapshot, const Flow& flow, state::Changes& changes,
                      Timestamp now) {
  const SourceMemory* before = impl_->Find(snapshot.key);
  if (before == nullptr && impl_->sources.size() >= impl_->limits.sources) return;
  const Advancer::Room room{impl_->TaskRoom(), impl_->AgentRoom()};
  auto plan =
      std::make_shared<Advancer::Plan>(Advancer(snapshot, before, room, flow, changes, now).Run());
  changes.OnCommitted([impl = impl_.get(), key = snapshot.key, plan] {
    const std::lock_guard lock(impl->mutex);
    SourceMemory& source = impl->sources[key];
    source.key = key;
    if (impl->task_count + plan->tasks.size() > impl->limits.tasks ||
        impl->agent_count + plan->agents.size() > impl->limits.agents) {
      impl->MakeRoom();
    }
    ApplyPlan(*plan, source, impl->task_count, impl->agent_count);
  });
}

void History::Forget(const SourceKey& key, const Flow& flow, state::Changes& changes) {
  if (impl_->Find(key) == nullptr) return;
  Lost(key, flow, changes);
  changes.Record(name(), BeginRecord(key).Byte(kForgotten).bytes());
  changes.OnCommitted([impl = impl_.get(), key] {
    const std::lock_guard lock(impl->mutex);
    const auto at = impl->sources.find(key);
    if (at == impl->sources.end()) return;
    impl->task_count -= at->second.tasks.size();
    impl->agent_count -= at->second.agents.size();
    impl->sources.erase(at);
  });
}

void History::Lost(const SourceKey& key, const Flow& flow, state::Changes& changes) {
  const SourceMemory* source = impl_->Find(key);
  if (source == nullptr || !source->pause) return;
  flow.CircuitBreakerGone(changes, "ai_budget");
  changes.Record(name(), BeginRecord(key).Byte(kPause).Byte(kNoPause).bytes());
  changes.OnCommitted([this, key] {
    const std::lock_guard lock(impl_->mutex);
    impl_->sources[key].pause.reset();
  });
}

History::Progress History::ProgressOf(const SourceKey& key, Timestamp stalled_before) const {
  const std::lock_guard lock(impl_->mutex);
  Progress progress;
  const SourceMemory* source = impl_->Find(key);
  if (source == nullptr) return progress;
  progress.untracked = source->untracked;
  for (const auto& [id, task] : source->tasks) {
    if (!progress.last || task.changed > *progress.last) progress.last = task.changed;
    const bool present = source->tasks_snapshot != 0 && task.seen == source->tasks_snapshot;
    if (present && task.status == kInProgress && task.changed < stalled_before) {
      ++progress.stalled;
    }
  }
  return progress;
}

namespace {

// What leaves the memory is no record of its own, so a file holds more ids than are kept. All of
// them count until a snapshot tells which are still there; more than so many times the bound are
// none that we wrote.
constexpr std::size_t kRestoredBounds = 10;

// So many ids more may be restored.
struct RestoreRoom {
  std::size_t tasks = 0;
  std::size_t agents = 0;
};

template <typename Entry>
void RestoreEntry(std::unordered_map<std::uint64_t, Entry>& table, std::uint64_t id, Entry entry,
                  std::size_t& room) {
  const auto at = table.find(id);
  if (at != table.end()) {
    at->second = std::move(entry);
  } else if (room > 0) {
    --room;
    table.emplace(id, std::move(entry));
  }
}

// One tagged item. False: it cannot be read.
bool RestoreItem(RecordReader& in, SourceMemory& source, RestoreRoom& room) {
  switch (in.Byte()) {
    case kTasksSince:
      source.tasks_since = in.Time();
      return in.ok();
    case kAgentsSince:
      source.agents_since = in.Time();
      return in.ok();
    case kTask: {
      const std::uint64_t id = in.Number();
      TaskMemory task;
      task.status = in.Byte();
      task.progress = in.Byte();
      task.started = in.Byte() != 0;
      task.changed = in.Time();
      if (!in.ok() || task.status >= kStatuses.size()) return false;
      RestoreEntry(source.tasks, id, task, room.tasks);
      return true;
    }
    case kAgent: {
      const std::uint64_t id = in.Number();
      AgentMemory agent;
      agent.alive = in.Byte() != 0;
      agent.type = in.Text();
      if (in.ok()) RestoreEntry(source.agents, id, std::move(agent), room.agents);
      return in.ok();
    }
    case kWorker: {
      const std::string name(in.Text());
      WorkerMemory worker;
      worker.successes = in.Real();
      worker.failures = in.Real();
      if (in.ok()) source.workers[name] = worker;
      return in.ok();
    }
    case kTrips:
      source.trips = in.Real();
      return in.ok();
    case kPause: {
      const std::uint8_t pause = in.Byte();
      if (pause == kNoPause) {
        source.pause.reset();
      } else {
        source.pause = pause;
      }
      return in.ok();
    }
    case kForgotten: {
      SourceKey key = source.key;
      source = SourceMemory{};
      source.key = std::move(key);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

Status History::Restore(std::string_view record) {
  RecordReader in(record);
  SourceKey key;
  key.workspace = in.Text();
  key.source = in.Text();
  if (!in.ok()) return Corrupt("a record of a source without its name");
  const std::lock_guard lock(impl_->mutex);
  if (impl_->Find(key) == nullptr && impl_->sources.size() >= impl_->limits.sources) {
    return Invalid("more sources than are kept");
  }
  SourceMemory& source = impl_->sources[key];
  source.key = key;
  const std::size_t tasks_before = source.tasks.size();
  const std::size_t agents_before = source.agents.size();
  const auto room_of = [](std::size_t limit, std::size_t held) {
    return limit * kRestoredBounds > held ? limit * kRestoredBounds - held : 0;
  };
  RestoreRoom room{room_of(impl_->limits.tasks, impl_->task_count),
                   room_of(impl_->limits.agents, impl_->agent_count)};
  bool good = true;
  while (good && !in.done()) good = RestoreItem(in, source, room);
  impl_->task_count += source.tasks.size() - tasks_before;
  impl_->agent_count += source.agents.size() - agents_before;
  if (!good) return Corrupt("an item of a source that cannot be read");
  return {};
}

void History::Save(const std::function<void(std::string_view record)>& write) const {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& keyed : impl_->sources) {
    const SourceKey& key = keyed.first;
    const SourceMemory& source = keyed.second;
    RecordWriter out = BeginRecord(key);
    const auto flush = [&, empty = out.bytes().size()](std::size_t above) {
      if (out.bytes().size() <= empty + above) return;
      write(out.bytes());
      out = BeginRecord(key);
    };
    if (source.tasks_since) out.Byte(kTasksSince).Time(*source.tasks_since);
    if (source.agents_since) out.Byte(kAgentsSince).Time(*source.agents_since);
    if (source.trips) out.Byte(kTrips).Real(*source.trips);
    if (source.pause) out.Byte(kPause).Byte(*source.pause);
    for (const auto& [name, worker] : source.workers) {
      WriteWorker(out, name, worker);
      flush(32'000);
    }
    for (const auto& [id, task] : source.tasks) {
      WriteTask(out, id, task);
      flush(32'000);
    }
    for (const auto& [id, agent] : source.agents) {
      WriteAgent(out, id, agent);
      flush(32'000);
    }
    flush(0);
  }
}

}  // namespace skep::swarm
