#include "evaluator/engine/engine.h"

#include <algorithm>

#include "evaluator/engine/context.h"
#include "evaluator/engine/evaluator.h"
#include "evaluator/engine/plan.h"
#include "evaluator/engine/range_content.h"
#include "evaluator/engine/shared_parts.h"
#include "evaluator/promql/duration_expr.h"

namespace skep::engine {
namespace {

using promql::ValueType;

// Names that were kept until now go; what becomes equal by it is merged.
Status DropNamesAtLast(QueryContext& context, Table& table) {
  if (!context.delayed_name_removal()) {  // Settle does it
    return table.distinct_without_name ? Status() : context.MergeEqual(table);
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    Row& row = table.row(i);
    if (!row.drop_name) continue;
    row.labels = context.Own(WithoutMetadata(*row.labels));
    row.drop_name = false;
  }
  return context.MergeEqual(table);
}

promql::InstantVector ToInstantVector(const Table& table, Timestamp time) {
  promql::InstantVector vector;
  vector.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double value = table.values(i)[0];
    if (IsPresent(value)) {
      vector.push_back({FinalLabels(table.row(i)), {time, value}});
    } else if (HistogramPtr histogram = table.SharedHistogram(i, 0)) {
      vector.push_back({FinalLabels(table.row(i)), {time, 0}, std::move(histogram)});
    }
  }
  return vector;
}

Result<Table> EvaluateVector(QueryContext& context, const promql::Expr& expr, const Steps& steps) {
  Result<Table> table = Evaluator(context).Vector(expr, steps);
  if (!table) return table;
  RETURN_IF_ERROR(DropNamesAtLast(context, *table));
  RETURN_IF_ERROR(context.Check());
  return table;
}

Result<promql::Value> RawSamples(QueryContext& context, const promql::Expr& expr,
                                 const Steps& steps) {
  RangeSpec spec;
  const auto source = Evaluator(context).Range(expr, steps, RangeDetail::kSamples, spec);
  if (!source) return source.error();
  promql::Matrix matrix;
  RangeSeries series;
  while (true) {
    const Result<bool> more = (*source)->Next(series);
    if (!more) return more.error();
    if (!*more) break;
    promql::MatrixSeries out{FinalLabels(series.row), {}};
    for (std::size_t i = 0; i < series.samples.size(); ++i) {
      out.samples.push_back({series.samples.times[i], series.samples.values[i]});
    }
    const storage::SampleColumns::Histograms& histograms = series.samples.histograms;
    for (std::size_t i = 0; i < histograms.size(); ++i) {
      out.histograms.push_back({histograms.times[i], histograms.values[i]});
    }
    context.stats.samples_read += out.samples.size() + out.histograms.size();
    if (out.samples.empty() && out.histograms.empty()) continue;
    matrix.push_back(std::move(out));
  }
  return promql::Value(std::move(matrix));
}

// The value at a single step.
Result<promql::Value> EvaluateOnce(QueryContext& context, const promql::Expr& expr,
                                   const Steps& steps) {
  const Timestamp time = FromMillis(steps.start);
  switch (expr.type()) {
    case ValueType::kScalar: {
      Result<Column> column = Evaluator(context).Scalar(expr, steps);
      if (!column) return column.error();
      return promql::Value(promql::Scalar{time, column->front()});
    }
    case ValueType::kVector: {
      Result<Table> table = EvaluateVector(context, expr, steps);
      if (!table) return table.error();
      return promql::Value(ToInstantVector(*table, time));
    }
    case ValueType::kString: {
      const auto* text = promql::As<promql::StringLiteral>(promql::StripParens(expr));
      return promql::Value(promql::StringValue{time, text->value});
    }
    case ValueType::kMatrix:
      return RawSamples(context, expr, steps);
  }
  return Internal("an expression without a type");
}

// The values at all steps; a scalar is a series without labels.
Result<Table> EvaluateOver(QueryContext& context, const promql::Expr& expr, const Steps& steps) {
  if (expr.type() == ValueType::kVector) return EvaluateVector(context, expr, steps);
  Result<Column> column = Evaluator(context).Scalar(expr, steps);
  if (!column) return column.error();
  Table table(context.budget, steps.count);
  std::copy(column->begin(), column->end(), table.Add({context.Own(Labels())}));
  return table;
}

Status CheckTimes(const promql::Expr& expr, const QueryOptions& when) {
  if (when.end < when.start) return Invalid("end timestamp must not be before start time");
  if (when.step.count() < 0) return Invalid("step must not be negative");
  if (when.step.count() == 0) {
    return when.end == when.start ? Status() : Invalid("a range query needs a step");
  }
  const ValueType type = expr.type();
  if (type == ValueType::kScalar || type == ValueType::kVector) return {};
  return Invalid("invalid expression type \"" + std::string(promql::DocumentedType(type)) +
                 "\" for range query, must be Scalar or instant Vector");
}

Steps StepsOf(const QueryOptions& when) {
  if (when.step.count() == 0) return Steps::Once(ToMillis(when.start));
  const auto count = static_cast<std::size_t>((when.end - when.start) / when.step) + 1;
  return {ToMillis(when.start), when.step.count(), count};
}

// A tree whose durations are numbers: the query's own, or a copy resolved for `when`.
Result<std::shared_ptr<const promql::Expr>> Resolve(const Query& query, const QueryOptions& when) {
  if (!promql::HasDurationExpr(query.expr())) {
    return std::shared_ptr<const promql::Expr>(std::shared_ptr<void>(), &query.expr());
  }
  promql::ExprPtr copy = promql::Clone(query.expr());
  RETURN_IF_ERROR(promql::ResolveDurations(*copy, query.text(),
                                           {.step = when.step, .range = when.end - when.start}));
  return std::shared_ptr<const promql::Expr>(std::move(copy));
}

}  // namespace

