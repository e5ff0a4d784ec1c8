#include "evaluator/engine/plan.h"

#include <algorithm>
#include <array>
#include <limits>

namespace skep::engine {
namespace {

using promql::As;
using promql::Expr;
using promql::FunctionId;

// Functions that look at the time of the step besides their arguments.
constexpr std::array kUseStepTime{
    FunctionId::kDayOfMonth,  FunctionId::kDayOfWeek, FunctionId::kDayOfYear,
    FunctionId::kDaysInMonth, FunctionId::kHour,      FunctionId::kInfo,
    FunctionId::kMinute,      FunctionId::kMonth,     FunctionId::kPredictLinear,
    FunctionId::kTime,        FunctionId::kTimestamp, FunctionId::kYear,
};

bool UsesStepTime(FunctionId id) {
  return std::find(kUseStepTime.begin(), kUseStepTime.end(), id) != kUseStepTime.end();
}

class InvariantFinder {
 public:
  explicit InvariantFinder(std::unordered_set<const Expr*>& found) : found_(found) {}

  // Literals count as invariant, but only what holds an `@` is worth evaluating once.
  bool Visit(const Expr& expr) {
    const bool invariant = IsInvariant(expr);
    if (invariant && !IsLiteral(expr)) found_.insert(&expr);
    return invariant;
  }

 private:
  static bool IsLiteral(const Expr& expr) {
    return expr.kind == promql::NodeKind::kNumberLiteral ||
           expr.kind == promql::NodeKind::kStringLiteral;
  }

  bool IsInvariant(const Expr& expr) {
    if (IsLiteral(expr)) return true;
    if (const auto* selector = As<promql::VectorSelector>(expr)) {
      return selector->modifiers.at != promql::AtKind::kNone;
    }
    bool all = true;
    for (const Expr* child : promql::Children(expr)) all = Visit(*child) && all;
    if (const auto* subquery = As<promql::Subquery>(expr)) {
      return subquery->modifiers.at != promql::AtKind::kNone;
    }
    const auto* call = As<promql::Call>(expr);
    return all && (call == nullptr || !UsesStepTime(call->function->id));
  }

  std::unordered_set<const Expr*>& found_;
};

bool AsksForStats(FunctionId id) {
  return id == FunctionId::kHistogramCount || id == FunctionId::kHistogramSum ||
         id == FunctionId::kHistogramAvg;
}

bool NeedsBuckets(const Expr& expr) {
  if (expr.kind == promql::NodeKind::kSubquery) return true;
  if (const auto* binary = As<promql::Binary>(expr)) {
    return binary->op == promql::BinaryOp::kTrimUpper || binary->op == promql::BinaryOp::kTrimLower;
  }
  const auto* call = As<promql::Call>(expr);
  return call != nullptr && (call->function->id == FunctionId::kHistogramQuantile ||
                             call->function->id == FunctionId::kHistogramQuantiles ||
                             call->function->id == FunctionId::kHistogramFraction);
}

void FindStatsOnly(const Expr& expr, bool stats, std::unordered_set<const Expr*>& found) {
  if (expr.kind == promql::NodeKind::kVectorSelector && stats) found.insert(&expr);
  const auto* call = As<promql::Call>(expr);
  if (call != nullptr && AsksForStats(call->function->id)) stats = true;
  if (NeedsBuckets(expr)) stats = false;
  for (const Expr* child : promql::Children(expr)) FindStatsOnly(*child, stats, found);
}

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min() / 4;
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max() / 4;

std::int64_t Clamp(std::int64_t ms) { return std::clamp(ms, kLowest, kHighest); }

struct Span {
  std::int64_t first;
  std::int64_t last;

  Span Shifted(const promql::TimeModifiers& modifiers, const QueryOptions& when) const {
    const auto fixed = FixedTime(modifiers, when);
    const std::int64_t offset = Clamp(modifiers.offset.count());
    return {Clamp(Clamp(fixed.value_or(first)) - offset),
            Clamp(Clamp(fixed.value_or(last)) - offset)};
  }
  Span Earlier(std::int64_t by) const { return {Clamp(first - Clamp(by)), last}; }
};

class TimeFinder {
 public:
  TimeFinder(const QueryOptions& when, Duration lookback)
      : when_(when), lookback_(lookback.count()) {}

