#include "tests/support/promql_oracle/native.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace skep::oracle {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// The upper bound of a positive exponential bucket.
double BoundOf(int schema, int index) {
  return std::exp2(static_cast<double>(index) / std::exp2(schema));
}

std::map<int, double> ToMap(const BucketRuns& runs) {
  std::map<int, double> out;
  runs.ForEach([&out](std::int32_t index, double count) { out[index] = count; });
  return out;
}

BucketRuns ToRuns(const std::map<int, double>& buckets) {
  BucketRuns out;
  for (const auto& [index, count] : buckets) out.Append(index, count);
  return out;
}

// Calls f with every number.
template <typename N, typename F>
void ForNumbers(NativeOf<N>& native, F f) {
  f(native.zero_count);
  f(native.count);
  f(native.sum);
  for (auto& [index, count] : native.positive) f(count);
  for (auto& [index, count] : native.negative) f(count);
}

template <typename To, typename From>
NativeOf<To> Converted(const NativeOf<From>& from) {
  NativeOf<To> out;
  out.gauge = from.gauge;
  out.schema = from.schema;
  out.zero_threshold = from.zero_threshold;
  out.zero_count = static_cast<To>(from.zero_count);
  out.count = static_cast<To>(from.count);
  out.sum = static_cast<To>(from.sum);
  for (const auto& [index, count] : from.positive) out.positive[index] = static_cast<To>(count);
  for (const auto& [index, count] : from.negative) out.negative[index] = static_cast<To>(count);
  out.bounds = from.bounds;
  return out;
}

// --- one layout for two ---

// The threshold, moved out to the end of each populated bucket that it would cut.
template <typename N>
double Widened(const NativeOf<N>& native, double threshold) {
  double before = 0;
  do {
    before = threshold;
    for (const auto* side : {&native.positive, &native.negative}) {
      for (const auto& [index, count] : *side) {
        const double upper = BoundOf(native.schema, index);
        const bool cut = BoundOf(native.schema, index - 1) < threshold && upper > threshold;
        if (cut && count != 0) threshold = upper;
      }
    }
  } while (threshold != before);
  return threshold;
}

template <typename A, typename B>
double CommonThreshold(const NativeOf<A>& a, const NativeOf<B>& b) {
  double threshold = std::max(a.zero_threshold, b.zero_threshold);
  double before = 0;
  do {
    before = threshold;
    if (a.zero_threshold < threshold) threshold = Widened(a, threshold);
    if (b.zero_threshold < threshold) threshold = Widened(b, threshold);
  } while (threshold != before);
  return threshold;
}

// What lies below the threshold goes into the zero bucket.
template <typename N>
void RaiseThreshold(NativeOf<N>& native, double threshold) {
  if (threshold == native.zero_threshold) return;
  native.zero_threshold = threshold;
  for (auto* side : {&native.positive, &native.negative}) {
    for (auto at = side->begin(); at != side->end();) {
      if (BoundOf(native.schema, at->first - 1) >= threshold) break;
      native.zero_count += at->second;
      at = side->erase(at);
    }
  }
}

// Bucket i holds what 2^by finer buckets held, the last of which is i * 2^by.
template <typename N>
std::map<int, N> Merged(const std::map<int, N>& buckets, int by) {
  std::map<int, N> out;
  for (const auto& [index, count] : buckets) {
    out[static_cast<int>(std::ceil(static_cast<double>(index) / std::exp2(by)))] += count;
  }
  return out;
}

template <typename N>
void LowerSchema(NativeOf<N>& native, int schema) {
  native.positive = Merged(native.positive, native.schema - schema);
  native.negative = Merged(native.negative, native.schema - schema);
  native.schema = schema;
}

std::vector<double> CommonBounds(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> common;
  for (const double bound : a) {
    if (std::find(b.begin(), b.end(), bound) != b.end()) common.push_back(bound);
  }
  return common;
}

template <typename N>
void SetBounds(NativeOf<N>& native, const std::vector<double>& bounds) {
  std::map<int, N> out;
  for (const auto& [index, count] : native.positive) {
    const auto i = static_cast<std::size_t>(index);
    const double upper = i < native.bounds.size() ? native.bounds[i] : kInf;
    const auto first = std::find_if(bounds.begin(), bounds.end(),
                                    [upper](double bound) { return bound >= upper; });
    out[static_cast<int>(first - bounds.begin())] += count;
  }
  native.positive = std::move(out);
  native.bounds = bounds;
}

// Brings both to one layout; false where there is none.
template <typename A, typename B>
bool Align(NativeOf<A>& a, NativeOf<B>& b) {
  if (a.custom() != b.custom()) return false;
  if (a.custom()) {
    if (a.bounds == b.bounds) return true;
    const std::vector<double> bounds = CommonBounds(a.bounds, b.bounds);
    SetBounds(a, bounds);
    SetBounds(b, bounds);
    return true;
  }
  const double threshold = CommonThreshold(a, b);
  RaiseThreshold(a, threshold);
  RaiseThreshold(b, threshold);
  const int schema = std::min(a.schema, b.schema);
  LowerSchema(a, schema);
  LowerSchema(b, schema);
  return true;
}

template <typename N>
bool AddTo(NativeOf<N>& into, Native other, double sign) {
  if (!Align(into, other)) return false;
  into.gauge = into.gauge || other.gauge;
  into.zero_count += sign * other.zero_count;
  into.count += sign * other.count;
  into.sum += sign * other.sum;
  for (const auto& [index, count] : other.positive) into.positive[index] += sign * count;
  for (const auto& [index, count] : other.negative) into.negative[index] += sign * count;
  return true;
}

