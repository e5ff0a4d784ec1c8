#include "evaluator/rules/manager.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "evaluator/rules/departed_series.h"
#include "evaluator/rules/group.h"
#include "evaluator/rules/group_selectors.h"
#include "evaluator/rules/round_runner.h"
#include "evaluator/rules/timetable.h"

namespace skep::rules {
namespace {

// The groups of one configuration that go by scrapes. Immutable once it is shared.
class Watches final : public storage::CommitWatches {
 public:
  explicit Watches(RoundRunner& runner) : runner_(runner) {}
  void Add(GroupSlotPtr slot, const promql::ParseOptions& options) {
    selectors_.Add(slot->group->definition(), static_cast<std::uint32_t>(slots_.size()), options);
    slots_.push_back(std::move(slot));
  }
  bool empty() const { return slots_.empty(); }
  void Find(const Labels& labels, std::vector<std::uint32_t>& out) const override {
    selectors_.Find(labels, out);
  }
  void Tell(std::span<const std::uint32_t> watches, Timestamp time) const override {
    for (const std::uint32_t watch : watches) runner_.AddScrape(*slots_[watch], time);
  }

 private:
  RoundRunner& runner_;
  GroupSelectors selectors_;
  std::vector<GroupSlotPtr> slots_;
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
      : dependencies_(std::move(dependencies)),
        options_(options),
        departed_(dependencies_.storage, dependencies_.logger),
        runner_(dependencies_, options_, departed_) {}

  Result<Ruleset> Load(const RulesConfig& config) const;
  void Apply(Ruleset rules);
  Status EvaluateRound(std::string_view file, std::string_view group, Timestamp time);
  Status Restore(std::string_view file, std::string_view group, Timestamp now);
  std::vector<GroupStatus> Groups() const;
  std::shared_ptr<const storage::CommitWatches> CurrentWatches() const override;
  RoundRunner& runner() { return runner_; }

 private:
  using GroupPtr = std::shared_ptr<RuleGroup>;

  GroupSlotPtr MakeSlot(GroupDefinition definition, const RulesConfig& config, GroupSlotPtr old);
  GroupSlotPtr NewSlot(GroupDefinition definition, const RuleGroup::Settings& settings,
                       std::optional<Duration> spacing) const;
  RuleGroup::Settings SettingsOf(const GroupDefinition& definition,
                                 const RulesConfig& config) const;
  void Depart(RuleGroup& group, Timestamp now);
  void Watch(const std::vector<GroupSlotPtr>& slots);
  GroupPtr Find(std::string_view file, std::string_view group) const;

  const Dependencies dependencies_;
  const ManagerOptions options_;
  std::mutex apply_mutex_;  // one Apply at a time
  bool applied_ = false;    // guarded by apply_mutex_; once

  std::atomic<bool> watches_any_ = false;
  mutable std::mutex watches_mutex_;
  std::shared_ptr<const Watches> watches_;  // guarded by watches_mutex_; null where it has no group

