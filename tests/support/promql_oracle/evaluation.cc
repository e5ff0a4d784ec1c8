#include "tests/support/promql_oracle/evaluation.h"

#include <algorithm>
#include <limits>
#include <numbers>

#include "tests/support/promql_oracle/arithmetic.h"
#include "tests/support/promql_oracle/extended.h"
#include "tests/support/promql_oracle/matching.h"
#include "tests/support/promql_oracle/native_over_time.h"

namespace skep::oracle {
namespace {

using promql::As;
using promql::Expr;
using promql::ValueType;

// The samples in (open, last] that are no staleness markers.
Series Inside(const Series& series, Timestamp open, Timestamp last) {
  Series out{series.labels, {}};
  for (const Sample& sample : series.samples) {
    if (sample.time > open && sample.time <= last && !IsStaleNaN(sample.value)) {
      out.samples.push_back(sample);
    }
  }
  for (const NativeSample& sample : series.natives) {
    if (sample.time > open && sample.time <= last) out.natives.push_back(sample);
  }
  return out;
}

struct Found {
  Timestamp time;
  Quantity quantity;
};

// The newest sample up to `at`, if it is in (at - lookback, at] and no staleness marker.
std::optional<Found> Newest(const Series& series, Timestamp at, Duration lookback) {
  std::optional<Found> newest;
  for (const Sample& sample : series.samples) {
    if (sample.time <= at) newest = {sample.time, {sample.value, nullptr}};
  }
  for (const NativeSample& sample : series.natives) {
    const bool newer = !newest || sample.time > newest->time;
    if (sample.time <= at && newer) newest = {sample.time, {0, sample.native}};
  }
  if (!newest || newest->time <= at - lookback) return std::nullopt;
  if (newest->quantity.native == nullptr && IsStaleNaN(newest->quantity.number)) {
    return std::nullopt;
  }
  return newest;
}

// The histogram at `at` between the ones around it; behind the last one, that one.
NativePtr SmoothedNative(const std::vector<NativeSample>& around, Timestamp at) {
  const NativeSample* before = nullptr;
  for (const NativeSample& sample : around) {
    if (sample.time <= at) before = &sample;
    if (sample.time < at || before == &sample) continue;
    return before == nullptr ? nullptr
                             : BetweenNatives(*before, sample, at, !before->native->gauge);
  }
  return before == nullptr ? nullptr : before->native;
}

}  // namespace

// --- times ---

Timestamp Evaluation::Moved(const promql::TimeModifiers& modifiers, Timestamp at) const {
  if (modifiers.at == promql::AtKind::kTime) at = modifiers.at_time;
  if (modifiers.at == promql::AtKind::kStart) at = span_.start;
  if (modifiers.at == promql::AtKind::kEnd) at = span_.end;
  return at - modifiers.offset;
}

// The multiples of the subquery's step in (Moved(first) - range, Moved(last)].
std::vector<Timestamp> Evaluation::InnerSteps(const promql::Subquery& subquery, Timestamp first,
                                              Timestamp last) const {
  const Duration step = subquery.step.count() == 0 ? settings_.subquery_step : subquery.step;
  const Timestamp open = Moved(subquery.modifiers, first) - subquery.range;
  const Timestamp end = Moved(subquery.modifiers, last);
  std::vector<Timestamp> steps;
  Timestamp at = FromMillis(ToMillis(open) / step.count() * step.count());
  for (; at <= end; at += step) {
    if (at > open) steps.push_back(at);
  }
  return steps;
}

Status Evaluation::CheckSubqueries(const Expr& expr, Timestamp first, Timestamp last) {
  const auto* subquery = As<promql::Subquery>(expr);
  if (subquery == nullptr) {
    for (const Expr* child : promql::Children(expr)) {
      RETURN_IF_ERROR(CheckSubqueries(*child, first, last));
    }
    return {};
  }
  const std::vector<Timestamp> steps = InnerSteps(*subquery, first, last);
  if (steps.empty()) return {};
  for (const Timestamp at : steps) {
    const Result<Elements> elements = Vector(*subquery->expr, at);
    if (!elements) return elements.error();
  }
  return CheckSubqueries(*subquery->expr, steps.front(), steps.back());
}

// --- selectors ---

const std::vector<const Series*>& Evaluation::Matching(const promql::VectorSelector& selector) {
  const auto [at, is_new] = matching_.try_emplace(&selector);
  if (is_new) {
    for (const Series& series : data_) {
      if (MatchesAll(selector.matchers, series.labels)) at->second.push_back(&series);
    }
  }
  return at->second;
}

Result<Elements> Evaluation::Select(const promql::VectorSelector& selector, Timestamp at) {
  if (selector.smoothed) return SelectSmoothed(selector, at);
  Elements out;
  for (const Series* series : Matching(selector)) {
    const auto found = Newest(*series, Moved(selector.modifiers, at), settings_.lookback);
    if (found) out.push_back(Element::Of(series->labels, found->quantity));
  }
  return out;
}

Elements Evaluation::SelectSmoothed(const promql::VectorSelector& selector, Timestamp at) {
  const Timestamp moved = Moved(selector.modifiers, at);
  Elements out;
  for (const Series* series : Matching(selector)) {
    const Series around = Inside(*series, moved - settings_.lookback, moved + settings_.lookback);
    if (!around.natives.empty()) {
      const NativePtr native = SmoothedNative(around.natives, moved);
      if (around.samples.empty() && native != nullptr) out.push_back({series->labels, 0, native});
      continue;
    }
    const std::optional<double> value = Smoothed(around.samples, moved);
    if (value) out.push_back({series->labels, *value});
  }
  return out;
}

// The time of the sample rather than that of the step, if the argument is nothing but a selector.
Result<Elements> Evaluation::Timestamps(const promql::Call& call, Timestamp at) {
  const Expr& argument = promql::StripParens(*call.arguments[0]);
  Elements out;
  if (const auto* selector = As<promql::VectorSelector>(argument)) {
    const Timestamp moved = Moved(selector->modifiers, at);
    for (const Series* series : Matching(*selector)) {
      const auto found = Newest(*series, moved, settings_.lookback);
      if (found) out.push_back({WithoutName(series->labels), ToSeconds(found->time)});
    }
  } else {
    const Result<Elements> elements = Vector(argument, at);
    if (!elements) return elements;
    for (const Element& element : *elements) {
      out.push_back({WithoutName(element.labels), ToSeconds(at)});
    }
  }
  RETURN_IF_ERROR(RefuseDuplicates(out));
  return out;
}

RangeVector Evaluation::SelectRange(const promql::MatrixSelector& matrix, Timestamp at) {
  const promql::VectorSelector& vector = *matrix.vector;
  RangeVector out{{}, Moved(vector.modifiers, at), matrix.range};
  const Duration none(0);
  const Duration before = vector.anchored || vector.smoothed ? settings_.lookback : none;
  const Duration behind = vector.smoothed ? settings_.lookback : none;
  for (const Series* series : Matching(vector)) {
    Series part = Inside(*series, out.end - out.range - before, out.end + behind);
    if (!part.empty()) out.series.push_back(std::move(part));
  }
  return out;
}

Result<RangeVector> Evaluation::OfSubquery(const promql::Subquery& subquery, Timestamp at) {
  RangeVector out{{}, Moved(subquery.modifiers, at), subquery.range};
  std::map<Labels, std::size_t> numbers;
  for (const Timestamp step : InnerSteps(subquery, at, at)) {
    const Result<Elements> elements = Vector(*subquery.expr, step);
    if (!elements) return elements.error();
    for (const Element& element : *elements) {
      const auto [number, is_new] = numbers.emplace(element.labels, out.series.size());
      if (is_new) out.series.push_back({element.labels, {}});
      Series& series = out.series[number->second];
      if (element.native != nullptr) series.natives.push_back({step, element.native});
      if (element.native == nullptr) series.samples.push_back({step, element.value});
    }
  }
  return out;
}

Result<RangeVector> Evaluation::Range(const Expr& expr, Timestamp at) {
  const Expr& bare = promql::StripParens(expr);
  if (const auto* matrix = As<promql::MatrixSelector>(bare)) return SelectRange(*matrix, at);
  return OfSubquery(*As<promql::Subquery>(bare), at);
}

// --- operators ---

Result<Elements> Evaluation::Vector(const Expr& expr, Timestamp at) {
  if (const auto* paren = As<promql::Paren>(expr)) return Vector(*paren->expr, at);
  if (const auto* selector = As<promql::VectorSelector>(expr)) return Select(*selector, at);
  if (const auto* unary = As<promql::Unary>(expr)) return OfUnary(*unary, at);
  if (const auto* binary = As<promql::Binary>(expr)) return OfBinary(*binary, at);
  if (const auto* aggregate = As<promql::Aggregate>(expr)) return OfAggregation(*aggregate, at);
  if (const auto* call = As<promql::Call>(expr)) return OfCall(*call, at);
  return Internal("no instant vector");
}

Result<Elements> Evaluation::OfUnary(const promql::Unary& unary, Timestamp at) {
  Result<Elements> elements = Vector(*unary.expr, at);
  if (!elements || !unary.negative) return elements;
  for (Element& element : *elements) {
    const bool native = element.native != nullptr;
    Quantity minus{-element.value, nullptr};
    if (native) minus = {0, std::make_shared<const Native>(Times(*element.native, -1))};
    element = Element::Of(WithoutName(element.labels), minus);
  }
  RETURN_IF_ERROR(RefuseDuplicates(*elements));
  return elements;
}

Result<Elements> Evaluation::OfBinary(const promql::Binary& binary, Timestamp at) {
  const bool left_scalar = binary.left->type() == ValueType::kScalar;
  const bool right_scalar = binary.right->type() == ValueType::kScalar;
  if (!left_scalar && !right_scalar) {
    const Result<Elements> left = Vector(*binary.left, at);
    if (!left) return left;
    const Result<Elements> right = Vector(*binary.right, at);
    if (!right) return right;
    return OfVectors(binary, *left, *right);
  }
  const Result<double> scalar = Scalar(left_scalar ? *binary.left : *binary.right, at);
  if (!scalar) return scalar.error();
  const Result<Elements> vector = Vector(left_scalar ? *binary.right : *binary.left, at);
  if (!vector) return vector;
  Elements out =
      WithScalar(binary, *vector, *scalar, left_scalar ? ScalarSide::kLeft : ScalarSide::kRight);
  RETURN_IF_ERROR(RefuseDuplicates(out));
  return out;
}

Result<Elements> Evaluation::OfAggregation(const promql::Aggregate& aggregate, Timestamp at) {
  AggregateParameter parameter;
  if (aggregate.parameter != nullptr) {
    const Expr& bare = promql::StripParens(*aggregate.parameter);
    if (const auto* text = As<promql::StringLiteral>(bare)) {
      parameter.text = text->value;
    } else {
      const Result<double> number = Scalar(bare, at);
      if (!number) return number.error();
      parameter.number = *number;
    }
  }
  const Result<Elements> elements = Vector(*aggregate.expr, at);
  if (!elements) return elements;
  return OfAggregate(aggregate, parameter, *elements, settings_.order);
}

// --- scalars ---

Result<double> Evaluation::Scalar(const Expr& expr, Timestamp at) {
  if (const auto* number = As<promql::NumberLiteral>(expr)) return number->value;
  if (const auto* paren = As<promql::Paren>(expr)) return Scalar(*paren->expr, at);
  if (const auto* call = As<promql::Call>(expr)) return OfScalarCall(*call, at);
  if (const auto* unary = As<promql::Unary>(expr)) {
    Result<double> value = Scalar(*unary->expr, at);
    if (value && unary->negative) *value = -*value;
    return value;
  }
  const auto* binary = As<promql::Binary>(expr);
  if (binary == nullptr) return Internal("no scalar");
  const Result<double> left = Scalar(*binary->left, at);
  if (!left) return left;
  const Result<double> right = Scalar(*binary->right, at);
  if (!right) return right;
  return OfNumbers(binary->op, *left, *right);
}

Result<double> Evaluation::OfScalarCall(const promql::Call& call, Timestamp at) {
  const std::string_view name = call.function->name;
  if (name == "time") return ToSeconds(at);
  if (name == "pi") return std::numbers::pi;
  if (name == "start") return ToSeconds(span_.start);
  if (name == "end") return ToSeconds(span_.end);
  if (name == "step") return ToSeconds(span_.step);
  if (name == "range") return ToSeconds(span_.end - span_.start);
  if (name == "scalar") return OnlyElement(*call.arguments[0], at);
  const Result<std::vector<double>> both = Scalars(call, at);
  if (!both) return both.error();
  return name == "min_of" ? Smaller((*both)[0], (*both)[1]) : Larger((*both)[0], (*both)[1]);
}

Result<double> Evaluation::OnlyElement(const Expr& vector, Timestamp at) {
  const Result<Elements> elements = Vector(vector, at);
  if (!elements) return elements.error();
  std::vector<double> floats;
  for (const Element& element : *elements) {
    if (element.native == nullptr) floats.push_back(element.value);
  }
  return floats.size() == 1 ? floats.front() : std::numeric_limits<double>::quiet_NaN();
}

Result<std::vector<double>> Evaluation::Scalars(const promql::Call& call, Timestamp at) {
  std::vector<double> out;
  for (const promql::ExprPtr& argument : call.arguments) {
    if (argument->type() != ValueType::kScalar) continue;
    const Result<double> value = Scalar(*argument, at);
    if (!value) return value.error();
    out.push_back(*value);
  }
  return out;
}

}  // namespace skep::oracle