std::optional<Native> Folded(std::span<const NativePtr> list, long double divisor) {
  auto total = Converted<long double>(*list.front());
  for (const NativePtr& native : list.subspan(1)) {
    if (!AddTo(total, *native, 1)) return std::nullopt;
  }
  ForNumbers(total, [divisor](long double& n) { n /= divisor; });
  return Converted<double>(total);
}

// Some bucket counts less than before; one that is not there counts nothing.
bool Fell(const std::map<int, double>& now, const std::map<int, double>& before) {
  return std::any_of(before.begin(), before.end(), [&now](const auto& bucket) {
    const auto at = now.find(bucket.first);
    return at == now.end() ? bucket.second != 0 : at->second < bucket.second;
  });
}

bool FellExponential(const Native& now, Native before) {
  if (now.schema > before.schema || now.zero_threshold < before.zero_threshold) return true;
  if (now.zero_threshold > before.zero_threshold) {
    if (Widened(before, now.zero_threshold) != now.zero_threshold) return true;
    RaiseThreshold(before, now.zero_threshold);
  }
  LowerSchema(before, now.schema);
  return now.zero_count < before.zero_count || Fell(now.positive, before.positive) ||
         Fell(now.negative, before.negative);
}

}  // namespace

Native FromModel(const Histogram& histogram) {
  const auto bounds = histogram.custom_bounds();
  return {histogram.reset_hint == CounterResetHint::kGauge,
          histogram.schema,
          histogram.zero_threshold,
          histogram.zero_count,
          histogram.count,
          histogram.sum,
          ToMap(histogram.positive),
          ToMap(histogram.negative),
          {bounds.begin(), bounds.end()}};
}

Histogram ToModel(const Native& native) {
  Histogram out;
  if (native.gauge) out.reset_hint = CounterResetHint::kGauge;
  out.schema = native.schema;
  out.zero_threshold = native.zero_threshold;
  out.zero_count = native.zero_count;
  out.count = native.count;
  out.sum = native.sum;
  out.positive = ToRuns(native.positive);
  out.negative = ToRuns(native.negative);
  if (native.custom()) out.bounds = std::make_shared<const std::vector<double>>(native.bounds);
  return out;
}

std::vector<NativeBucket> BucketsOf(const Native& native) {
  std::vector<NativeBucket> out;
  if (native.custom()) {
    const auto bound = [&native](int i) {
      if (i < 0) return -kInf;
      const auto at = static_cast<std::size_t>(i);
      return at < native.bounds.size() ? native.bounds[at] : kInf;
    };
    for (const auto& [i, count] : native.positive) out.push_back({bound(i - 1), bound(i), count});
    return out;
  }
  const int schema = native.schema;
  for (const auto& [i, count] : native.negative) {
    out.push_back({-BoundOf(schema, i), -BoundOf(schema, i - 1), count});
  }
  std::reverse(out.begin(), out.end());
  if (native.zero_count > 0) {
    out.push_back({-native.zero_threshold, native.zero_threshold, native.zero_count});
  }
  for (const auto& [i, count] : native.positive) {
    out.push_back({BoundOf(schema, i - 1), BoundOf(schema, i), count});
  }
  return out;
}

std::optional<Native> Plus(const Native& left, const Native& right) {
  Native out = left;
  if (!AddTo(out, right, 1)) return std::nullopt;
  return out;
}

std::optional<Native> Minus(const Native& left, const Native& right) {
  Native out = left;
  if (!AddTo(out, right, -1)) return std::nullopt;
  return out;
}

std::optional<Native> SumOfAll(std::span<const NativePtr> list) { return Folded(list, 1); }

std::optional<Native> MeanOfAll(std::span<const NativePtr> list) {
  return Folded(list, static_cast<long double>(list.size()));
}

Native Times(Native native, double factor) {
  ForNumbers(native, [factor](double& n) { n *= factor; });
  if (factor < 0) native.gauge = true;
  return native;
}

Native Over(Native native, double divisor) {
  ForNumbers(native, [divisor](double& n) { n /= divisor; });
  if (divisor < 0) native.gauge = true;
  if (divisor == 0) {
    native.positive.clear();
    native.negative.clear();
  }
  return native;
}

Native Compacted(Native native) {
  const auto empty = [](const auto& bucket) { return bucket.second == 0; };
  std::erase_if(native.positive, empty);
  std::erase_if(native.negative, empty);
  return native;
}

Native Coarsened(const Native& native, int schema) {
  Native out = native;
  LowerSchema(out, schema);
  return out;
}

bool BeganAnew(const Native& now, const Native& before) {
  if (now.count < before.count || now.custom() != before.custom()) return true;
  if (!now.custom()) return FellExponential(now, before);
  Native a = now;
  Native b = before;
  Align(a, b);
  return Fell(a.positive, b.positive);
}

bool Identical(const Native& a, const Native& b) {
  const auto same = [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  };
  const auto same_side = [&same](const std::map<int, double>& x, const std::map<int, double>& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [&same](auto& p, auto& q) {
      return p.first == q.first && same(p.second, q.second);
    });
  };
  return a.schema == b.schema && a.zero_threshold == b.zero_threshold && a.bounds == b.bounds &&
         same(a.zero_count, b.zero_count) && same(a.count, b.count) && same(a.sum, b.sum) &&
         same_side(a.positive, b.positive) && same_side(a.negative, b.negative);
}

}  // namespace skep::oracle
