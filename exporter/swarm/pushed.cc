#include "exporter/swarm/pushed.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "exporter/swarm/record.h"
#include "exporter/swarm/unit_table.h"
#include "exporter/swarm/words.h"

namespace skep::swarm {
namespace {

constexpr std::size_t kMaxId = 256;
constexpr std::size_t kMaxType = 128;
constexpr std::size_t kMaxOthers = 16;
// Of those that are past their time, so many go with one unit: a long pause costs no long lock.
constexpr std::size_t kMaxExpired = 1'000;

struct AgentEntry {
  SourceKey key;
  Agent agent;  // last_seen is the time of the last report
};

struct TaskEntry {
  SourceKey key;
  Task task;  // status is a word; changed is always there
  Timestamp reported{};
};

enum Tag : std::uint8_t { kAgentTag = 1, kTaskTag = 2, kAgentGone = 3, kTaskGone = 4 };

std::uint64_t KeyOf(Place place, std::string_view id) {
  return StableHash(id.substr(0, kMaxId), StableHash(place.source, StableHash(place.workspace)));
}

void Take(std::string& out, std::string_view told, std::size_t limit) {
  if (!told.empty()) out = told.substr(0, limit);
}

template <typename T>
void Take(std::optional<T>& out, const std::optional<T>& told) {
  if (told) out = told;
}

void Take(std::vector<std::string>& out, std::span<const std::string_view> told) {
  if (told.empty()) return;
  out.clear();
  for (const std::string_view id : told.first(std::min(told.size(), kMaxOthers))) {
    out.emplace_back(id.substr(0, kMaxId));
  }
}

void WriteTexts(RecordWriter& out, const std::vector<std::string>& texts) {
  out.Byte(static_cast<std::uint8_t>(texts.size()));
  for (const std::string& text : texts) out.Text(text);
}

std::vector<std::string> ReadTexts(RecordReader& in) {
  std::vector<std::string> texts;
  for (std::size_t left = in.Byte(); left > 0 && in.ok(); --left) texts.emplace_back(in.Text());
  return texts;
}

void WriteReal(RecordWriter& out, const std::optional<double>& value) {
  out.Byte(value ? 1 : 0).Real(value.value_or(0));
}

std::optional<double> ReadReal(RecordReader& in) {
  const bool is_there = in.Byte() != 0;
  const double value = in.Real();
  return is_there ? std::optional(value) : std::nullopt;
}

void WriteTime(RecordWriter& out, const std::optional<Timestamp>& time) {
  out.Time(time.value_or(kMinTimestamp));
}

std::optional<Timestamp> ReadTime(RecordReader& in) {
  const Timestamp time = in.Time();
  return time == kMinTimestamp ? std::nullopt : std::optional(time);
}

std::string Encode(const AgentEntry& entry) {
  RecordWriter out;
  out.Byte(kAgentTag).Text(entry.key.workspace).Text(entry.key.source);
  const Agent& agent = entry.agent;
  out.Text(agent.id).Text(agent.type).Text(agent.status).Text(agent.task);
  WriteReal(out, agent.health);
  WriteReal(out, agent.confidence);
  WriteReal(out, agent.quality);
  WriteTime(out, agent.created);
  WriteTime(out, agent.last_seen);
  WriteTexts(out, agent.waits_for);
  return out.bytes();
}

AgentEntry DecodeAgent(RecordReader& in) {
  AgentEntry entry;
  entry.key.workspace = in.Text();
  entry.key.source = in.Text();
  Agent& agent = entry.agent;
  agent.id = in.Text();
  agent.type = in.Text();
  agent.status = in.Text();
  agent.task = in.Text();
  agent.health = ReadReal(in);
  agent.confidence = ReadReal(in);
  agent.quality = ReadReal(in);
  agent.created = ReadTime(in);
  agent.last_seen = ReadTime(in);
  agent.waits_for = ReadTexts(in);
  return entry;
}

std::string Encode(const TaskEntry& entry) {
  RecordWriter out;
  out.Byte(kTaskTag).Text(entry.key.workspace).Text(entry.key.source);
  const Task& task = entry.task;
  out.Text(task.id).Text(task.type).Text(task.status).Text(task.priority);
  WriteReal(out, task.progress);
  WriteTime(out, task.created);
  WriteTime(out, task.started);
  WriteTime(out, task.finished);
  WriteTime(out, task.changed);
  out.Time(entry.reported);
  WriteTexts(out, task.assigned_to);
  WriteTexts(out, task.depends_on);
  return out.bytes();
}

TaskEntry DecodeTask(RecordReader& in) {
  TaskEntry entry;
  entry.key.workspace = in.Text();
  entry.key.source = in.Text();
  Task& task = entry.task;
  task.id = in.Text();
  task.type = in.Text();
  task.status = in.Text();
  task.priority = in.Text();
  task.progress = ReadReal(in);
  task.created = ReadTime(in);
  task.started = ReadTime(in);
  task.finished = ReadTime(in);
  task.changed = ReadTime(in);
  entry.reported = in.Time();
  task.assigned_to = ReadTexts(in);
  task.depends_on = ReadTexts(in);
  return entry;
}

Timestamp ReportTime(const AgentEntry& entry) {
  return entry.agent.last_seen.value_or(Timestamp{});
}
Timestamp ReportTime(const TaskEntry& entry) { return entry.reported; }

bool IsAlive(const AgentEntry& entry) { return !IsGone(AgentStatusWord(entry.agent.status)); }

Place PlaceOf(const SourceKey& key) { return {key.workspace, key.source}; }

}  // namespace

struct PushedSwarm::Impl {
  explicit Impl(PushedLimits l) : limits(l), agents(l.agents), tasks(l.tasks) {}

