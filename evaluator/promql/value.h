// What an expression can evaluate to: its types, and the values handed to API, rules and tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/time.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/sample.h"

namespace skep::promql {

enum class ValueType : std::uint8_t { kScalar, kString, kVector, kMatrix };

// As the HTTP API writes it: "scalar", "string", "vector", "matrix".
std::string_view ValueTypeName(ValueType type);
// As messages to people write it: "scalar", "string", "instant vector", "range vector".
std::string_view DocumentedType(ValueType type);

struct Scalar {
  Timestamp time;
  double value = 0;
};

struct StringValue {
  Timestamp time;
  std::string text;
};

// One series of an instant vector. Its time is the time of evaluation, not that of the sample.
struct VectorSample {
  Labels labels;
  Sample sample;                     // its value is 0 where there is a histogram
  HistogramPtr histogram = nullptr;  // null: a float
};
using InstantVector = std::vector<VectorSample>;

// One series of a range query's answer (or of a range vector): its floats and its histograms, times
// strictly rising in each, none in both.
struct MatrixSeries {
  Labels labels;
  std::vector<Sample> samples;
  std::vector<HistogramSample> histograms = {};
};
using Matrix = std::vector<MatrixSeries>;

// In the order of ValueType.
using Value = std::variant<Scalar, StringValue, InstantVector, Matrix>;

inline ValueType TypeOf(const Value& value) { return static_cast<ValueType>(value.index()); }

}  // namespace skep::promql
