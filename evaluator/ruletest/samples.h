// Samples of a promql_expr_test: what the file expects beside what the engine gives.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "evaluator/promql/value.h"
#include "evaluator/ruletest/runner.h"
#include "evaluator/ruletest/test_file.h"

namespace skep::ruletest {

struct TestSample {
  Labels labels;
  double value = 0;                  // where `histogram` is null
  HistogramPtr histogram = nullptr;  // null: a float
  bool hint_counts = false;          // of an expected histogram: it writes a reset hint
};

// kInvalid names the labels or the literal that do not parse.
Result<std::vector<TestSample>> ReadExpected(const std::vector<ExpectedSample>& samples);

// A vector as it is, a scalar as a sample without labels; other types are kInvalid.
Result<std::vector<TestSample>> ReadValue(const promql::Value& value);

enum class FloatComparison : std::uint8_t {
  kExact,  // NaN equals nothing, as for promtool
  kFuzzy,  // neighbours among the doubles are equal
};

// Sorts both by labels first.
bool SameSamples(std::vector<TestSample>& expected, std::vector<TestSample>& got,
                 FloatComparison comparison);

std::vector<Observation> Observe(const std::vector<TestSample>& samples);

}  // namespace skep::ruletest
