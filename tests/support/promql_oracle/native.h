// Native histograms in the plainest form: a map from bucket to count, no spans.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/model/histogram.h"

namespace skep::oracle {

// `N` is double, or long double where many are added up. Buckets mean what they mean in Histogram;
// a bucket that is not in the map has no place, one that counts 0 has.
template <typename N>
struct NativeOf {
  bool gauge = false;
  int schema = 0;
  double zero_threshold = 0;
  N zero_count = 0;
  N count = 0;
  N sum = 0;
  std::map<int, N> positive, negative;
  std::vector<double> bounds;  // of custom buckets

  bool custom() const { return schema == kCustomBucketsSchema; }
  bool operator==(const NativeOf&) const = default;
};
using Native = NativeOf<double>;
using NativePtr = std::shared_ptr<const Native>;

Native FromModel(const Histogram& histogram);
Histogram ToModel(const Native& native);

struct NativeBucket {
  double lower = 0;
  double upper = 0;
  double count = 0;
};
// By rising bounds; the zero bucket only where it counts more than nothing.
std::vector<NativeBucket> BucketsOf(const Native& native);

// left + right, left - right: in the coarser of the two layouts. Empty: exponential and custom
// buckets do not mix.
std::optional<Native> Plus(const Native& left, const Native& right);
std::optional<Native> Minus(const Native& left, const Native& right);
// Of all, added in the order given. Requires: not empty.
std::optional<Native> SumOfAll(std::span<const NativePtr> list);
std::optional<Native> MeanOfAll(std::span<const NativePtr> list);

Native Times(Native native, double factor);
// By zero: the buckets vanish.
Native Over(Native native, double divisor);
// Without the buckets that count nothing.
Native Compacted(Native native);
// Requires: exponential buckets; `schema` is not finer.
Native Coarsened(const Native& native, int schema);

// Whether a counter that was `before` has begun anew: something counts less, or is seen finer.
bool BeganAnew(const Native& now, const Native& before);
// All numbers and places alike, NaN and NaN too.
bool Identical(const Native& a, const Native& b);

}  // namespace skep::oracle