  const PushedLimits limits;
  mutable std::mutex mutex;
  // Guarded by mutex, and changed under the store's lock only: inside Update they may be read
  // without.
  UnitTable<AgentEntry> agents;
  UnitTable<TaskEntry> tasks;
};

PushedSwarm::PushedSwarm(PushedLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
PushedSwarm::~PushedSwarm() = default;

// Outlives the unit if it is committed.
struct PushedSwarm::Unit::Impl {
  struct Staged {
    explicit Staged(const PushedSwarm::Impl& swarm) : agents(swarm.agents), tasks(swarm.tasks) {}
    UnitTable<AgentEntry>::Changes agents;
    UnitTable<TaskEntry>::Changes tasks;
  };

  Impl(PushedSwarm::Impl& s, const Flow& f, state::Changes& c, Timestamp t)
      : swarm(s), flow(f), changes(c), time(t), staged(std::make_shared<Staged>(s)) {}

  void DropExpired();
  void CountTask(const TaskReport& report, const TaskEntry* before, TaskEntry& entry, Timestamp at);
  template <typename Entry>
  void Write(const UnitTable<Entry>& table, const typename UnitTable<Entry>::Changes& changed,
             std::string_view kind, std::uint8_t gone_tag);

  PushedSwarm::Impl& swarm;
  const Flow& flow;
  state::Changes& changes;
  const Timestamp time;
  std::shared_ptr<Staged> staged;
};

void PushedSwarm::Unit::Impl::DropExpired() {
  const Timestamp limit = time - swarm.limits.ttl;
  std::size_t left = kMaxExpired;
  for (const auto& [key, entry] : swarm.agents.entries()) {
    if (ReportTime(entry) >= limit || left-- == 0) break;
    if (IsAlive(entry)) flow.AgentTerminated(changes, PlaceOf(entry.key), entry.agent.type);
    staged->agents.Erase(key);
  }
  left = kMaxExpired;
  for (const auto& [key, entry] : swarm.tasks.entries()) {
    if (ReportTime(entry) >= limit || left-- == 0) break;
    staged->tasks.Erase(key);
  }
}

// What changed goes into the state file, once per id, and what will not fit is counted.
template <typename Entry>
void PushedSwarm::Unit::Impl::Write(const UnitTable<Entry>& table,
                                    const typename UnitTable<Entry>::Changes& changed,
                                    std::string_view kind, std::uint8_t gone_tag) {
  std::size_t size = table.size();
  for (const auto& [key, entry] : changed.all()) {
    const bool was_there = table.Find(key) != nullptr;
    if (entry) {
      changes.Record("swarm_pushed", Encode(*entry));
      size += was_there ? 0 : 1;
    } else if (was_there) {
      changes.Record("swarm_pushed", RecordWriter().Byte(gone_tag).Number(key).bytes());
      --size;
    }
  }
  if (size > table.capacity()) {
    flow.PushedEvictions(changes, kind, static_cast<double>(size - table.capacity()));
  }
}

PushedSwarm::Unit::Unit(PushedSwarm& swarm, const Flow& flow, state::Changes& changes,
                        Timestamp time)
    : impl_(std::make_unique<Impl>(*swarm.impl_, flow, changes, time)) {
  impl_->DropExpired();
  changes.OnCommitted([tables = swarm.impl_.get(), staged = impl_->staged] {
    const std::lock_guard lock(tables->mutex);
    const auto apply = [](auto& table, const auto& changed) {
      for (const auto& [key, entry] : changed.all()) {
        if (!entry) table.Erase(key);
      }
      for (const auto& [key, entry] : changed.all()) {
        if (entry) table.Put(key, *entry);
      }
    };
    apply(tables->agents, staged->agents);
    apply(tables->tasks, staged->tasks);
  });
}

PushedSwarm::Unit::~Unit() {
  impl_->Write(impl_->swarm.agents, impl_->staged->agents, "agent", kAgentGone);
  impl_->Write(impl_->swarm.tasks, impl_->staged->tasks, "task", kTaskGone);
}

void PushedSwarm::Unit::Report(const AgentReport& report, Timestamp at) {
  const std::uint64_t key = KeyOf(report.place, report.id);
  const AgentEntry* before = impl_->staged->agents.Find(key);
  AgentEntry entry = before != nullptr ? *before : AgentEntry{};
  Agent& agent = entry.agent;
  if (before == nullptr) {
    entry.key = {std::string(report.place.workspace), std::string(report.place.source)};
    agent.id = report.id.substr(0, kMaxId);
    agent.status = "active";
    agent.created = at;
  }
  Take(agent.type, report.type, kMaxType);
  Take(agent.status, AgentStatusWord(report.status), kMaxType);
  Take(agent.task, report.task, kMaxId);
  Take(agent.health, report.health);
  Take(agent.confidence, report.confidence);
  Take(agent.quality, report.quality);
  Take(agent.waits_for, report.waits_for);
  agent.last_seen = impl_->time;

  const bool was_alive = before != nullptr && IsAlive(*before);
  const bool is_alive = IsAlive(entry);
  if (!was_alive && (is_alive || before == nullptr)) {
    impl_->flow.AgentSpawned(impl_->changes, report.place, agent.type);
  }
  if (!is_alive && (was_alive || before == nullptr)) {
    impl_->flow.AgentTerminated(impl_->changes, report.place, agent.type);
  }
  impl_->staged->agents.Put(key, std::move(entry));
}

void PushedSwarm::Unit::Report(const TaskReport& report, Timestamp at) {
  const std::uint64_t key = KeyOf(report.place, report.id);
  const TaskEntry* before = impl_->staged->tasks.Find(key);
  TaskEntry entry = before != nullptr ? *before : TaskEntry{};
  Task& task = entry.task;
  if (before == nullptr) {
    entry.key = {std::string(report.place.workspace), std::string(report.place.source)};
    task.id = report.id.substr(0, kMaxId);
    task.status = "pending";
    task.created = at;
  }
  const std::optional<double> progress_before = task.progress;
  Take(task.type, report.type, kMaxType);
  Take(task.status, TaskStatusWord(report.status), kMaxType);
  Take(task.priority, report.priority, kMaxType);
  Take(task.progress, report.progress);
  Take(task.depends_on, report.depends_on);
  if (!report.agent.empty()) task.assigned_to = {std::string(report.agent.substr(0, kMaxId))};
  entry.reported = impl_->time;
  const bool is_new_status = before == nullptr || before->task.status != task.status;
  if (is_new_status || task.progress != progress_before) task.changed = at;
  if (is_new_status) impl_->CountTask(report, before, entry, at);
  impl_->staged->tasks.Put(key, std::move(entry));
}

void PushedSwarm::Unit::Impl::CountTask(const TaskReport& report, const TaskEntry* before,
                                        TaskEntry& entry, Timestamp at) {
  Task& task = entry.task;
  flow.TaskTransition(changes, report.place, task.type, task.status);
  if (task.status == "in_progress") {
    // A first report says nothing of how long it had waited.
    if (before != nullptr && !task.started && at >= *task.created) {
      flow.TaskQueued(changes, report.place, task.type, ToSeconds(at - *task.created));
    }
    task.started = at;
  }
  if (!IsFinished(task.status)) return;
  std::optional<double> seconds = report.seconds;
  if (!seconds && task.started && at >= *task.started) seconds = ToSeconds(at - *task.started);
  task.finished = at;
  flow.Record(changes, report.place, TaskEnd{task.type, task.status, seconds});
}

void PushedSwarm::Visit(Timestamp now,
                        const std::function<void(const Snapshot& snapshot)>& visit) const {
  std::map<SourceKey, Snapshot> snapshots;
  const auto at = [&](const SourceKey& key) -> Snapshot& {
    Snapshot& snapshot = snapshots[key];
    snapshot.key = key;
    return snapshot;
  };
  {
    const std::lock_guard lock(impl_->mutex);
    const Timestamp limit = now - impl_->limits.ttl;
    for (const auto& [id, entry] : impl_->agents.entries()) {
      Snapshot& snapshot = at(entry.key);
      if (!snapshot.agents) snapshot.agents.emplace();
      if (ReportTime(entry) >= limit) snapshot.agents->push_back(entry.agent);
    }
    for (const auto& [id, entry] : impl_->tasks.entries()) {
      Snapshot& snapshot = at(entry.key);
      if (!snapshot.tasks) snapshot.tasks.emplace();
      if (ReportTime(entry) >= limit) snapshot.tasks->push_back(entry.task);
    }
  }
  for (const auto& [key, snapshot] : snapshots) visit(snapshot);
}

Status PushedSwarm::Restore(std::string_view record) {
  RecordReader in(record);
  const std::uint8_t tag = in.Byte();
  const std::lock_guard lock(impl_->mutex);
  if (tag == kAgentTag) {
    AgentEntry entry = DecodeAgent(in);
    if (!in.ok()) return Corrupt("a record of an agent that cannot be read");
    impl_->agents.Put(KeyOf(PlaceOf(entry.key), entry.agent.id), entry);
  } else if (tag == kTaskTag) {
    TaskEntry entry = DecodeTask(in);
    if (!in.ok() || !entry.task.created) return Corrupt("a record of a task that cannot be read");
    impl_->tasks.Put(KeyOf(PlaceOf(entry.key), entry.task.id), entry);
  } else if (tag == kAgentGone) {
    impl_->agents.Erase(in.Number());
  } else if (tag == kTaskGone) {
    impl_->tasks.Erase(in.Number());
  } else {
    return Corrupt("a record of no known kind");
  }
  return {};
}

void PushedSwarm::Save(const std::function<void(std::string_view record)>& write) const {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [id, entry] : impl_->agents.entries()) write(Encode(entry));
  for (const auto& [id, entry] : impl_->tasks.entries()) write(Encode(entry));
}

}  // namespace skep::swarm
