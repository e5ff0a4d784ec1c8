#include "evaluator/engine/engine.h"

#include <algorithm>

#include "evaluator/engine/context.h"
#include "evaluator/engine/evaluator.h"
#include "evaluator/engine/plan.h"
#include "evaluator/promql/duration_expr.h"

namespace skep::engine {
namespace {

using promql::ValueType;

// The labels a client sees.
Labels FinalLabels(const Row& row) {
  return row.drop_name ? WithoutMetadata(*row.labels) : *row.labels;
}

// Names that were kept until now go; what becomes equal by it is merged.
Status DropNamesAtLast(QueryContext& context, Table& table) {
  bool any = false;
  for (std::size_t i = 0; i < table.size(); ++i) {
    Row& row = table.row(i);
    if (!row.drop_name) continue;
    any = true;
    if (!context.delayed_name_removal()) continue;  // Settle does it
    row.labels = context.Own(WithoutMetadata(*row.labels));
    row.drop_name = false;
  }
  if (any && table.distinct_without_name && !context.delayed_name_removal()) return {};
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

promql::Matrix ToMatrix(const Table& table, const Steps& steps) {
  promql::Matrix matrix;
  matrix.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    promql::MatrixSeries series{FinalLabels(table.row(i)), {}};
    const double* values = table.values(i);
    for (std::size_t s = 0; s < steps.count; ++s) {
      if (IsPresent(values[s])) series.samples.push_back({FromMillis(steps.At(s)), values[s]});
    }
    const HistogramPtr* const histograms = table.histograms(i);
    for (std::size_t s = 0; histograms != nullptr && s < steps.count; ++s) {
      if (histograms[s] == nullptr) continue;
      series.histograms.push_back({FromMillis(steps.At(s)), histograms[s]});
    }
    if (series.samples.empty() && series.histograms.empty()) continue;
    matrix.push_back(std::move(series));
  }
  std::sort(matrix.begin(), matrix.end(),
            [](const auto& a, const auto& b) { return a.labels < b.labels; });
  return matrix;
}

Result<promql::Value> RawSamples(QueryContext& context, const promql::Expr& expr,
                                 const Steps& steps) {
  RangeSpec spec;
  const auto source = Evaluator(context).Range(expr, steps, spec);
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

Result<promql::Value> EvaluateScalar(QueryContext& context, const promql::Expr& expr,
                                     const Steps& steps, bool range_query) {
  Result<Column> column = Evaluator(context).Scalar(expr, steps);
  if (!column) return column.error();
  if (!range_query) {
    return promql::Value(promql::Scalar{FromMillis(steps.start), column->front()});
  }
  promql::MatrixSeries series;
  for (std::size_t s = 0; s < steps.count; ++s) {
    series.samples.push_back({FromMillis(steps.At(s)), (*column)[s]});
  }
  return promql::Value(promql::Matrix{std::move(series)});
}

Result<promql::Value> EvaluateVector(QueryContext& context, const promql::Expr& expr,
                                     const Steps& steps, bool range_query) {
  Result<Table> table = Evaluator(context).Vector(expr, steps);
  if (!table) return table.error();
  RETURN_IF_ERROR(DropNamesAtLast(context, *table));
  RETURN_IF_ERROR(context.Check());
  if (range_query) return promql::Value(ToMatrix(*table, steps));
  return promql::Value(ToInstantVector(*table, FromMillis(steps.start)));
}

Result<promql::Value> Evaluate(QueryContext& context, const promql::Expr& expr,
                               const Steps& steps) {
  const bool range_query = context.is_range_query();
  switch (expr.type()) {
    case ValueType::kScalar:
      return EvaluateScalar(context, expr, steps, range_query);
    case ValueType::kVector:
      return EvaluateVector(context, expr, steps, range_query);
    case ValueType::kString: {
      const auto* text = promql::As<promql::StringLiteral>(promql::StripParens(expr));
      return promql::Value(promql::StringValue{FromMillis(steps.start), text->value});
    }
    case ValueType::kMatrix:
      return RawSamples(context, expr, steps);
  }
  return Internal("an expression without a type");
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

Result<QueryResult> Engine::Run(const Query& query, storage::Queryable& storage,
                                const QueryOptions& when) const {
  RETURN_IF_ERROR(CheckTimes(query.expr(), when));
  const Clock::Steady begin = clock_.SteadyNow();
  const Duration timeout =
      std::min(when.timeout.value_or(options_.limits.timeout), options_.limits.timeout);
  if (timeout <= Duration::zero()) {
    return Error(ErrorKind::kTimeout, "query timed out in query execution");
  }
  const Result<Slot> slot = Slot::Take(*this, when, begin + timeout);
  if (!slot) return slot.error();
  const Clock::Steady work = clock_.SteadyNow();

  const auto expr = Resolve(query, when);
  if (!expr) return expr.error();
  const Duration lookback =
      when.lookback_delta.count() > 0 ? when.lookback_delta : options_.lookback_delta;
  Result<std::unique_ptr<storage::Querier>> querier =
      storage.NewQuerier(TimesNeeded(**expr, when, lookback));
  if (!querier) return querier.error();

  QueryContext context({.clock = clock_,
                        .options = options_,
                        .when = when,
                        .default_subquery_step_ms = subquery_step_ms_,
                        .deadline = begin + timeout,
                        .querier = std::move(*querier),
                        .step_invariant = StepInvariant(**expr),
                        .stats_only = StatsOnly(**expr)});
  const Steps steps = StepsOf(when);
  if (!context.budget.Fits(steps.count)) {
    return Invalid("query processing would load too many samples into memory in query execution");
  }
  Result<promql::Value> value = Evaluate(context, **expr, steps);
  if (!value) return value.error();

  QueryResult result{.value = std::move(*value),
                     .warnings = std::move(context.storage_warnings),
                     .infos = context.annotations.Infos(query.text()),
                     .stats = context.stats};
  const std::vector<std::string> warnings = context.annotations.Warnings(query.text());
  result.warnings.insert(result.warnings.end(), warnings.begin(), warnings.end());
  result.stats.peak_samples = context.budget.peak_samples();
  result.stats.queue_time = work - begin;
  result.stats.eval_time = clock_.SteadyNow() - work;
  return result;
}

}  // namespace skep::engine
