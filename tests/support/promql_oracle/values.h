// What the oracle's parts hand to each other: plain lists, in the order in which things were found.
#pragma once

#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "common/model/sample.h"

namespace skep::oracle {

// All samples of one label set, times strictly rising. Staleness markers are among the stored ones,
// never among those of a range vector.
struct Series {
  Labels labels;
  std::vector<Sample> samples;
};

// Label sets are distinct and in Labels' order.
using DataSet = std::vector<Series>;

// One series of an instant vector.
struct Element {
  Labels labels;
  double value = 0;
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
