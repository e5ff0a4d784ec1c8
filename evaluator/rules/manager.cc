#include "evaluator/rules/manager.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/base/thread.h"
#include "evaluator/rules/group.h"

namespace skep::rules {
namespace {

// The wall clock may jump: nobody sleeps longer than this without looking at it.
constexpr Duration kLongestSleep = std::chrono::seconds(5);

// Series of a group that is no longer there, waiting for their staleness markers.
struct Departed {
  Timestamp due;          // then they are written, so that a renamed group can take the series over
  Timestamp marker_time;  // with this time
  std::vector<Labels> series;
};

}  // namespace

std::size_t Ruleset::CountRules() const {
  std::size_t count = 0;
  for (const RuleFile& file : files) count += file.CountRules();
  return count;
}

Timestamp LastSlot(std::string_view file, std::string_view group, Duration interval,
                   Timestamp now) {
  const std::uint64_t hash = Fingerprint(Labels{{"file", file}, {"name", group}});
  const auto period = interval.count();
  const auto offset = static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(period));
  const std::int64_t shifted = ToMillis(now) - offset;
  const std::int64_t rest = ((shifted % period) + period) % period;
  return FromMillis(shifted - rest + offset);
}

NextRound RoundAfter(Timestamp slot, Duration interval, Timestamp now) {
  const Timestamp next = slot + interval;
  if (next > now) return {next, 0, next > now + interval};
  const std::int64_t missed = (now - next) / interval;
  return {next + missed * interval, missed, false};
}

class Manager::Impl {
 public:
  Impl(Dependencies dependencies, ManagerOptions options)
      : dependencies_(std::move(dependencies)), options_(options) {}
  ~Impl() { Stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<Ruleset> Load(const RulesConfig& config) const;
  void Apply(Ruleset rules);
  void Start();
  void Stop();
  Status EvaluateRound(std::string_view file, std::string_view group, Timestamp time);
  Status Restore(std::string_view file, std::string_view group, Timestamp now);
  std::vector<GroupStatus> Groups() const;

 private:
  using GroupPtr = std::shared_ptr<RuleGroup>;

  // A group with its place in time.
  struct Slot {
    GroupPtr group;
    Timestamp next;  // slot of the next round
    bool running = false;
  };
  using SlotPtr = std::shared_ptr<Slot>;

  SlotPtr MakeSlot(GroupDefinition definition, const RulesConfig& config, SlotPtr old);
  RuleGroup::Settings SettingsOf(const GroupDefinition& definition,
                                 const RulesConfig& config) const;
  void Depart(RuleGroup& group, Timestamp now);
  void WriteDeparted(Timestamp now);
  void StartWorker();
  void Work();
  SlotPtr TakeDue(std::unique_lock<std::mutex>& lock);
  void RunSlot(Slot& slot, Timestamp time);
  void Reschedule(Slot& slot, Timestamp now);
  GroupPtr Find(std::string_view file, std::string_view group) const;

  const Dependencies dependencies_;
  const ManagerOptions options_;
  std::atomic<bool> cancel_ = false;
  std::mutex apply_mutex_;  // one Apply at a time

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SlotPtr> slots_;      // guarded by mutex_; in the order of the files
  std::vector<Departed> departed_;  // guarded by mutex_
  bool applied_ = false;            // guarded by mutex_; once
  bool stopped_ = false;            // guarded by mutex_
  std::shared_ptr<TaskPool> pool_ = std::make_shared<TaskPool>();  // guarded by mutex_
  std::vector<std::jthread> threads_;                              // guarded by mutex_
  std::size_t idle_ = 0;  // guarded by mutex_; threads without a round
};

Result<Ruleset> Manager::Impl::Load(const RulesConfig& config) const {
  Ruleset rules{config, {}};
  std::set<std::string> seen;
  for (const std::string& pattern : config.files) {
    Result<std::vector<std::string>> paths = Glob(pattern);
    if (!paths) return paths.error().Wrap("rule_files " + Quote(pattern));
    for (const std::string& path : *paths) {
      if (!seen.insert(path).second) continue;
      Result<RuleFile> file = ReadRuleFile(path, options_.files);
      if (!file) return file.error();
      rules.files.push_back(std::move(*file));
    }
  }
  for (const LintFinding& finding : LintRules(rules.files)) {
    if (finding.kind == LintFinding::Kind::kDuplicateRule) continue;
    dependencies_.logger.Warn(finding.message, {{"file", finding.file}, {"line", finding.line}});
  }
  return rules;
}

RuleGroup::Settings Manager::Impl::SettingsOf(const GroupDefinition& definition,
                                              const RulesConfig& config) const {
  return {definition.interval.value_or(config.evaluation_interval),
          definition.query_offset.value_or(config.query_offset), config.external_labels,
          config.external_url};
}

// The old slot where nothing changed, else one that goes on from it.
Manager::Impl::SlotPtr Manager::Impl::MakeSlot(GroupDefinition definition,
                                               const RulesConfig& config, SlotPtr old) {
  const RuleGroup::Settings settings = SettingsOf(definition, config);
  if (old && old->group->definition().SameAs(definition) && old->group->settings() == settings) {
    return old;
  }
  const bool restored = applied_ || !options_.restore;
  auto slot = std::make_shared<Slot>();
  slot->next =
      LastSlot(definition.file, definition.name, settings.interval, dependencies_.clock.Now()) +
      settings.interval;
  slot->group = std::make_shared<RuleGroup>(std::move(definition), settings, dependencies_,
                                            options_, restored);
  if (old) {
    old->group->Retire();
    slot->group->TakeStateFrom(*old->group);
  }
  return slot;
}

void Manager::Impl::Depart(RuleGroup& group, Timestamp now) {
  group.Retire();
  const RuleGroup::Settings& settings = group.settings();
  Departed departed{now + 2 * settings.interval, now - settings.query_offset, group.TakeSeries()};
  if (dependencies_.metrics != nullptr) GroupMetrics::Remove(*dependencies_.metrics, group.key());
  if (departed.series.empty()) return;
  const std::lock_guard lock(mutex_);
  departed_.push_back(std::move(departed));
}

void Manager::Impl::Apply(Ruleset rules) {
  const std::lock_guard apply_lock(apply_mutex_);
  std::map<std::string, SlotPtr> old;
  {
    const std::lock_guard lock(mutex_);
    for (const SlotPtr& slot : slots_) old.emplace(slot->group->key(), slot);
  }
  std::vector<SlotPtr> slots;
  for (RuleFile& file : rules.files) {
    for (GroupDefinition& group : file.groups) {
      const auto found = old.find(RuleGroup::Key(group.file, group.name));
      slots.push_back(
          MakeSlot(std::move(group), rules.config, found == old.end() ? nullptr : found->second));
      if (found != old.end()) old.erase(found);
    }
  }
  {
    const std::lock_guard lock(mutex_);
    slots_ = std::move(slots);
    applied_ = true;
  }
  const Timestamp now = dependencies_.clock.Now();
  for (const auto& [key, slot] : old) Depart(*slot->group, now);
  changed_.notify_all();
}

void Manager::Impl::Start() {
  {
    const std::lock_guard lock(mutex_);
    pool_ = std::make_shared<TaskPool>(options_.max_concurrent_evals);
    StartWorker();
  }
}

// Requires: mutex_ is held.
void Manager::Impl::StartWorker() {
  ++idle_;
  threads_.push_back(StartThread(
      "rules", [this] { Work(); },
      [this](const std::string& what) {
        dependencies_.logger.Error("a thread of the rules ended", {{"error", what}});
      }));
}

void Manager::Impl::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  cancel_.store(true);
  changed_.notify_all();
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads = std::move(threads_);
  }
  threads.clear();  // joins
}

