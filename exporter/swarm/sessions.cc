#include "exporter/swarm/sessions.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "exporter/swarm/id_set.h"
#include "exporter/swarm/record.h"
#include "exporter/swarm/unit_table.h"
#include "exporter/swarm/words.h"

namespace skep::swarm {
namespace {

constexpr std::size_t kTopics = 10;
constexpr std::size_t kMaxType = 128;
constexpr std::size_t kMaxWanted = 32;  // agents asked for and not there yet, of one type
constexpr Duration kWantedTtl = std::chrono::minutes(10);

// Which way has each topic of a session; 0: none yet.
using Ways = std::array<std::uint8_t, kTopics>;

struct WantedAgent {
  std::uint64_t call = 0;
  Timestamp time{};
};

struct RunningAgent {
  std::uint64_t session = 0;
  std::string type;
  Timestamp since{};
};

struct Run {
  std::uint64_t tool = 0;
  bool ok = true;
  std::size_t length = 0;
};

using WantedTable = UnitTable<std::vector<WantedAgent>>;

// Running agents, from the one that began first, and those of each session.
class RunningTable {
 public:
  explicit RunningTable(std::size_t capacity) : agents_(capacity) {}

  void Put(std::uint64_t key, RunningAgent agent) {
    Erase(key);
    of_session_[agent.session].push_back(key);
    agents_.Put(key, std::move(agent), [this](std::uint64_t gone, const RunningAgent& evicted) {
      Unlink(gone, evicted.session);
    });
  }
  void Erase(std::uint64_t key) {
    const RunningAgent* agent = agents_.Find(key);
    if (agent == nullptr) return;
    Unlink(key, agent->session);
    agents_.Erase(key);
  }

  const UnitTable<RunningAgent>& agents() const { return agents_; }
  std::span<const std::uint64_t> Of(std::uint64_t session) const {
    const auto at = of_session_.find(session);
    return at == of_session_.end() ? std::span<const std::uint64_t>() : at->second;
  }

 private:
  void Unlink(std::uint64_t key, std::uint64_t session) {
    const auto at = of_session_.find(session);
    std::erase(at->second, key);
    if (at->second.empty()) of_session_.erase(at);
  }

  UnitTable<RunningAgent> agents_;
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> of_session_;
};

// What is written of them; each record begins with one.
enum Tag : std::uint8_t {
  kIds = 1,
  kWays = 2,
  kType = 3,
  kWanted = 4,
  kRunning = 5,
  kWantedGone = 6,
  kRunningGone = 7
};

std::uint64_t SessionKey(std::string_view session) { return StableHash(session); }
std::uint64_t KeyIn(std::string_view session, std::string_view id, std::uint8_t kind) {
  return StableHash(id, SessionKey(session) + kind);
}
// Apart from all topics, which are numbered from 0.
constexpr std::uint8_t kAgentKind = 100;
constexpr std::uint8_t kWantedKind = 101;
constexpr std::uint8_t kCallKind = 102;

std::string Encode(std::uint64_t key, const Ways& ways) {
  RecordWriter out;
  out.Byte(kWays).Number(key);
  for (const std::uint8_t way : ways) out.Byte(way);
  return out.bytes();
}

std::string Encode(std::uint64_t key, const std::string& type) {
  return RecordWriter().Byte(kType).Number(key).Text(type).bytes();
}

std::string Encode(std::uint64_t key, const std::vector<WantedAgent>& wanted) {
  RecordWriter out;
  out.Byte(kWanted).Number(key).Byte(static_cast<std::uint8_t>(wanted.size()));
  for (const WantedAgent& agent : wanted) out.Number(agent.call).Time(agent.time);
  return out.bytes();
}

std::string Encode(std::uint64_t key, const RunningAgent& agent) {
  RecordWriter out;
  out.Byte(kRunning).Number(key).Number(agent.session).Text(agent.type).Time(agent.since);
  return out.bytes();
}

std::string EncodeGone(Tag tag, std::uint64_t key) {
  return RecordWriter().Byte(tag).Number(key).bytes();
}

}  // namespace

struct Sessions::Impl {
  explicit Impl(const SessionOptions& o)
      : options(o),
        ids(o.max_ids),
        ways(o.max_sessions),
        types(o.max_sessions),
        wanted(o.max_sessions),
        running(o.max_sessions),
        runs(o.max_sessions) {}

