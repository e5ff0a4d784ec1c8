#include "evaluator/promqltest/histogram_literal.h"

#include <string_view>
#include <vector>

#include "common/base/number.h"
#include "common/model/histogram_math.h"

namespace skep::promqltest {
namespace {

void AppendNumber(std::string& out, std::string_view name, double value) {
  if (value == 0) return;
  out.append(" ").append(name).append(":");
  AppendDouble(out, value);
}

void AppendList(std::string& out, std::string_view name, std::span<const double> values) {
  if (values.empty()) return;
  out.append(" ").append(name).append(":[");
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ' ';
    AppendDouble(out, values[i]);
  }
  out += ']';
}

struct BucketNames {
  std::string_view buckets, offset;
};

// Gaps between spans become zeros. Requires: compact.
void AppendBuckets(std::string& out, const BucketNames& names, const BucketRuns& runs) {
  if (runs.empty()) return;
  std::vector<double> dense;
  const std::int32_t first = runs.spans.front().first;
  runs.ForEach([&](std::int32_t index, double count) {
    dense.resize(static_cast<std::size_t>(index - first));
    dense.push_back(count);
  });
  AppendNumber(out, names.offset, static_cast<double>(first));
  AppendList(out, names.buckets, dense);
}

std::string_view HintName(CounterResetHint hint) {
  switch (hint) {
    case CounterResetHint::kUnknown:
      return "";
    case CounterResetHint::kReset:
      return "reset";
    case CounterResetHint::kNotReset:
      return "not_reset";
    case CounterResetHint::kGauge:
      return "gauge";
  }
  return "";
}

}  // namespace

std::string FormatHistogramLiteral(const Histogram& histogram) {
  Histogram compact = histogram;
  Compact(compact);
  std::string out;
  AppendNumber(out, "schema", compact.schema);
  AppendNumber(out, "count", compact.count);
  AppendNumber(out, "sum", compact.sum);
  AppendNumber(out, "z_bucket", compact.zero_count);
  AppendNumber(out, "z_bucket_w", compact.zero_threshold);
  if (compact.custom()) AppendList(out, "custom_values", compact.custom_bounds());
  const std::string_view hint = HintName(compact.reset_hint);
  if (!hint.empty()) out.append(" counter_reset_hint:").append(hint);
  AppendBuckets(out, {"buckets", "offset"}, compact.positive);
  AppendBuckets(out, {"n_buckets", "n_offset"}, compact.negative);
  return "{{" + (out.empty() ? out : out.substr(1)) + "}}";
}

}  // namespace skep::promqltest