// The slot whose round is due, marked as running; waits for one. Null: stopped, or series of
// departed groups are due.
Manager::Impl::SlotPtr Manager::Impl::TakeDue(std::unique_lock<std::mutex>& lock) {
  while (!stopped_) {
    const Timestamp now = dependencies_.clock.Now();
    Timestamp wake = now + kLongestSleep;
    for (const Departed& departed : departed_) {
      if (departed.due <= now) return nullptr;
      wake = std::min(wake, departed.due);
    }
    SlotPtr first;
    for (const SlotPtr& slot : slots_) {
      if (!slot->running && (!first || slot->next < first->next)) first = slot;
    }
    if (first && first->next <= now) {
      first->running = true;
      return first;
    }
    if (first) wake = std::min(wake, first->next);
    changed_.wait_until(lock, dependencies_.clock.SteadyNow() + (wake - now));
  }
  return nullptr;
}

void Manager::Impl::Work() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const SlotPtr slot = TakeDue(lock);
    if (stopped_) return;
    // One thread always waits for the next group that is due, as far as there may be another:
    // rounds that hang do not hold those of other groups.
    if (--idle_ == 0 && threads_.size() < options_.group_threads) StartWorker();
    const Timestamp now = dependencies_.clock.Now();
    if (!slot) {
      lock.unlock();
      WriteDeparted(now);
      lock.lock();
      ++idle_;
      continue;
    }
    const Timestamp time = slot->next;
    lock.unlock();
    RunSlot(*slot, time);
    lock.lock();
    ++idle_;
    slot->running = false;
    Reschedule(*slot, dependencies_.clock.Now());
    changed_.notify_one();
  }
}

