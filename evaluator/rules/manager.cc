#include "evaluator/rules/manager.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/base/thread.h"
#include "evaluator/rules/group.h"
#include "evaluator/rules/group_selectors.h"
#include "evaluator/rules/timetable.h"

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

class Manager::Impl final : public storage::CommitFeed {
 public:
  Impl(Dependencies dependencies, ManagerOptions options)
      : dependencies_(std::move(dependencies)), options_(options) {
    if (dependencies_.metrics != nullptr) scrape_delay_ = AddScrapeDelay(*dependencies_.metrics);
  }
  ~Impl() override { Stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<Ruleset> Load(const RulesConfig& config) const;
  void Apply(Ruleset rules);
  void Start();
  void Stop();
  Status EvaluateRound(std::string_view file, std::string_view group, Timestamp time);
  void RunDue();
  Status Restore(std::string_view file, std::string_view group, Timestamp now);
  std::vector<GroupStatus> Groups() const;
  std::shared_ptr<const storage::CommitWatches> CurrentWatches() const override;

 private:
  using GroupPtr = std::shared_ptr<RuleGroup>;

  // A group with its place in time.
  struct Slot {
    GroupPtr group;
    Timetable timetable;
    bool running = false;
    // When the oldest scrape was told of that had no round yet.
    std::optional<Clock::Steady> waiting_since = {};
  };
  using SlotPtr = std::shared_ptr<Slot>;

  struct Due {
    SlotPtr slot;
    Turn turn;
    std::optional<Clock::Steady> waiting_since;
  };

  // The groups of one configuration that go by scrapes.
  class Watches final : public storage::CommitWatches {
   public:
    explicit Watches(Impl& owner) : owner_(owner) {}
    void Add(SlotPtr slot) {
      selectors_.Add(slot->group->definition(), static_cast<std::uint32_t>(slots_.size()),
                     owner_.options_.files.promql);
      slots_.push_back(std::move(slot));
    }
    bool empty() const { return slots_.empty(); }
    void Find(const Labels& labels, std::vector<std::uint32_t>& out) const override {
      selectors_.Find(labels, out);
    }
    void Tell(std::span<const std::uint32_t> watches, Timestamp time) const override {
      for (const std::uint32_t watch : watches) owner_.AddScrape(*slots_[watch], time);
    }

   private:
    Impl& owner_;
    GroupSelectors selectors_;
    std::vector<SlotPtr> slots_;
  };

  SlotPtr MakeSlot(GroupDefinition definition, const RulesConfig& config, SlotPtr old);
  RuleGroup::Settings SettingsOf(const GroupDefinition& definition,
                                 const RulesConfig& config) const;
  void Depart(RuleGroup& group, Timestamp now);
  void WriteDeparted(Timestamp now);
  void Watch(const std::vector<SlotPtr>& slots);
  void AddScrape(Slot& slot, Timestamp time);
  void StartWorker();
  void Work();
  std::optional<Due> TakeDue(Timestamp now, Timestamp& wake);
  std::optional<Due> WaitForDue(std::unique_lock<std::mutex>& lock);
  void RunTurn(const Due& due);
  void EndTurn(const Due& due);
  GroupPtr Find(std::string_view file, std::string_view group) const;

  const Dependencies dependencies_;
  const ManagerOptions options_;
  instrument::Histogram scrape_delay_;
  std::atomic<bool> cancel_ = false;
  std::mutex apply_mutex_;  // one Apply at a time

  std::atomic<bool> watches_any_ = false;
  mutable std::mutex watches_mutex_;
  std::shared_ptr<const Watches> watches_;  // guarded by watches_mutex_; null where it has no group

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
  RETURN_IF_ERROR(CheckOnScrape(config.on_scrape, rules.files));
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
  const OnScrapeGroup* const on_scrape = FindOnScrape(config.on_scrape, definition);
  const auto spacing = on_scrape ? std::optional(on_scrape->min_spacing) : std::nullopt;
  if (old && old->group->definition().SameAs(definition) && old->group->settings() == settings) {
    const std::lock_guard lock(mutex_);
    old->timetable.ChangeSpacing(spacing);
    return old;
  }
  const bool restored = applied_ || !options_.restore;
  const Timestamp last =
      LastSlot(definition.file, definition.name, settings.interval, dependencies_.clock.Now());
  const auto slot =
      std::make_shared<Slot>(Slot{std::make_shared<RuleGroup>(std::move(definition), settings,
                                                              dependencies_, options_, restored),
                                  Timetable(last + settings.interval, settings.interval, spacing)});
  if (old) {
    old->group->Retire();
    slot->group->TakeStateFrom(*old->group);
    const std::lock_guard lock(mutex_);
    slot->timetable.Follow(old->timetable);
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
  Watch(slots);
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

void Manager::Impl::Watch(const std::vector<SlotPtr>& slots) {
  auto watches = std::make_shared<Watches>(*this);
  for (const SlotPtr& slot : slots) {
    if (slot->timetable.min_spacing()) watches->Add(slot);
  }
  const std::lock_guard lock(watches_mutex_);
  watches_any_.store(!watches->empty());
  watches_ = watches->empty() ? nullptr : std::move(watches);
}

std::shared_ptr<const storage::CommitWatches> Manager::Impl::CurrentWatches() const {
  if (!watches_any_.load(std::memory_order_relaxed)) return nullptr;
  const std::lock_guard lock(watches_mutex_);
  return watches_;
}

void Manager::Impl::AddScrape(Slot& slot, Timestamp time) {
  {
    const std::lock_guard lock(mutex_);
    slot.timetable.AddScrape(time);
    if (!slot.waiting_since) slot.waiting_since = dependencies_.clock.SteadyNow();
    if (slot.running) return;  // whoever runs it looks for the next one
  }
  changed_.notify_one();
}

// Marked as running. Empty: nothing is due at `now`; then `wake` is no later than what comes next.
// Requires: mutex_ is held.
std::optional<Manager::Impl::Due> Manager::Impl::TakeDue(Timestamp now, Timestamp& wake) {
  while (true) {
    SlotPtr first;
    for (const SlotPtr& slot : slots_) {
      if (slot->running) continue;
      const Timestamp due = slot->timetable.NextDue(now);
      if (due >= wake) continue;
      first = slot;
      wake = due;
    }
    if (!first || wake > now) return std::nullopt;
    if (const std::optional<Turn> turn = first->timetable.Take(now)) {
      first->running = true;
      return Due{first, *turn, std::exchange(first->waiting_since, std::nullopt)};
    }
    wake = now + kLongestSleep;
  }
}

// Empty: stopped, or series of departed groups are due.
std::optional<Manager::Impl::Due> Manager::Impl::WaitForDue(std::unique_lock<std::mutex>& lock) {
  while (!stopped_) {
    const Timestamp now = dependencies_.clock.Now();
    Timestamp wake = now + kLongestSleep;
    for (const Departed& departed : departed_) {
      if (departed.due <= now) return std::nullopt;
      wake = std::min(wake, departed.due);
    }
    if (std::optional<Due> due = TakeDue(now, wake)) return due;
    changed_.wait_until(lock, dependencies_.clock.SteadyNow() + (wake - now));
  }
  return std::nullopt;
}

void Manager::Impl::Work() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const std::optional<Due> due = WaitForDue(lock);
    if (stopped_) return;
    // One thread always waits for the next group that is due, as far as there may be another:
    // rounds that hang do not hold those of other groups.
    if (--idle_ == 0 && threads_.size() < options_.group_threads) StartWorker();
    lock.unlock();
    if (due) {
      RunTurn(*due);
    } else {
      WriteDeparted(dependencies_.clock.Now());
    }
    lock.lock();
    ++idle_;
    if (due) EndTurn(*due);
  }
}

void Manager::Impl::RunDue() {
  const Timestamp now = dependencies_.clock.Now();
  WriteDeparted(now);
  std::unique_lock lock(mutex_);
  Timestamp wake = now + kLongestSleep;
  while (const std::optional<Due> due = TakeDue(now, wake)) {
    lock.unlock();
    RunTurn(*due);
    lock.lock();
    EndTurn(*due);
    wake = now + kLongestSleep;
  }
}

void Manager::Impl::RunTurn(const Due& due) {
  std::shared_ptr<TaskPool> pool;
  {
    const std::lock_guard lock(mutex_);
    pool = pool_;
  }
  RuleGroup& group = *due.slot->group;
  try {
    group.Evaluate(due.turn, *pool, cancel_);
    if (group.NeedsRestore()) group.Restore(dependencies_.clock.Now());
  } catch (const std::exception& thrown) {
    // One group's bad luck (no memory) is not the others'.
    dependencies_.logger.Error("round of a rule group was broken off",
                               {{"group", group.definition().name}, {"error", thrown.what()}});
  }
  if (due.waiting_since)
    scrape_delay_.Observe(dependencies_.clock.SteadyNow() - *due.waiting_since);
}

// Requires: mutex_ is held.
void Manager::Impl::EndTurn(const Due& due) {
  due.slot->running = false;
  const std::int64_t missed = due.slot->timetable.End(due.turn, dependencies_.clock.Now());
  if (missed > 0) due.slot->group->CountMissed(missed);
  changed_.notify_one();
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
  found->Evaluate({time, RoundCause::kInterval}, *pool, cancel_);
  return {};
}

Status Manager::Impl::Restore(std::string_view file, std::string_view group, Timestamp now) {
  const GroupPtr found = Find(file, group);
  if (!found) return NotFound("no rule group " + Quote(group) + " in " + std::string(file));
  found->Restore(now);
  return {};
}

std::vector<GroupStatus> Manager::Impl::Groups() const {
  std::vector<std::pair<GroupPtr, std::optional<Duration>>> groups;
  {
    const std::lock_guard lock(mutex_);
    for (const SlotPtr& slot : slots_) {
      groups.emplace_back(slot->group, slot->timetable.min_spacing());
    }
  }
  std::vector<GroupStatus> statuses;
  statuses.reserve(groups.size());
  for (const auto& [group, min_spacing] : groups) {
    statuses.push_back(group->GetStatus());
    statuses.back().min_spacing = min_spacing;
  }
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
void Manager::RunDue() { impl_->RunDue(); }
Status Manager::Restore(std::string_view file, std::string_view group, Timestamp now) {
  return impl_->Restore(file, group, now);
}

std::vector<GroupStatus> Manager::Groups() const { return impl_->Groups(); }

const storage::CommitFeed& Manager::commits() const { return *impl_; }

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
