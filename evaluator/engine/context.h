// What all operators of one running query share.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/model/labels.h"
#include "evaluator/engine/annotations.h"
#include "evaluator/engine/engine.h"
#include "evaluator/engine/shared_parts.h"
#include "evaluator/engine/table.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

class PreparedPlan;

// __name__, __type__, __unit__: what stops being true when a function has changed the values.
bool IsMetadataLabel(std::string_view name);

// Thread-compatible: a query runs on one thread.
class QueryContext {
 public:
  struct Setup {
    const Clock& clock;
    const EngineOptions& options;
    const QueryOptions& when;
    std::int64_t default_subquery_step_ms;
    Clock::Steady deadline;
    std::unique_ptr<storage::Querier> querier;
    // Subtrees that give the same at every step (plan.h).
    std::unordered_set<const promql::Expr*> step_invariant;
    std::unordered_set<const promql::Expr*> stats_only;  // see StatsOnly() there
    PreparedPlan* plan = nullptr;                        // of this tree; may be null
    SharedParts* shared = nullptr;                       // may be null
  };
  explicit QueryContext(Setup setup);

  // Called between pieces of work (a series, a few thousand values): kCanceled, kTimeout, or
  // kInvalid where the query holds too much.
  Status Check();

  bool delayed_name_removal() const { return setup_.options.delayed_name_removal; }
  bool type_and_unit_labels() const { return setup_.options.type_and_unit_labels; }
  bool use_start_timestamps() const { return setup_.options.use_start_timestamps; }
  std::int64_t lookback_ms() const { return lookback_ms_; }
  std::int64_t default_subquery_step_ms() const { return setup_.default_subquery_step_ms; }
  const QueryOptions& when() const { return setup_.when; }
  bool is_range_query() const { return setup_.when.step.count() > 0; }
  storage::Querier& querier() { return *setup_.querier; }
  // What is kept from run to run; null: nothing.
  PreparedPlan* plan() { return setup_.plan; }
  bool IsStepInvariant(const promql::Expr& expr) const {
    return setup_.step_invariant.contains(&expr);
  }

  // The part that others have too. Null: `expr` is none, or is not evaluated at the query's time.
  SharedParts::Part* SharedPart(const promql::Expr& expr, const Steps& steps) const {
    const bool now =
        !is_range_query() && steps.count == 1 && steps.start == ToMillis(setup_.when.start);
    return setup_.shared == nullptr || !now ? nullptr : setup_.shared->Find(expr);
  }

  bool IsStatsOnly(const promql::Expr& selector) const {
    return setup_.stats_only.contains(&selector);
  }

  // Keeps a label set until the end of the query.
  const Labels* Own(Labels labels);
  // Keeps alive what rows point into.
  void Own(std::shared_ptr<storage::SeriesSet> set) { sets_.push_back(std::move(set)); }
  const std::vector<std::shared_ptr<storage::SeriesSet>>& sets() const { return sets_; }
  // While one exists, answers of the store are made fit for rows of several queries.
  class SharingSets {
   public:
    explicit SharingSets(QueryContext& context) : context_(context) { ++context_.sharing_sets_; }
    ~SharingSets() { --context_.sharing_sets_; }
    SharingSets(const SharingSets&) = delete;
    SharingSets& operator=(const SharingSets&) = delete;

   private:
    QueryContext& context_;
  };
  bool shares_sets() const { return sharing_sets_ > 0; }

  // After the last operator: lets go of the store. Rows lose what they point to; the budget stays.
  void ReleaseStorage();

  // Takes the metadata labels away, where they are to go and are not needed any more: afterwards
  // `row.labels` is what operators see.
  void Settle(Row& row);
  void Settle(Table& table);
  // Marks that the values are no longer the metric's.
  void DropName(Table& table);
  // Makes rows with equal labels one. kInvalid where a step has two of them.
  Status MergeEqual(Table& table);
  // The same after an operator that dropped names. With delayed removal the end of the query does
  // it.
  Status MergeAfterDrop(Table& table);
  // kInvalid where two rows are equal at all: functions over ranges are strict.
  Status RefuseEqual(Table& table);

  Budget budget;
  Annotations annotations;
  QueryStats stats;
  std::vector<std::string> storage_warnings;

 private:
  std::vector<std::pair<std::uint64_t, std::size_t>> SortedHashes(const Table& table) const;

  Setup setup_;
  std::int64_t lookback_ms_;
  unsigned checks_ = 0;
  int sharing_sets_ = 0;
  std::deque<Labels> labels_;
  std::vector<std::shared_ptr<storage::SeriesSet>> sets_;
};

// `labels` without metadata labels.
Labels WithoutMetadata(const Labels& labels);

}  // namespace skep::engine