void Manager::Impl::RunSlot(Slot& slot, Timestamp time) {
  std::shared_ptr<TaskPool> pool;
  {
    const std::lock_guard lock(mutex_);
    pool = pool_;
  }
  try {
    slot.group->Evaluate(time, *pool, cancel_);
    if (slot.group->NeedsRestore()) slot.group->Restore(dependencies_.clock.Now());
  } catch (const std::exception& thrown) {
    // One group's bad luck (no memory) is not the others'.
    dependencies_.logger.Error(
        "round of a rule group was broken off",
        {{"group", slot.group->definition().name}, {"error", thrown.what()}});
  }
}

void Manager::Impl::Reschedule(Slot& slot, Timestamp now) {
  const GroupDefinition& definition = slot.group->definition();
  const Duration interval = slot.group->settings().interval;
  const NextRound next = RoundAfter(slot.next, interval, now);
  slot.next =
      next.reset ? LastSlot(definition.file, definition.name, interval, now) + interval : next.slot;
  if (next.missed > 0) slot.group->CountMissed(next.missed);
}

void Manager::Impl::WriteDeparted(Timestamp now) {
  std::vector<Departed> due;
  {
    const std::lock_guard lock(mutex_);
    const auto first_due = std::partition(departed_.begin(), departed_.end(),
                                          [&](const Departed& d) { return d.due > now; });
    std::move(first_due, departed_.end(), std::back_inserter(due));
    departed_.erase(first_due, departed_.end());
  }
  for (const Departed& departed : due) {
    const std::unique_ptr<storage::Appender> appender = dependencies_.storage.NewAppender();
    for (const Labels& labels : departed.series) {
      storage::SeriesRef ref = 0;
      // Refused where another rule went on with the series.
      (void)appender->Append(ref, labels, {departed.marker_time, kStaleNaN});
    }
    if (Status committed = appender->Commit(); !committed) {
      dependencies_.logger.Warn("writing staleness markers failed", {{"error", committed.error()}});
    }
  }
}

Manager::Impl::GroupPtr Manager::Impl::Find(std::string_view file, std::string_view group) const {
  const std::lock_guard lock(mutex_);
  for (const SlotPtr& slot : slots_) {
    const GroupDefinition& definition = slot->group->definition();
    if (definition.file == file && definition.name == group) return slot->group;
  }
  return nullptr;
}

Status Manager::Impl::EvaluateRound(std::string_view file, std::string_view group, Timestamp time) {
  const GroupPtr found = Find(file, group);
  if (!found) return NotFound("no rule group " + Quote(group) + " in " + std::string(file));
  WriteDeparted(time);
  std::shared_ptr<TaskPool> pool;
  {
    const std::lock_guard lock(mutex_);
    pool = pool_;
  }
  found->Evaluate(time, *pool, cancel_);
  return {};
}

Status Manager::Impl::Restore(std::string_view file, std::string_view group, Timestamp now) {
  const GroupPtr found = Find(file, group);
  if (!found) return NotFound("no rule group " + Quote(group) + " in " + std::string(file));
  found->Restore(now);
  return {};
}

std::vector<GroupStatus> Manager::Impl::Groups() const {
  std::vector<GroupPtr> groups;
  {
    const std::lock_guard lock(mutex_);
    for (const SlotPtr& slot : slots_) groups.push_back(slot->group);
  }
  std::vector<GroupStatus> statuses;
  statuses.reserve(groups.size());
  for (const GroupPtr& group : groups) statuses.push_back(group->GetStatus());
  return statuses;
}

Manager::Manager(Dependencies dependencies, ManagerOptions options)
    : impl_(std::make_unique<Impl>(std::move(dependencies), options)) {}
Manager::~Manager() = default;

Result<Ruleset> Manager::Load(const RulesConfig& config) const { return impl_->Load(config); }
void Manager::Apply(Ruleset rules) { impl_->Apply(std::move(rules)); }
void Manager::Start() { impl_->Start(); }
void Manager::Stop() { impl_->Stop(); }

Status Manager::EvaluateRound(std::string_view file, std::string_view group, Timestamp time) {
  return impl_->EvaluateRound(file, group, time);
}
Status Manager::Restore(std::string_view file, std::string_view group, Timestamp now) {
  return impl_->Restore(file, group, now);
}

std::vector<GroupStatus> Manager::Groups() const { return impl_->Groups(); }

std::vector<AlertStatus> Manager::Alerts() const {
  std::vector<AlertStatus> all;
  for (GroupStatus& group : impl_->Groups()) {
    for (RuleStatus& rule : group.rules) {
      std::move(rule.alerts.begin(), rule.alerts.end(), std::back_inserter(all));
    }
  }
  return all;
}

std::size_t Manager::CountRules() const {
  std::size_t count = 0;
  for (const GroupStatus& group : impl_->Groups()) count += group.rules.size();
  return count;
}

}  // namespace skep::rules