Result<Query> Query::Parse(std::string_view text, const promql::ParseOptions& options) {
  Result<promql::ExprPtr> expr = promql::ParseExpr(text, options);
  if (!expr) return expr.error();
  return Query(std::make_shared<const std::string>(text),
               std::shared_ptr<const promql::Expr>(std::move(*expr)));
}

// The right to work; waits for it where too many queries run.
class Engine::Slot {
 public:
  static Result<Slot> Take(const Engine& engine, const QueryOptions& when, Clock::Steady deadline) {
    std::unique_lock lock(engine.mutex_);
    ++engine.waiting_;
    const auto free = [&engine] {
      return engine.options_.max_concurrency == 0 ||
             engine.working_ < engine.options_.max_concurrency;
    };
    // A canceled caller notifies nobody, so look now and then.
    constexpr auto kLook = std::chrono::milliseconds(50);
    while (!free()) {
      engine.slot_free_.wait_for(lock, kLook);
      const bool canceled = when.cancel != nullptr && when.cancel->load();
      if (!canceled && engine.clock_.SteadyNow() < deadline) continue;
      --engine.waiting_;
      if (canceled) return Error(ErrorKind::kCanceled, "query was canceled in query queue");
      return Error(ErrorKind::kTimeout, "query timed out in query queue");
    }
    --engine.waiting_;
    ++engine.working_;
    return Slot(engine);
  }

  Slot(Slot&& other) noexcept : engine_(std::exchange(other.engine_, nullptr)) {}
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (engine_ == nullptr) return;
    const std::lock_guard lock(engine_->mutex_);
    --engine_->working_;
    engine_->slot_free_.notify_one();
  }

 private:
  explicit Slot(const Engine& engine) : engine_(&engine) {}

  const Engine* engine_;
};

Engine::Engine(const Clock& clock, EngineOptions options)
    : clock_(clock), options_(options), subquery_step_ms_(options_.default_subquery_step.count()) {}

std::size_t Engine::active_queries() const {
  const std::lock_guard lock(mutex_);
  return working_ + waiting_;
}

// A query that has its slot, its deadline and what it reads from.
class Engine::Execution {
 public:
  // Waits for the slot.
  static Result<Execution> Begin(const Engine& engine, const Query& query,
                                 storage::Queryable& storage, const QueryOptions& when);

  // At the one step, or over all; at most one of the two is called.
  Result<QueryResult> Once(const Query& query);
  Result<RangeResult> Over(const Query& query);

 private:
  Execution(const Engine& engine, Slot slot, Clock::Steady begin)
      : engine_(engine), slot_(std::move(slot)), begin_(begin), work_(engine.clock_.SteadyNow()) {}
  Status Open(const Query& query, storage::Queryable& storage, const QueryOptions& when,
              Clock::Steady deadline);
  // What the query has in itself several times; null: nothing.
  SharedParts* MakeOwnParts();
  QueryRemarks TakeRemarks(const Query& query);

  const Engine& engine_;
  Slot slot_;
  Clock::Steady begin_;
  Clock::Steady work_;
  std::shared_ptr<const promql::Expr> expr_;
  Steps steps_;
  std::unique_ptr<SharedParts> own_parts_;  // where nobody shares more
  std::unique_ptr<QueryContext> context_;
};

