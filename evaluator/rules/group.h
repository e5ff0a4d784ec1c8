// One rule group in force: its rounds, what they write, and the state that a reload hands on.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "evaluator/rules/manager.h"
#include "evaluator/rules/metrics.h"
#include "evaluator/rules/rule.h"
#include "evaluator/rules/series_tracker.h"
#include "evaluator/rules/task_pool.h"
#include "evaluator/rules/timetable.h"

namespace skep::rules {

// Rounds, Retire and the like wait for one another; status may be asked at any time.
class RuleGroup {
 public:
  // What holds for all groups of one configuration.
  struct Settings {
    Duration interval;
    Duration query_offset;
    Labels external_labels;
    std::string external_url;
    bool operator==(const Settings&) const = default;
  };

  // `restored`: whether alerts of before the start have been looked for, or are not wanted.
  RuleGroup(GroupDefinition definition, const Settings& settings, const Dependencies& dependencies,
            const ManagerOptions& options, bool restored);

  const GroupDefinition& definition() const { return definition_; }
  const Settings& settings() const { return settings_; }
  std::string key() const { return Key(definition_.file, definition_.name); }
  static std::string Key(const std::string& file, const std::string& name) {
    return file + ";" + name;
  }

  // One round. Does nothing once retired.
  void Evaluate(const Turn& turn, TaskPool& pool, const std::atomic<bool>& cancel);
  // The round after which, where it is due, `for` states are restored.
  bool NeedsRestore() const;
  void Restore(Timestamp now);
  // `missed` slots went by without a round.
  void CountMissed(std::int64_t missed);

  // No further round begins; waits for the one under way.
  void Retire();
  // Takes over alerts and series of those rules of `old`, which is retired, whose name and labels
  // are here too. Series of the others get markers at the next round.
  void TakeStateFrom(RuleGroup& old);
  // Of a group that is retired for good: all series it has written. Then they are forgotten.
  std::vector<Labels> TakeSeries();

  GroupStatus GetStatus() const;

 private:
  // Of all rules of a round.
  struct Totals {
    std::atomic<std::size_t> samples = 0;
    std::atomic<std::int64_t> duration_ns = 0;
  };

  void PrepareQueries();
  // False where it was canceled.
  bool RunLevels(const Round& round, TaskPool& pool, Totals& totals);
  void EvaluateRule(std::size_t index, const Round& round, Totals& totals);
  Status EvaluateInto(std::size_t index, const Round& round, Totals& totals);
  Status WriteResults(std::size_t index, const Round& round, const std::vector<OutputSample>& out);
  void WriteStale(Timestamp time);
  void RestoreRule(AlertingRule& rule, storage::Querier& querier, Timestamp now) const;

  const GroupDefinition definition_;
  const Settings settings_;
  const Dependencies& dependencies_;
  const ManagerOptions& options_;
  const Logger logger_;
  GroupMetrics metrics_;
  std::vector<std::unique_ptr<Rule>> rules_;
  std::vector<std::vector<std::size_t>> levels_;

  mutable std::mutex round_mutex_;
  // Guarded by round_mutex_:
  std::unique_ptr<PreparedGroup> prepared_;  // from the first round on; null: nothing is shared
  std::vector<SeriesTracker> trackers_;      // one per rule
  std::vector<Labels> stale_;                // of rules that are gone
  bool retired_ = false;
  std::optional<Timestamp> first_round_;  // its time
  Timestamp last_round_{};
  bool restored_;

  mutable std::mutex status_mutex_;
  // Guarded by status_mutex_:
  std::chrono::nanoseconds evaluation_time_{0};
  std::optional<Timestamp> last_evaluation_;
  RoundCounts rounds_;
};

}  // namespace skep::rules