  mutable std::mutex mutex;
  // Guarded by mutex, and but for options changed under the store's lock only: inside Update they
  // may be read without.
  SessionOptions options;
  IdSet ids;
  UnitTable<Ways> ways;                // by session
  UnitTable<std::string> types;        // by session and agent
  WantedTable wanted;                  // by session and type
  RunningTable running;                // by session and agent
  UnitTable<Run> runs;                 // by session and agent; not in the state file
  std::set<std::string> active_types;  // that had a running agent in this process's life
};

Sessions::Sessions(SessionOptions options) : impl_(std::make_unique<Impl>(options)) {}
Sessions::~Sessions() = default;

void Sessions::Apply(SessionOptions options) {
  const std::lock_guard lock(impl_->mutex);
  // The bounds are those of the start: tables are never cut short.
  options.max_ids = impl_->options.max_ids;
  options.max_sessions = impl_->options.max_sessions;
  impl_->options = options;
}

struct Sessions::Unit::Impl {
  // Outlives the unit if it is committed.
  struct Staged {
    explicit Staged(const Sessions::Impl& tables)
        : ways(tables.ways),
          types(tables.types),
          wanted(tables.wanted),
          running(tables.running.agents()),
          runs(tables.runs) {}

    std::unordered_set<std::uint64_t> ids;
    UnitTable<Ways>::Changes ways;
    UnitTable<std::string>::Changes types;
    WantedTable::Changes wanted;
    UnitTable<RunningAgent>::Changes running;
    UnitTable<Run>::Changes runs;
  };

  Impl(Sessions::Impl& t, state::Changes& c, Timestamp n)
      : tables(t), changes(c), now(n), staged(std::make_shared<Staged>(t)) {
    const std::lock_guard lock(tables.mutex);
    options = tables.options;
  }

  void DropExpired();
  void WriteAll();
  template <typename Entry>
  void Write(const typename UnitTable<Entry>::Changes& changed, Tag gone);
  static void Apply(Sessions::Impl& tables, const Staged& staged);

