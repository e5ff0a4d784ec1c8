// Evaluation's functions that give an instant vector.
#include <algorithm>
#include <set>

#include "common/model/regex.h"
#include "tests/support/promql_oracle/classic_histogram.h"
#include "tests/support/promql_oracle/evaluation.h"
#include "tests/support/promql_oracle/extended.h"
#include "tests/support/promql_oracle/functions.h"
#include "tests/support/promql_oracle/native_functions.h"
#include "tests/support/promql_oracle/native_over_time.h"
#include "tests/support/promql_oracle/over_time.h"

namespace skep::oracle {
namespace {

using promql::As;
using promql::Call;
using promql::Expr;
using promql::ValueType;

// Null where no argument is of that type.
const Expr* ArgumentOf(const Call& call, ValueType type) {
  for (const promql::ExprPtr& argument : call.arguments) {
    if (argument->type() == type) return argument.get();
  }
  return nullptr;
}

std::vector<std::string> Texts(const Call& call) {
  std::vector<std::string> out;
  for (const promql::ExprPtr& argument : call.arguments) {
    const auto* text = As<promql::StringLiteral>(promql::StripParens(*argument));
    if (text != nullptr) out.push_back(text->value);
  }
  return out;
}

Extension ExtensionOf(const Expr& argument) {
  const auto* matrix = As<promql::MatrixSelector>(promql::StripParens(argument));
  if (matrix == nullptr) return Extension::kNone;
  if (matrix->vector->anchored) return Extension::kAnchored;
  return matrix->vector->smoothed ? Extension::kSmoothed : Extension::kNone;
}

bool IsSortByLabel(std::string_view name) { return name.starts_with("sort_by_label"); }
bool IsSortByValue(std::string_view name) { return name == "sort" || name == "sort_desc"; }
bool IsHistogramFunction(std::string_view name) {
  return name == "histogram_quantile" || name == "histogram_fraction";
}

Result<Elements> FloatsOf(Result<Elements> elements) {
  if (elements) std::erase_if(*elements, [](const Element& e) { return e.native != nullptr; });
  return elements;
}

Result<std::optional<Quantity>> OverAny(std::string_view name, Extension extension,
                                        const Window& window, const std::vector<double>& scalars) {
  if (!window.natives.empty()) return OverNatives(name, extension, window, scalars);
  const Result<std::optional<double>> value = extension == Extension::kNone
                                                  ? OverTime(name, window, scalars)
                                                  : OverExtended(name, extension, window);
  if (!value) return value.error();
  if (!*value) return std::optional<Quantity>();
  return std::optional(Quantity{**value, nullptr});
}

// Labels that the matchers of a selector name with one value each.
Labels LabelsOfAbsence(const Expr& argument) {
  const Expr& bare = promql::StripParens(argument);
  const auto* selector = As<promql::VectorSelector>(bare);
  if (const auto* matrix = As<promql::MatrixSelector>(bare)) selector = matrix->vector.get();
  if (selector == nullptr) return {};
  LabelsBuilder labels;
  std::set<std::string> set_before;
  for (const Matcher& matcher : selector->matchers) {
    if (matcher.name() == kMetricName) continue;
    const bool names_one = matcher.type() == MatchType::kEqual;
    if (names_one && set_before.insert(matcher.name()).second) {
      labels.Set(matcher.name(), matcher.value());
    } else {
      labels.Delete(matcher.name());
    }
  }
  return labels.Build();
}

}  // namespace

Result<Elements> Evaluation::OfCall(const Call& call, Timestamp at) {
  const std::string_view name = call.function->name;
  const Expr* const range = ArgumentOf(call, ValueType::kMatrix);
  if (range != nullptr) RETURN_IF_ERROR(CheckExtended(name, ExtensionOf(*range)));
  if (name == "absent" || name == "absent_over_time") return Absent(call, at);
  if (range != nullptr) return OfRangeFunction(call, at);
  if (name == "timestamp") return Timestamps(call, at);
  if (IsValueFunction(name)) return OfValueFunction(call, at);
  if (IsHistogramFunction(name)) return OfHistogramFunction(call, at);
  if (name == "label_replace" || name == "label_join") return OfLabelFunction(call, at);
  if (IsNativeFunction(name)) return OfNatives(call, at);
  // The order of answers is not compared.
  if (IsSortByLabel(name)) return Vector(*call.arguments[0], at);
  if (IsSortByValue(name)) return FloatsOf(Vector(*call.arguments[0], at));
  if (name != "vector") return Internal("no function " + std::string(name));
  const Result<double> value = Scalar(*call.arguments[0], at);
  if (!value) return value.error();
  return Elements{{Labels(), *value}};
}

Status Evaluation::NoteSource(const Call& call, const Labels& result, const Labels& source) {
  const auto [at, is_new] = sources_.emplace(std::pair(&call, result), source);
  if (is_new || at->second == source) return {};
  return Invalid("two series become " + result.ToString());
}

Result<Elements> Evaluation::OfRangeFunction(const Call& call, Timestamp at) {
  const std::string_view name = call.function->name;
  const Result<std::vector<double>> scalars = Scalars(call, at);
  if (!scalars) return scalars.error();
  const Expr& argument = *ArgumentOf(call, ValueType::kMatrix);
  const Extension extension = ExtensionOf(argument);
  const Result<RangeVector> range = Range(argument, at);
  if (!range) return range.error();
  const bool keeps_name = name == "last_over_time" || name == "first_over_time";
  Elements out;
  for (const Series& series : range->series) {
    const Window window{series.samples, range->end, range->range, at, series.natives};
    const Result<std::optional<Quantity>> value = OverAny(name, extension, window, *scalars);
    if (!value) return value.error();
    if (!*value) continue;
    out.push_back(Element::Of(keeps_name ? series.labels : WithoutName(series.labels), **value));
    RETURN_IF_ERROR(NoteSource(call, out.back().labels, series.labels));
  }
  return out;
}

Result<Elements> Evaluation::Absent(const Call& call, Timestamp at) {
  const Expr& argument = *call.arguments[0];
  bool found = false;
  if (argument.type() == ValueType::kMatrix) {
    const Result<RangeVector> range = Range(argument, at);
    if (!range) return range.error();
    found = !range->series.empty();
  } else {
    const Result<Elements> elements = Vector(argument, at);
    if (!elements) return elements;
    found = !elements->empty();
  }
  if (found) return Elements{};
  return Elements{{LabelsOfAbsence(argument), 1}};
}

Result<Elements> Evaluation::OfValueFunction(const Call& call, Timestamp at) {
  const std::string_view name = call.function->name;
  const Result<std::vector<double>> scalars = Scalars(call, at);
  if (!scalars) return scalars.error();
  const Expr* const argument = ArgumentOf(call, ValueType::kVector);
  if (argument == nullptr) {  // hour(), …: of the step, in whole seconds
    const std::int64_t seconds = ToMillis(at) / 1000;
    const auto now = static_cast<double>(seconds);
    return Elements{{Labels(), *OfValue(name, now, *scalars)}};
  }
  const Result<Elements> elements = FloatsOf(Vector(*argument, at));
  if (!elements) return elements;
  Elements out;
  for (const Element& element : *elements) {
    const std::optional<double> value = OfValue(name, element.value, *scalars);
    if (value) out.push_back({WithoutName(element.labels), *value});
  }
  RETURN_IF_ERROR(RefuseDuplicates(out));
  return out;
}

Result<Elements> Evaluation::OfHistogramFunction(const Call& call, Timestamp at) {
  const Result<std::vector<double>> scalars = Scalars(call, at);
  if (!scalars) return scalars.error();
  const Result<Elements> elements = Vector(*ArgumentOf(call, ValueType::kVector), at);
  if (!elements) return elements;
  const std::vector<double>& s = *scalars;
  if (call.function->name == "histogram_quantile") {
    return OfHistograms(*elements,
                        {[&s](const auto& buckets) { return QuantileOfBuckets(s[0], buckets); },
                         [&s](const Native& native) { return QuantileOfNative(s[0], native); }});
  }
  return OfHistograms(
      *elements, {[&s](const auto& buckets) { return FractionOfBuckets(s[0], s[1], buckets); },
                  [&s](const Native& native) { return FractionOfNative(s[0], s[1], native); }});
}

Result<Elements> Evaluation::OfNatives(const Call& call, Timestamp at) {
  const Result<Elements> elements = Vector(*call.arguments[0], at);
  if (!elements) return elements;
  Elements out;
  for (const Element& element : *elements) {
    if (element.native == nullptr) continue;
    out.push_back({WithoutName(element.labels), OfNative(call.function->name, *element.native)});
  }
  RETURN_IF_ERROR(RefuseDuplicates(out));
  return out;
}

Result<Elements> Evaluation::OfLabelFunction(const Call& call, Timestamp at) {
  const std::vector<std::string> texts = Texts(call);
  const bool joins = call.function->name == "label_join";
  const Result<Regex> regex = Regex::Create(joins ? "" : texts[3]);
  if (!regex) return regex.error();
  if (!IsUtf8Name(texts[0])) return Invalid("no name for a label");
  Result<Elements> elements = Vector(*call.arguments[0], at);
  if (!elements) return elements;
  for (Element& element : *elements) {
    std::string value;
    if (joins) {
      for (std::size_t i = 2; i < texts.size(); ++i) {
        if (i > 2) value += texts[1];
        value += element.labels.Get(texts[i]);
      }
    } else {
      std::vector<std::string_view> groups;
      if (!regex->FullMatch(element.labels.Get(texts[2]), groups)) continue;
      value = regex->Expand(texts[1], groups);
    }
    element.labels = LabelsBuilder(element.labels).Set(texts[0], value).Build();
  }
  RETURN_IF_ERROR(RefuseDuplicates(*elements));
  return elements;
}

}  // namespace skep::oracle
