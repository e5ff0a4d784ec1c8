// What rules need of others: somebody who answers queries, and somebody who takes alerts.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/alert.h"
#include "evaluator/promql/ast.h"
#include "evaluator/promql/value.h"

namespace skep::rules {

// One expression, made ready once and run at every round. Thread-compatible: one run at a time.
class PreparedQuery {
 public:
  virtual ~PreparedQuery() = default;

  // An instant query at `time`. Vectors and scalars are what a rule can use. `cancel` (never null)
  // turns true when the answer is no longer wanted; the run then ends soon with kCanceled.
  virtual Result<promql::Value> Run(Timestamp time, const std::atomic<bool>* cancel) = 0;
};

// One expression of a group.
struct GroupQuery {
  std::string_view expr;
  // How many rules of the group run before it and write a series that the selector, one of `expr`,
  // may match. Of two queries with equal selectors and equal numbers, nothing that a rule of the
  // group wrote lies between. Thread-safe.
  std::function<std::size_t(const promql::VectorSelector&)> writers_before;
};

// The expressions of one group. What is equal in several of them, and sees the same samples, is
// computed once in a round.
class PreparedGroup {
 public:
  virtual ~PreparedGroup() = default;

  // That of the expression at `index`; of different ones, several run at once. Null: it cannot be
  // made ready, and Prepare says why. At most once for each index.
  virtual std::unique_ptr<PreparedQuery> TakeQuery(std::size_t index) = 0;
  // Lets go of what the queries of a round have shared. Requires: none is running.
  virtual void EndRound() = 0;
};

// Thread-safe. Outlives what it prepared.
class QueryRunner {
 public:
  virtual ~QueryRunner() = default;

  // `expr` has been parsed before with the options of this program, so an error here is rare.
  virtual Result<std::unique_ptr<PreparedQuery>> Prepare(std::string_view expr) = 0;
  // Those of a group; keeps no reference to `queries`. Null: they can share nothing, each rule
  // prepares its own.
  virtual std::unique_ptr<PreparedGroup> PrepareGroup(const std::vector<GroupQuery>& /*queries*/) {
    return nullptr;
  }
};

// Takes alerts for delivery. Thread-safe: rules of several groups call it at once.
class AlertSink {
 public:
  virtual ~AlertSink() = default;

  // Firing and just resolved alerts that are due to be sent, of one rule, at least one. External
  // labels are not among their labels: who delivers adds them, as Prometheus does. Must not block
  // for long: it is called from within a round.
  virtual void Send(std::vector<Alert> alerts) = 0;
};

}  // namespace skep::rules