  Sessions::Impl& tables;
  state::Changes& changes;
  const Timestamp now;
  SessionOptions options;
  std::shared_ptr<Staged> staged;
};

// Running agents are put once, so that the oldest stand first.
void Sessions::Unit::Impl::DropExpired() {
  std::size_t left = 1'000;
  for (const auto& [key, agent] : tables.running.agents().entries()) {
    if (agent.since >= now - options.subagent_ttl || left-- == 0) break;
    staged->running.Erase(key);
  }
}

template <typename Entry>
void Sessions::Unit::Impl::Write(const typename UnitTable<Entry>::Changes& changed, Tag gone) {
  for (const auto& [key, entry] : changed.all()) {
    changes.Record("agent_sessions", entry ? Encode(key, *entry) : EncodeGone(gone, key));
  }
}

void Sessions::Unit::Impl::WriteAll() {
  if (!staged->ids.empty()) {
    RecordWriter out;
    out.Byte(kIds);
    for (const std::uint64_t id : staged->ids) out.Number(id);
    changes.Record("agent_sessions", out.bytes());
  }
  Write<Ways>(staged->ways, kWays);
  Write<std::string>(staged->types, kType);
  Write<std::vector<WantedAgent>>(staged->wanted, kWantedGone);
  Write<RunningAgent>(staged->running, kRunningGone);
}

void Sessions::Unit::Impl::Apply(Sessions::Impl& tables, const Staged& staged) {
  const std::lock_guard lock(tables.mutex);
  for (const std::uint64_t id : staged.ids) tables.ids.Insert(id);
  const auto apply = [](auto& table, const auto& changed) {
    for (const auto& [key, entry] : changed.all()) {
      if (entry) {
        table.Put(key, *entry);
      } else {
        table.Erase(key);
      }
    }
  };
  for (const std::uint64_t key : staged.ways.touched()) tables.ways.Touch(key);
  for (const std::uint64_t key : staged.types.touched()) tables.types.Touch(key);
  apply(tables.ways, staged.ways);
  apply(tables.types, staged.types);
  apply(tables.wanted, staged.wanted);
  apply(tables.running, staged.running);
  apply(tables.runs, staged.runs);
  for (const auto& [key, agent] : staged.running.all()) {
    if (agent && tables.active_types.size() < 50) tables.active_types.insert(agent->type);
  }
}

Sessions::Unit::Unit(Sessions& sessions, state::Changes& changes, Timestamp now)
    : impl_(std::make_unique<Impl>(*sessions.impl_, changes, now)) {
  impl_->DropExpired();
}

Sessions::Unit::~Unit() = default;

void Sessions::Unit::Finish() {
  impl_->WriteAll();
  impl_->changes.OnCommitted(
      [tables = &impl_->tables, staged = impl_->staged] { Impl::Apply(*tables, *staged); });
}

bool Sessions::Unit::IsFirst(std::string_view session, Topic topic, std::string_view id) {
  const std::uint64_t key = KeyIn(session, id, static_cast<std::uint8_t>(topic));
  return !impl_->tables.ids.Contains(key) && impl_->staged->ids.insert(key).second;
}

bool Sessions::Unit::Claim(std::string_view session, Topic topic, Way way) {
  const std::uint64_t key = SessionKey(session);
  const Ways* before = impl_->staged->ways.Find(key);
  Ways ways = before != nullptr ? *before : Ways{};
  std::uint8_t& holder = ways[static_cast<std::size_t>(topic)];
  if (holder == 0) {
    holder = static_cast<std::uint8_t>(way);
    impl_->staged->ways.Put(key, ways);
  } else {
    impl_->staged->ways.Touch(key);
  }
  return holder == static_cast<std::uint8_t>(way);
}

bool Sessions::Unit::IsTaken(std::string_view session, Topic topic, Way way) const {
  const Ways* ways = impl_->staged->ways.Find(SessionKey(session));
  if (ways == nullptr) return false;
  const std::uint8_t holder = (*ways)[static_cast<std::size_t>(topic)];
  return holder != 0 && holder != static_cast<std::uint8_t>(way);
}

std::string Sessions::Unit::AgentType(std::string_view session, std::string_view agent) const {
  if (agent.empty()) return "main";
  const std::string* type = impl_->staged->types.Find(KeyIn(session, agent, kAgentKind));
  return type == nullptr ? std::string() : *type;
}

void Sessions::Unit::NoteAgentType(std::string_view session, std::string_view agent,
                                   std::string_view type) {
  if (agent.empty() || type.empty()) return;
  type = type.substr(0, kMaxType);
  const std::uint64_t key = KeyIn(session, agent, kAgentKind);
  const std::string* before = impl_->staged->types.Find(key);
  if (before == nullptr || *before != type) {
    impl_->staged->types.Put(key, std::string(type));
  } else {
    impl_->staged->types.Touch(key);
  }
}

void Sessions::Unit::AgentWanted(std::string_view session, std::string_view call,
                                 std::string_view type) {
  const std::uint64_t key = KeyIn(session, type, kWantedKind);
  const std::vector<WantedAgent>* before = impl_->staged->wanted.Find(key);
  std::vector<WantedAgent> wanted = before != nullptr ? *before : std::vector<WantedAgent>{};
  std::erase_if(wanted,
                [&](const WantedAgent& agent) { return agent.time < impl_->now - kWantedTtl; });
  if (wanted.size() >= kMaxWanted) wanted.erase(wanted.begin());
  wanted.push_back({KeyIn(session, call, kCallKind), impl_->now});
  impl_->staged->wanted.Put(key, std::move(wanted));
}

void Sessions::Unit::AgentNotWanted(std::string_view session, std::string_view call,
                                    std::string_view type) {
  const std::uint64_t key = KeyIn(session, type, kWantedKind);
  const std::vector<WantedAgent>* before = impl_->staged->wanted.Find(key);
  if (before == nullptr) return;
  std::vector<WantedAgent> wanted = *before;
  const std::uint64_t gone = KeyIn(session, call, kCallKind);
  if (std::erase_if(wanted, [&](const WantedAgent& agent) { return agent.call == gone; }) == 0) {
    return;
  }
  if (wanted.empty()) {
    impl_->staged->wanted.Erase(key);
  } else {
    impl_->staged->wanted.Put(key, std::move(wanted));
  }
}

std::optional<Duration> Sessions::Unit::AgentStarted(std::string_view session,
                                                     std::string_view agent,
                                                     std::string_view type) {
  NoteAgentType(session, agent, type);
  RunningAgent running{SessionKey(session), std::string(type.substr(0, kMaxType)), impl_->now};
  impl_->staged->running.Put(KeyIn(session, agent, kAgentKind), std::move(running));

  const std::uint64_t key = KeyIn(session, type, kWantedKind);
  const std::vector<WantedAgent>* before = impl_->staged->wanted.Find(key);
  if (before == nullptr) return std::nullopt;
  std::vector<WantedAgent> wanted = *before;
  std::erase_if(wanted,
                [&](const WantedAgent& other) { return other.time < impl_->now - kWantedTtl; });
  std::optional<Duration> took;
  if (!wanted.empty()) {
    took = std::max(Duration{0}, impl_->now - wanted.front().time);
    wanted.erase(wanted.begin());
  }
  if (wanted.empty()) {
    impl_->staged->wanted.Erase(key);
  } else {
    impl_->staged->wanted.Put(key, std::move(wanted));
  }
  return took;
}

std::optional<std::pair<std::string, Duration>> Sessions::Unit::AgentStopped(
    std::string_view session, std::string_view agent) {
  const std::uint64_t key = KeyIn(session, agent, kAgentKind);
  const RunningAgent* running = impl_->staged->running.Find(key);
  if (running == nullptr) return std::nullopt;
  std::pair<std::string, Duration> stopped{running->type,
                                           std::max(Duration{0}, impl_->now - running->since)};
  impl_->staged->running.Erase(key);
  return stopped;
}

void Sessions::Unit::SessionEnded(std::string_view session) {
  const std::uint64_t ended = SessionKey(session);
  for (const std::uint64_t key : impl_->tables.running.Of(ended)) impl_->staged->running.Erase(key);
  std::vector<std::uint64_t> of_this_unit;
  for (const auto& [key, agent] : impl_->staged->running.all()) {
    if (agent && agent->session == ended) of_this_unit.push_back(key);
  }
  for (const std::uint64_t key : of_this_unit) impl_->staged->running.Erase(key);
}

bool Sessions::Unit::ToolEnded(std::string_view session, std::string_view agent,
                               std::string_view tool, Outcome outcome) {
  const bool ok = outcome == Outcome::kOk;
  const std::uint64_t key = KeyIn(session, agent, kAgentKind);
  const Run* before = impl_->staged->runs.Find(key);
  Run run{StableHash(tool), ok, 1};
  if (before != nullptr && before->tool == run.tool && before->ok == ok) {
    run.length = before->length + 1;
  }
  impl_->staged->runs.Put(key, run);
  const std::size_t loop =
      ok ? impl_->options.successes_are_loop : impl_->options.failures_are_loop;
  return loop > 0 && run.length % loop == 0;
}

namespace {

class SessionsCollector final : public exporter::Collector {
 public:
  // Types with the number of their running agents, and the sizes of the tables.
  struct View {
    std::map<std::string, double> running;
    std::size_t ids = 0;
    std::size_t sessions = 0;
    std::size_t agents = 0;
  };
  explicit SessionsCollector(std::function<View()> view) : view_(std::move(view)) {}

