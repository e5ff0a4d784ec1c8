// Text to tree: PromQL as Prometheus 3 has it.
//
// Errors are kInvalid and read as Prometheus's: `1:5: parse error: unexpected ...` with line and
// column from 1. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/matcher.h"
#include "evaluator/promql/ast.h"

namespace skep::promql {

// What is allowed beyond the stable language; Prometheus's --enable-feature name beside each.
struct ParseOptions {
  bool experimental_functions = false;    // promql-experimental-functions (limitk, info, ... too)
  bool duration_expressions = false;      // promql-duration-expr
  bool extended_range_selectors = false;  // promql-extended-range-selectors
  bool binop_fill_modifiers = false;      // promql-binop-fill-modifiers
  // Deeper nesting of brackets, and longer chains of operators, are an error.
  std::size_t max_depth = 1000;

  static ParseOptions All() {
    return {.experimental_functions = true,
            .duration_expressions = true,
            .extended_range_selectors = true,
            .binop_fill_modifiers = true};
  }
};

// The whole text as one expression, its types checked.
Result<ExprPtr> ParseExpr(std::string_view text, const ParseOptions& options = {});

// A selector without range and modifiers, as `match[]` of the HTTP API takes it. At least one
// matcher refuses the empty value.
Result<std::vector<Matcher>> ParseMetricSelector(std::string_view text);

// `name{a="b"}`: a series' labels, only `=`.
Result<Labels> ParseMetric(std::string_view text);

// A native histogram as test scripts write it: `{{schema:1 sum:3 count:22 buckets:[5 10 7]}}`.
struct HistogramLiteral {
  std::int64_t schema = 0;
  double sum = 0;
  double count = 0;
  double zero_count = 0;      // z_bucket
  double zero_threshold = 0;  // z_bucket_w
  std::int64_t offset = 0, negative_offset = 0;
  std::vector<double> buckets, negative_buckets;
  std::vector<double> custom_values;
  std::optional<CounterResetHint> reset_hint;  // empty: none written
};

// The histogram that a literal describes. Its hint is kUnknown where none is written.
Histogram ToHistogram(const HistogramLiteral& literal);

// One place in the values of a series description.
struct SequenceValue {
  enum class Kind : std::uint8_t { kOmitted, kFloat, kHistogram };

  Kind kind = Kind::kOmitted;
  double value = 0;             // of kFloat; kStaleNaN for `stale`
  HistogramPtr histogram;       // of kHistogram; shared by the places of one `{{…}}xN`
  bool has_reset_hint = false;  // the literal of `histogram` says one
};

// A line of a test script or of `input_series`: `metric{a="b"} 1+1x5 _ stale {{…}}`.
struct SeriesDescription {
  Labels labels;
  std::vector<SequenceValue> values;
};

// `axN` means N + 1 values. More than 10,000,000 values are an error.
Result<SeriesDescription> ParseSeriesDescription(std::string_view text);

}  // namespace skep::promql
