// PromQL over any storage: a parsed query and a time (or a range of times) in, a value with its
// warnings out. Works on columns: each operator makes (series x steps) in one go; README.md says
// how.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/engine/range_answer.h"
#include "evaluator/promql/ast.h"
#include "evaluator/promql/parser.h"
#include "evaluator/promql/value.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

class PreparedPlan;
class SharedParts;

// A query text with its tree: parse once, run often. Immutable; copies share the tree. Thread-safe.
class Query {
 public:
  // kInvalid with the place in the text: what the HTTP API calls bad_data.
  static Result<Query> Parse(std::string_view text, const promql::ParseOptions& options = {});

  const std::string& text() const { return *text_; }
  const promql::Expr& expr() const { return *expr_; }

 private:
  Query(std::shared_ptr<const std::string> text, std::shared_ptr<const promql::Expr> expr)
      : text_(std::move(text)), expr_(std::move(expr)) {}

  std::shared_ptr<const std::string> text_;  // annotations count lines and columns in it
  std::shared_ptr<const promql::Expr> expr_;
};

// What a query may take. Reaching a limit ends the query with an error and hurts nobody else.
struct Limits {
  // Samples held at one time: those being read and those of every intermediate result.
  // --query.max-samples.
  std::size_t max_samples = 50'000'000;
  // Bytes of columns and label sets held at one time. 0: no limit but max_samples.
  std::size_t max_bytes = 0;
  Duration timeout = std::chrono::minutes(2);  // --query.timeout; waiting for a free slot counts
};

struct EngineOptions {
  Duration lookback_delta = std::chrono::minutes(5);  // --query.lookback-delta
  // The step of a subquery that names none: Prometheus's global evaluation interval. At the start;
  // see SetDefaultSubqueryStep.
  Duration default_subquery_step = std::chrono::minutes(1);
  Limits limits;
  std::size_t max_concurrency = 20;  // --query.max-concurrency; more wait. 0: no limit
  // --enable-feature=promql-delayed-name-removal: the metric name goes at the end of the query, not
  // at the first function, so that label_replace and friends still see it.
  bool delayed_name_removal = false;
  // --enable-feature=type-and-unit-labels: rate() judges by __type__, not by the name's ending.
  bool type_and_unit_labels = false;
  // --enable-feature=use-start-timestamps: rate(), irate(), increase() and resets() take it into
  // account when a counter began, and start_timestamp() tells it. Not in extended selectors.
  bool use_start_timestamps = false;
};

// When to evaluate.
struct QueryOptions {
  Timestamp start;
  Timestamp end;
  Duration step{0};            // 0: an instant query at `start`, which equals `end`
  Duration lookback_delta{0};  // 0: the engine's
  // Never longer than the engine's. 0 and less: the query ends with kTimeout at once.
  std::optional<Duration> timeout = {};
  // Looked at between steps of the work; true ends the query. May be null. Outlives the call.
  const std::atomic<bool>* cancel = nullptr;
  // What earlier runs of the same query over the same store left, for a faster one; this run adds
  // to it. One run at a time uses it. May be null. Outlives the call.
  PreparedPlan* plan = nullptr;
  // Parts that other queries at the same time have too; instant queries compute each of them once.
  // Remarks on a part are made to one of them only. May be null. Outlives the call.
  SharedParts* shared = nullptr;

  static QueryOptions At(Timestamp time) { return {.start = time, .end = time}; }
  // Both ends included. Requires: step > 0, start <= end.
  static QueryOptions Over(Timestamp start, Timestamp end, Duration step) {
    return {.start = start, .end = end, .step = step};
  }
};

struct QueryStats {
  std::size_t samples_read = 0;  // samples that selectors looked at, as Prometheus counts them
  std::size_t peak_samples = 0;  // most held at one time
  std::size_t series_selected = 0;
  std::chrono::nanoseconds queue_time{0};
  std::chrono::nanoseconds eval_time{0};
};

// What there is to say of an answer.
struct QueryRemarks {
  // "PromQL warning: … (line:column)" and "PromQL info: …"; storage's warnings come first.
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  QueryStats stats;
};

struct QueryResult : QueryRemarks {
  // Instant query: vector (sorted or topk'd order is kept), scalar, string, or the matrix of a
  // range selector. Range query: matrix, by label set.
  promql::Value value;
};

struct RangeResult : QueryRemarks {
  RangeAnswer answer;
};

// Thread-safe: any number of queries at once, max_concurrency of them working.
class Engine {
 public:
  // `clock` (timeouts only) outlives the engine.
  explicit Engine(const Clock& clock, EngineOptions options = {});

  // Errors: kInvalid: the expression cannot be evaluated over these samples (duplicate label sets,
  // too many samples, many-to-many matching, a parameter out of range): what the HTTP API calls
  // execution. kTimeout, kCanceled. Everything else is storage's, as it came.
  // Requires: of a range query, query.expr() is a scalar or an instant vector, else kInvalid.
  Result<QueryResult> Run(const Query& query, storage::Queryable& storage,
                          const QueryOptions& when) const;
  // The same for range queries, whose answer is then made series by series, in a third of the
  // memory. Requires: when.step > 0.
  Result<RangeResult> RunRange(const Query& query, storage::Queryable& storage,
                               const QueryOptions& when) const;

  // For queries that begin from now on: a reload may change the global evaluation interval.
  // Requires: step > 0.
  void SetDefaultSubqueryStep(Duration step) { subquery_step_ms_ = step.count(); }

  const EngineOptions& options() const { return options_; }
  // Queries that are working or waiting now.
  std::size_t active_queries() const;

 private:
  class Slot;
  class Execution;

  const Clock& clock_;
  const EngineOptions options_;
  std::atomic<std::int64_t> subquery_step_ms_;
  mutable std::mutex mutex_;
  mutable std::condition_variable slot_free_;
  mutable std::size_t working_ = 0;  // guarded by mutex_
  mutable std::size_t waiting_ = 0;  // guarded by mutex_
};

}  // namespace skep::engine