Result<Engine::Execution> Engine::Execution::Begin(const Engine& engine, const Query& query,
                                                   storage::Queryable& storage,
                                                   const QueryOptions& when) {
  RETURN_IF_ERROR(CheckTimes(query.expr(), when));
  const Clock::Steady begin = engine.clock_.SteadyNow();
  const Duration longest = engine.options_.limits.timeout;
  const Duration timeout = std::min(when.timeout.value_or(longest), longest);
  if (timeout <= Duration::zero()) {
    return Error(ErrorKind::kTimeout, "query timed out in query execution");
  }
  Result<Slot> slot = Slot::Take(engine, when, begin + timeout);
  if (!slot) return slot.error();
  Execution execution(engine, *std::move(slot), begin);
  RETURN_IF_ERROR(execution.Open(query, storage, when, begin + timeout));
  return execution;
}

Status Engine::Execution::Open(const Query& query, storage::Queryable& storage,
                               const QueryOptions& when, Clock::Steady deadline) {
  auto expr = Resolve(query, when);
  if (!expr) return expr.error();
  expr_ = *std::move(expr);
  const Duration lookback =
      when.lookback_delta.count() > 0 ? when.lookback_delta : engine_.options_.lookback_delta;
  Result<std::unique_ptr<storage::Querier>> querier =
      storage.NewQuerier(TimesNeeded(*expr_, when, lookback));
  if (!querier) return querier.error();
  SharedParts* shared = when.shared;
  if (shared == nullptr && when.step.count() == 0) shared = MakeOwnParts();
  context_ = std::make_unique<QueryContext>(
      QueryContext::Setup{.clock = engine_.clock_,
                          .options = engine_.options_,
                          .when = when,
                          .default_subquery_step_ms = engine_.subquery_step_ms_,
                          .deadline = deadline,
                          .querier = std::move(*querier),
                          .step_invariant = StepInvariant(*expr_),
                          .stats_only = StatsOnly(*expr_),
                          // A resolved copy has other nodes at every run.
                          .plan = expr_.get() == &query.expr() ? when.plan : nullptr,
                          .shared = shared});
  steps_ = StepsOf(when);
  if (!context_->budget.Fits(steps_.count)) {
    return Invalid("query processing would load too many samples into memory in query execution");
  }
  return {};
}

SharedParts* Engine::Execution::MakeOwnParts() {
  if (promql::Selectors(*expr_).size() < 2) return nullptr;
  own_parts_ = std::make_unique<SharedParts>();
  own_parts_->Add(*expr_, [](const promql::VectorSelector&) { return std::size_t{0}; });
  return own_parts_.get();
}

Result<QueryResult> Engine::Execution::Once(const Query& query) {
  Result<promql::Value> value = EvaluateOnce(*context_, *expr_, steps_);
  if (!value) return value.error();
  return QueryResult{TakeRemarks(query), *std::move(value)};
}

Result<RangeResult> Engine::Execution::Over(const Query& query) {
  Result<Table> table = EvaluateOver(*context_, *expr_, steps_);
  if (!table) return table.error();
  QueryRemarks remarks = TakeRemarks(query);
  return RangeResult{std::move(remarks), RangeAnswer(std::make_unique<const RangeAnswer::Content>(
                                             std::move(context_), *std::move(table), steps_))};
}

QueryRemarks Engine::Execution::TakeRemarks(const Query& query) {
  QueryRemarks remarks{.warnings = std::move(context_->storage_warnings),
                       .infos = context_->annotations.Infos(query.text()),
                       .stats = context_->stats};
  for (std::string& warning : context_->annotations.Warnings(query.text())) {
    remarks.warnings.push_back(std::move(warning));
  }
  remarks.stats.peak_samples = context_->budget.peak_samples();
  remarks.stats.queue_time = work_ - begin_;
  remarks.stats.eval_time = engine_.clock_.SteadyNow() - work_;
  return remarks;
}

Result<QueryResult> Engine::Run(const Query& query, storage::Queryable& storage,
                                const QueryOptions& when) const {
  if (when.step.count() == 0) {
    Result<Execution> execution = Execution::Begin(*this, query, storage, when);
    if (!execution) return execution.error();
    return execution->Once(query);
  }
  Result<RangeResult> result = RunRange(query, storage, when);
  if (!result) return result.error();
  promql::Matrix matrix(result->answer.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) result->answer.Read(i, matrix[i]);
  return QueryResult{std::move(*result), std::move(matrix)};
}

Result<RangeResult> Engine::RunRange(const Query& query, storage::Queryable& storage,
                                     const QueryOptions& when) const {
  Result<Execution> execution = Execution::Begin(*this, query, storage, when);
  if (!execution) return execution.error();
  return execution->Over(query);
}
}  // namespace skep::engine