  void Visit(const Expr& expr, Span span) {
    if (const auto* selector = As<promql::VectorSelector>(expr)) {
      Note(*selector, span, 0);
    } else if (const auto* matrix = As<promql::MatrixSelector>(expr)) {
      Note(*matrix->vector, span, matrix->range.count());
    } else if (const auto* subquery = As<promql::Subquery>(expr)) {
      Visit(*subquery->expr,
            span.Shifted(subquery->modifiers, when_).Earlier(subquery->range.count()));
    } else {
      for (const Expr* child : promql::Children(expr)) Visit(*child, span);
      const auto* call = As<promql::Call>(expr);
      if (call != nullptr && call->function->id == FunctionId::kInfo) {
        const Reference reference = ReferenceTime(*call->arguments[0], when_);
        Note(Span{Clamp(reference.At(span.first)), Clamp(reference.At(span.last))}.Earlier(
            lookback_));
      }
    }
  }

  storage::TimeRange range() const {
    if (first_ > last_) return {FromMillis(0), FromMillis(0)};
    return {FromMillis(first_), FromMillis(last_)};
  }

 private:
  void Note(const promql::VectorSelector& selector, Span span, std::int64_t range) {
    Span needed = span.Shifted(selector.modifiers, when_).Earlier(range);
    // Plain ranges need no lookback; one too much costs nothing but a wider query.
    if (range == 0 || selector.anchored || selector.smoothed) needed = needed.Earlier(lookback_);
    if (selector.smoothed) needed.last += lookback_;
    Note(needed);
  }

  void Note(Span needed) {
    first_ = std::min(first_, needed.first);
    last_ = std::max(last_, needed.last);
  }

  const QueryOptions& when_;
  const std::int64_t lookback_;
  std::int64_t first_ = kHighest;
  std::int64_t last_ = kLowest;
};

}  // namespace

std::optional<std::int64_t> FixedTime(const promql::TimeModifiers& modifiers,
                                      const QueryOptions& when) {
  switch (modifiers.at) {
    case promql::AtKind::kNone:
      return std::nullopt;
    case promql::AtKind::kTime:
      return ToMillis(modifiers.at_time);
    case promql::AtKind::kStart:
      return ToMillis(when.start);
    case promql::AtKind::kEnd:
      return ToMillis(when.end);
  }
  return std::nullopt;
}

Reference ReferenceTime(const Expr& expr, const QueryOptions& when) {
  Reference reference;
  const auto apply = [&](const promql::TimeModifiers& modifiers) {
    if (const auto fixed = FixedTime(modifiers, when)) reference = {fixed, 0};
    reference.offset_ms += modifiers.offset.count();
  };
  const promql::VectorSelector* first = nullptr;
  promql::Walk(expr, [&](const Expr& node) {
    if (first != nullptr) return false;
    first = As<promql::VectorSelector>(node);
    if (first != nullptr) apply(first->modifiers);
    const auto* subquery = As<promql::Subquery>(node);
    if (subquery != nullptr && !promql::Selectors(*subquery->expr).empty()) {
      apply(subquery->modifiers);
    }
    return true;
  });
  return reference;
}

std::unordered_set<const Expr*> StepInvariant(const Expr& expr) {
  std::unordered_set<const Expr*> found;
  InvariantFinder(found).Visit(expr);
  return found;
}

std::unordered_set<const Expr*> StatsOnly(const Expr& expr) {
  std::unordered_set<const Expr*> found;
  FindStatsOnly(expr, false, found);
  return found;
}

storage::TimeRange TimesNeeded(const Expr& expr, const QueryOptions& when, Duration lookback) {
  TimeFinder finder(when, lookback);
  finder.Visit(expr, {ToMillis(when.start), ToMillis(when.end)});
  return finder.range();
}

}  // namespace skep::engine
