#include "evaluator/ruletest/samples.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/base/quote.h"
#include "evaluator/promql/parser.h"
#include "evaluator/promqltest/histogram_literal.h"

namespace skep::ruletest {
namespace {

Result<TestSample> ReadExpectedSample(const ExpectedSample& expected) {
  TestSample sample;
  if (!expected.labels.empty()) {
    Result<Labels> labels = promql::ParseMetric(expected.labels);
    if (!labels) return labels.error();
    sample.labels = std::move(*labels);
  }
  sample.value = expected.value;
  if (expected.histogram.empty()) return sample;
  const auto series = promql::ParseSeriesDescription("{} " + expected.histogram);
  if (!series) return series.error();
  if (series->values.size() != 1) {
    return Invalid("expected 1 value, got " + std::to_string(series->values.size()));
  }
  const promql::SequenceValue& value = series->values.front();
  if (value.histogram == nullptr) return Invalid("expected a histogram, got a number");
  sample.histogram = value.histogram;
  sample.hint_counts = value.has_reset_hint;
  return sample;
}

bool SameFloat(double a, double b, FloatComparison comparison) {
  if (a == b) return true;
  constexpr double kMost = std::numeric_limits<double>::infinity();
  return comparison == FloatComparison::kFuzzy &&
         (std::nextafter(a, -kMost) == b || std::nextafter(a, kMost) == b);
}

bool SameSample(const TestSample& expected, const TestSample& got, FloatComparison comparison) {
  if (expected.labels != got.labels) return false;
  if (expected.histogram == nullptr || got.histogram == nullptr) {
    return expected.histogram == got.histogram && SameFloat(expected.value, got.value, comparison);
  }
  Histogram other = *got.histogram;
  if (!expected.hint_counts) other.reset_hint = expected.histogram->reset_hint;
  return promqltest::FormatHistogramLiteral(*expected.histogram) ==
         promqltest::FormatHistogramLiteral(other);
}

// As Go's 'E' with the fewest digits: "2E+00", "+Inf".
std::string FormatScientific(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  std::string text(buffer.data(), end.ptr);
  std::replace(text.begin(), text.end(), 'e', 'E');
  return text;
}

void Sort(std::vector<TestSample>& samples) {
  std::stable_sort(samples.begin(), samples.end(),
                   [](const TestSample& a, const TestSample& b) { return a.labels < b.labels; });
}

}  // namespace

Result<std::vector<TestSample>> ReadExpected(const std::vector<ExpectedSample>& samples) {
  std::vector<TestSample> read;
  for (const ExpectedSample& expected : samples) {
    Result<TestSample> sample = ReadExpectedSample(expected);
    if (!sample) return sample.error().Wrap("labels " + Quote(expected.labels));
    read.push_back(std::move(*sample));
  }
  return read;
}

Result<std::vector<TestSample>> ReadValue(const promql::Value& value) {
  std::vector<TestSample> samples;
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    samples.push_back({.labels = {}, .value = scalar->value});
    return samples;
  }
  const auto* vector = std::get_if<promql::InstantVector>(&value);
  if (vector == nullptr) return Invalid("rule result is not a vector or scalar");
  for (const promql::VectorSample& sample : *vector) {
    samples.push_back({sample.labels, sample.sample.value, sample.histogram});
  }
  return samples;
}

bool SameSamples(std::vector<TestSample>& expected, std::vector<TestSample>& got,
                 FloatComparison comparison) {
  Sort(expected);
  Sort(got);
  return std::equal(
      expected.begin(), expected.end(), got.begin(), got.end(),
      [&](const TestSample& a, const TestSample& b) { return SameSample(a, b, comparison); });
}

std::vector<Observation> Observe(const std::vector<TestSample>& samples) {
  std::vector<Observation> observed;
  for (const TestSample& sample : samples) {
    std::string value = sample.histogram == nullptr
                            ? FormatScientific(sample.value)
                            : promqltest::FormatHistogramLiteral(*sample.histogram);
    observed.push_back({sample.labels, {}, std::move(value)});
  }
  return observed;
}

}  // namespace skep::ruletest