  std::string_view name() const override { return "agent_sessions"; }

  Status Collect(exporter::CollectContext& context) override {
    const View view = view_();
    exposition::PageWriter& page = context.page;
    if (!view.running.empty()) {
      page.Family("swarm_subagents_active", "Subagents that run at present, as hooks tell.",
                  exposition::MetricType::kGauge);
      for (const auto& [type, count] : view.running) page.Sample({{"agent_type", type}}, count);
    }
    page.Family("skep_exporter_session_entries",
                "What is remembered of sessions of agents; the oldest gives way at the bound.",
                exposition::MetricType::kGauge);
    page.Sample({{"table", "agents"}}, static_cast<double>(view.agents));
    page.Sample({{"table", "ids"}}, static_cast<double>(view.ids));
    page.Sample({{"table", "sessions"}}, static_cast<double>(view.sessions));
    return {};
  }

 private:
  std::function<View()> view_;
};

}  // namespace

std::unique_ptr<exporter::Collector> Sessions::MakeCollector(const Clock& clock) {
  return std::make_unique<SessionsCollector>([impl = impl_.get(), &clock] {
    const Timestamp now = clock.Now();
    const std::lock_guard lock(impl->mutex);
    SessionsCollector::View view;
    view.ids = impl->ids.size();
    view.sessions = impl->ways.size();
    view.agents = impl->types.size();
    for (const std::string& type : impl->active_types) view.running[type] = 0;
    for (const auto& [key, agent] : impl->running.agents().entries()) {
      if (agent.since < now - impl->options.subagent_ttl) continue;
      view.running[impl->active_types.contains(agent.type) ? agent.type : "other"] += 1;
    }
    return view;
  });
}

Status Sessions::Restore(std::string_view record) {
  RecordReader in(record);
  const std::lock_guard lock(impl_->mutex);
  const std::uint8_t tag = in.Byte();
  if (tag == kIds) {
    while (!in.done()) {
      const std::uint64_t id = in.Number();
      if (in.ok()) impl_->ids.Insert(id);
    }
    return in.ok() ? Status() : Status(Corrupt("ids that cannot be read"));
  }
  const std::uint64_t key = in.Number();
  switch (tag) {
    case kWays: {
      Ways ways{};
      for (std::uint8_t& way : ways) way = in.Byte();
      if (in.ok()) impl_->ways.Put(key, ways);
      break;
    }
    case kType: {
      std::string type(in.Text());
      if (in.ok()) impl_->types.Put(key, std::move(type));
      break;
    }
    case kWanted: {
      std::vector<WantedAgent> wanted(std::min<std::size_t>(in.Byte(), kMaxWanted));
      for (WantedAgent& agent : wanted) {
        agent.call = in.Number();
        agent.time = in.Time();
      }
      if (in.ok()) impl_->wanted.Put(key, std::move(wanted));
      break;
    }
    case kRunning: {
      RunningAgent agent;
      agent.session = in.Number();
      agent.type = in.Text();
      agent.since = in.Time();
      if (!in.ok()) break;
      if (impl_->active_types.size() < 50) impl_->active_types.insert(agent.type);
      impl_->running.Put(key, std::move(agent));
      break;
    }
    case kWantedGone:
      impl_->wanted.Erase(key);
      break;
    case kRunningGone:
      impl_->running.Erase(key);
      break;
    default:
      return Corrupt("a record of no known kind");
  }
  return in.ok() ? Status() : Status(Corrupt("a record of a session that cannot be read"));
}

void Sessions::Save(const std::function<void(std::string_view record)>& write) const {
  const std::lock_guard lock(impl_->mutex);
  RecordWriter ids;
  ids.Byte(kIds);
  impl_->ids.ForEach([&](std::uint64_t id) {
    ids.Number(id);
    if (ids.bytes().size() < 32'000) return;
    write(ids.bytes());
    ids.Clear();
    ids.Byte(kIds);
  });
  if (ids.bytes().size() > 1) write(ids.bytes());
  const auto save = [&](const auto& table) {
    for (const auto& [key, entry] : table.entries()) write(Encode(key, entry));
  };
  save(impl_->ways);
  save(impl_->types);
  save(impl_->wanted);
  save(impl_->running.agents());
}

}  // namespace skep::swarm