  DepartedSeries departed_;
  RoundRunner runner_;
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
GroupSlotPtr Manager::Impl::MakeSlot(GroupDefinition definition, const RulesConfig& config,
                                     GroupSlotPtr old) {
  const RuleGroup::Settings settings = SettingsOf(definition, config);
  const OnScrapeGroup* const on_scrape = FindOnScrape(config.on_scrape, definition);
  const auto spacing = on_scrape ? std::optional(on_scrape->min_spacing) : std::nullopt;
  if (old && old->group->definition().SameAs(definition) && old->group->settings() == settings) {
    runner_.ChangeSpacing(*old, spacing);
    return old;
  }
  const GroupSlotPtr slot = NewSlot(std::move(definition), settings, spacing);
  if (old) {
    old->group->Retire();
    slot->group->TakeStateFrom(*old->group);
    runner_.Follow(*slot, *old);
  }
  return slot;
}

GroupSlotPtr Manager::Impl::NewSlot(GroupDefinition definition, const RuleGroup::Settings& settings,
                                    std::optional<Duration> spacing) const {
  const bool restored = applied_ || !options_.restore;
  const Timestamp last =
      LastSlot(definition.file, definition.name, settings.interval, dependencies_.clock.Now());
  auto group = std::make_shared<RuleGroup>(std::move(definition), settings, dependencies_, options_,
                                           restored);
  return std::make_shared<GroupSlot>(
      GroupSlot{std::move(group), Timetable(last + settings.interval, settings.interval, spacing)});
}

void Manager::Impl::Depart(RuleGroup& group, Timestamp now) {
  group.Retire();
  const RuleGroup::Settings& settings = group.settings();
  departed_.Add({now + 2 * settings.interval, now - settings.query_offset, group.TakeSeries()});
  if (dependencies_.metrics != nullptr) GroupMetrics::Remove(*dependencies_.metrics, group.key());
}

void Manager::Impl::Apply(Ruleset rules) {
  const std::lock_guard apply_lock(apply_mutex_);
  std::map<std::string, GroupSlotPtr> old;
  for (const GroupSlotPtr& slot : runner_.slots()) old.emplace(slot->group->key(), slot);
  std::vector<GroupSlotPtr> slots;
  for (RuleFile& file : rules.files) {
    for (GroupDefinition& group : file.groups) {
      const auto found = old.find(RuleGroup::Key(group.file, group.name));
      slots.push_back(
          MakeSlot(std::move(group), rules.config, found == old.end() ? nullptr : found->second));
      if (found != old.end()) old.erase(found);
    }
  }
  Watch(slots);
  runner_.Replace(std::move(slots));
  applied_ = true;
  const Timestamp now = dependencies_.clock.Now();
  for (const auto& [key, slot] : old) Depart(*slot->group, now);
  runner_.Wake();
}

void Manager::Impl::Watch(const std::vector<GroupSlotPtr>& slots) {
  auto watches = std::make_shared<Watches>(runner_);
  for (const GroupSlotPtr& slot : slots) {
    if (runner_.MinSpacingOf(*slot)) watches->Add(slot, options_.files.promql);
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

Manager::Impl::GroupPtr Manager::Impl::Find(std::string_view file, std::string_view group) const {
  for (const GroupSlotPtr& slot : runner_.slots()) {
    const GroupDefinition& definition = slot->group->definition();
    if (definition.file == file && definition.name == group) return slot->group;
  }
  return nullptr;
}

Status Manager::Impl::EvaluateRound(std::string_view file, std::string_view group, Timestamp time) {
  const GroupPtr found = Find(file, group);
  if (!found) return NotFound("no rule group " + Quote(group) + " in " + std::string(file));
  departed_.WriteDue(time);
  runner_.Evaluate(*found, {time, RoundCause::kInterval});
  return {};
}

Status Manager::Impl::Restore(std::string_view file, std::string_view group, Timestamp now) {
  const GroupPtr found = Find(file, group);
  if (!found) return NotFound("no rule group " + Quote(group) + " in " + std::string(file));
  found->Restore(now);
  return {};
}

std::vector<GroupStatus> Manager::Impl::Groups() const {
  std::vector<GroupStatus> statuses;
  for (const GroupSlotPtr& slot : runner_.slots()) {
    statuses.push_back(slot->group->GetStatus());
    statuses.back().min_spacing = runner_.MinSpacingOf(*slot);
  }
  return statuses;
}

Manager::Manager(Dependencies dependencies, ManagerOptions options)
    : impl_(std::make_unique<Impl>(std::move(dependencies), options)) {}
Manager::~Manager() = default;

Result<Ruleset> Manager::Load(const RulesConfig& config) const { return impl_->Load(config); }
void Manager::Apply(Ruleset rules) { impl_->Apply(std::move(rules)); }
void Manager::Start() { impl_->runner().Start(); }
void Manager::Stop() { impl_->runner().Stop(); }

Status Manager::EvaluateRound(std::string_view file, std::string_view group, Timestamp time) {
  return impl_->EvaluateRound(file, group, time);
}
void Manager::RunDue() { impl_->runner().RunDue(); }
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
