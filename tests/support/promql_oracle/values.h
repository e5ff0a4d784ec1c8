// What the oracle's parts hand to each other: plain lists, in the order in which things were found.
#pragma once

#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "common/model/sample.h"
#include "tests/support/promql_oracle/native.h"

namespace skep::oracle {

// A float or a histogram.
struct Quantity {
  double number = 0;           // where `native` is null
  NativePtr native = nullptr;  // null: a float
};

struct NativeSample {
  Timestamp time;
  NativePtr native;  // never null
};

// All samples of one label set: floats and histograms, times strictly rising in each and never in
// both. Staleness markers are among the stored floats, never among those of a range vector.
struct Series {
  Labels labels;
  std::vector<Sample> samples;
  std::vector<NativeSample> natives = {};

  bool empty() const { return samples.empty() && natives.empty(); }
};

// Label sets are distinct and in Labels' order.
using DataSet = std::vector<Series>;

// One series of an instant vector.
struct Element {
  Labels labels;
  double value = 0;            // where `native` is null
  NativePtr native = nullptr;  // null: a float

  Quantity quantity() const { return {value, native}; }
  static Element Of(Labels labels, Quantity quantity) {
    return {std::move(labels), quantity.number, std::move(quantity.native)};
  }
};
using Elements = std::vector<Element>;

// A range vector at one step: series with samples in (end - range, end].
struct RangeVector {
  std::vector<Series> series;
  Timestamp end;
  Duration range{0};
};

// `__name__`, `__type__` and `__unit__` taken away.
Labels WithoutName(const Labels& labels);

// kInvalid where two elements have one label set.
Status RefuseDuplicates(const Elements& elements);

}  // namespace skep::oracle
