// All rule groups in force: loading, taking over at a reload, running on time, and their status.
//
//   rules::Manager manager(dependencies, options);
//   Result<rules::Ruleset> rules = manager.Load(configuration);   // nothing changes yet
//   if (rules) manager.Apply(std::move(*rules));                  // cannot fail
//   manager.Start();  ...  manager.Stop();
//
// A test or a replay calls no Start, but EvaluateRound for the times it wants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/rules/interfaces.h"
#include "evaluator/rules/on_scrape.h"
#include "evaluator/rules/rule_file.h"
#include "evaluator/rules/status.h"
#include "evaluator/storage/appender.h"
#include "evaluator/storage/commit_watches.h"
#include "evaluator/storage/querier.h"

namespace skep::instrument {
class Instruments;
}

namespace skep::rules {

// Whom the manager works with; all outlive it. Thread-safe, all of them.
struct Dependencies {
  QueryRunner& queries;
  storage::Appendable& storage;  // results, ALERTS and ALERTS_FOR_STATE go there
  storage::Queryable& past;      // ALERTS_FOR_STATE of before the start comes from there
  AlertSink& alerts;
  const Clock& clock;
  Logger logger = Logger::Silent();
  instrument::Instruments* metrics = nullptr;  // null: own metrics are not kept
};

// Fixed for the program's life. Defaults are Prometheus's.
struct ManagerOptions {
  Duration resend_delay = std::chrono::minutes(1);    // --rules.alert.resend-delay
  Duration outage_tolerance = std::chrono::hours(1);  // --rules.alert.for-outage-tolerance
  Duration grace_period = std::chrono::minutes(10);   // --rules.alert.for-grace-period
  std::size_t max_concurrent_evals = 4;               // --rules.max-concurrent-evals
  std::size_t group_threads = 100;  // groups in a round at the same time, at most; made as needed
  RuleFileOptions files = {};
  // Rules of the first Apply take their `for` state from ALERTS_FOR_STATE.
  bool restore = true;
};

// The part of the configuration file that rules follow; may change at each Apply.
struct RulesConfig {
  std::vector<std::string> files;  // paths or patterns of `rule_files`
  Duration evaluation_interval = std::chrono::minutes(1);
  Duration query_offset{0};  // rule_query_offset
  Labels external_labels = {};
  std::string external_url = {};              // no slash at its end
  std::vector<OnScrapeGroup> on_scrape = {};  // groups that scrapes set going
};

// Checked rules that are not in force yet.
struct Ruleset {
  RulesConfig config;
  std::vector<RuleFile> files;

  std::size_t CountRules() const;
};

// Thread-safe.
class Manager {
 public:
  Manager(Dependencies dependencies, ManagerOptions options);
  ~Manager();  // stops

  // Reads and checks every file the patterns name. All or nothing; the error names file, line and
  // column and counts further ones.
  Result<Ruleset> Load(const RulesConfig& config) const;
  // Puts the rules in force in place of those before. A group that did not change goes on as if
  // nothing happened; one that did keeps the state of those rules whose name and labels stayed.
  // Series of rules that went away get staleness markers. Waits for rounds that are running.
  void Apply(Ruleset rules);

  // Runs groups at their times, and those that go by scrapes when the feed tells of one, on threads
  // of its own until Stop. At most once.
  void Start();
  // Cancels running rounds and waits for them. Alert states stay readable.
  void Stop();

  // One round of one group at `time`, on the caller's thread: its rules in order, those that do not
  // depend on one another side by side where Start was called. Writes no ALERTS before Restore was
  // called or where ManagerOptions::restore is false. kNotFound: no such group.
  Status EvaluateRound(std::string_view file, std::string_view group, Timestamp time);
  // All rounds that are due by the clock, on the caller's thread. Requires: Start was not called.
  void RunDue();
  // `for` state from ALERTS_FOR_STATE as of `now`, as Start does it after a group's second round.
  Status Restore(std::string_view file, std::string_view group, Timestamp now);

  // In the order of their files and within them.
  std::vector<GroupStatus> Groups() const;
  // Pending and firing alerts of all groups.
  std::vector<AlertStatus> Alerts() const;
  std::size_t CountRules() const;

  // For whoever commits samples that groups with `on_scrape` may want to hear of; results of rules
  // are none of them. Good as long as the manager, as are the watches that it gives.
  const storage::CommitFeed& commits() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::rules
