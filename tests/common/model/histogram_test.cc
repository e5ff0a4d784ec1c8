// The fast arithmetic of histograms against a plain one, straight from the definition.
#include "common/model/histogram.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>

#include "common/model/histogram_math.h"

namespace skep {
namespace {

// --- the oracle: populated buckets by their bounds ---

// A side's populated buckets by index.
using Side = std::map<std::int64_t, double>;

struct PlainHistogram {
  int schema = 0;
  double threshold = 0;
  double zero = 0, count = 0, sum = 0;
  Side positive = {}, negative = {};
};

double Bound(int schema, std::int64_t index) {
  return std::exp2(static_cast<double>(index) * std::exp2(-schema));
}

bool Below(double a, double b) { return a < b && std::fabs(a - b) > 1e-9 * b; }

Side ToSide(const BucketRuns& runs) {
  Side side;
  runs.ForEach([&side](std::int32_t index, double count) {
    if (count != 0) side[index] = count;
  });
  return side;
}

PlainHistogram Plain(const Histogram& h) {
  return {h.schema, h.zero_threshold,   h.zero_count,      h.count,
          h.sum,    ToSide(h.positive), ToSide(h.negative)};
}

// The smallest threshold of at least `from` that cuts no populated bucket of either.
double CommonThreshold(const PlainHistogram& a, const PlainHistogram& b) {
  double threshold = std::max(a.threshold, b.threshold);
  for (bool moved = true; moved;) {
    moved = false;
    for (const PlainHistogram* h : {&a, &b}) {
      if (h->threshold == threshold) continue;  // not cut: it is its own
      for (const Side* side : {&h->positive, &h->negative}) {
        for (const auto& [index, count] : *side) {
          const double upper = Bound(h->schema, index);
          const bool cut = Below(Bound(h->schema, index - 1), threshold) && Below(threshold, upper);
          if (!cut) continue;
          threshold = upper;
          moved = true;
        }
      }
    }
  }
  return threshold;
}

void Swallow(Side& side, int schema, double threshold, double& zero) {
  while (!side.empty() && !Below(threshold, Bound(schema, side.begin()->first))) {
    zero += side.begin()->second;
    side.erase(side.begin());
  }
}

Side Coarsen(const Side& side, int from, int to) {
  Side out;
  for (const auto& [index, count] : side) {
    // The first coarse bucket whose upper bound is not below that of the fine one.
    std::int64_t coarse =
        static_cast<std::int64_t>(std::floor(static_cast<double>(index) * std::exp2(to - from))) -
        1;
    while (Below(Bound(to, coarse), Bound(from, index))) ++coarse;
    out[coarse] += count;
  }
  return out;
}

PlainHistogram PlainSum(PlainHistogram a, PlainHistogram b, double sign) {
  const double threshold = CommonThreshold(a, b);
  const int schema = std::min(a.schema, b.schema);
  for (PlainHistogram* h : {&a, &b}) {
    if (h->threshold != threshold) {
      Swallow(h->positive, h->schema, threshold, h->zero);
      Swallow(h->negative, h->schema, threshold, h->zero);
    }
    h->positive = Coarsen(h->positive, h->schema, schema);
    h->negative = Coarsen(h->negative, h->schema, schema);
  }
  PlainHistogram out{
      schema,     threshold, a.zero + sign * b.zero, a.count + sign * b.count, a.sum + sign * b.sum,
      a.positive, a.negative};
  for (const auto& [index, count] : b.positive) out.positive[index] += sign * count;
  for (const auto& [index, count] : b.negative) out.negative[index] += sign * count;
  return out;
}

bool Near(double a, double b) { return std::fabs(a - b) <= 1e-9 * (1 + std::fabs(a)); }

bool Near(const Side& a, const Side& b) {
  const auto covers = [](const Side& x, const Side& y) {
    return std::all_of(x.begin(), x.end(), [&y](const auto& bucket) {
      const auto at = y.find(bucket.first);
      return Near(bucket.second, at == y.end() ? 0 : at->second);
    });
  };
  return covers(a, b) && covers(b, a);
}

void CheckEqual(const Histogram& fast, const PlainHistogram& plain) {
  CAPTURE(FormatHistogram(fast), plain.threshold);
  CHECK(fast.schema == plain.schema);
  CHECK(Near(fast.zero_threshold, plain.threshold));
  CHECK(Near(fast.zero_count, plain.zero));
  CHECK(Near(fast.count, plain.count));
  CHECK(Near(fast.sum, plain.sum));
  CHECK(Near(ToSide(fast.positive), plain.positive));
  CHECK(Near(ToSide(fast.negative), plain.negative));
}

// --- random histograms ---

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  int Number(int low, int high) { return std::uniform_int_distribution<>(low, high)(random_); }

  Histogram Exponential() {
    Histogram h;
    h.schema = Number(-2, 4);
    constexpr double kThresholds[] = {0, 0.001, 0.25, 0.5, 1, 3};
    h.zero_threshold = kThresholds[Number(0, 5)];
    h.zero_count = Number(0, 5);
    h.positive = Runs(h);
    h.negative = Runs(h);
    h.count = h.zero_count;
    for (const double count : h.positive.counts) h.count += count;
    for (const double count : h.negative.counts) h.count += count;
    h.sum = Number(-100, 100);
    return h;
  }

  Histogram Custom() {
    Histogram h;
    h.schema = kCustomBucketsSchema;
    auto bounds = std::make_shared<std::vector<double>>();
    for (int bound = -2; bound <= 6; ++bound) {
      if (Number(0, 1) != 0) bounds->push_back(bound);
    }
    for (std::size_t i = 0; i <= bounds->size(); ++i) {
      if (Number(0, 3) != 0) h.positive.Append(static_cast<std::int32_t>(i), Number(0, 4));
    }
    for (const double count : h.positive.counts) h.count += count;
    h.bounds = std::move(bounds);
    return h;
  }

 private:
  BucketRuns Runs(const Histogram& h) {
    BucketRuns runs;
    const int buckets = Number(0, 12);
    std::int32_t index = Number(-8, 4);
    for (int i = 0; i < buckets; ++i) {
      index += Number(0, 4) == 0 ? Number(1, 9) : 1;
      // A bucket inside the zero bucket makes no sense.
      if (ExponentialBound(h.schema, std::int64_t{index} - 1) < h.zero_threshold) continue;
      runs.Append(index, Number(0, 6));
    }
    return runs;
  }

  std::mt19937 random_;
};

TEST_CASE("Adding and subtracting agree with the definition on random histograms", "[model]") {
  Generator generator(7);
  for (int round = 0; round < 3000; ++round) {
    const Histogram a = generator.Exponential();
    const Histogram b = generator.Exponential();
    CAPTURE(round, FormatHistogram(a), FormatHistogram(b), a.schema, b.schema);
    Histogram sum = a;
    REQUIRE(Add(sum, b));
    CheckEqual(sum, PlainSum(Plain(a), Plain(b), 1));
    Histogram difference = a;
    REQUIRE(Subtract(difference, b));
    CheckEqual(difference, PlainSum(Plain(a), Plain(b), -1));
  }
}

TEST_CASE("A sum of many is that of one after another, and so is the mean", "[model]") {
  Generator generator(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<Histogram> list;
    for (int i = generator.Number(1, 6); i > 0; --i) list.push_back(generator.Exponential());
    std::vector<const Histogram*> pointers;
    PlainHistogram plain = Plain(list.front());
    for (const Histogram& h : list) pointers.push_back(&h);
    for (std::size_t i = 1; i < list.size(); ++i) plain = PlainSum(plain, Plain(list[i]), 1);
    const auto sum = SumOf(pointers);
    REQUIRE(sum);
    CheckEqual(sum->value, plain);
    auto mean = MeanOf(pointers);
    REQUIRE(mean);
    Multiply(mean->value, static_cast<double>(list.size()));
    CheckEqual(mean->value, plain);
  }
}

// What a histogram with custom buckets counts up to `bound`.
double UpTo(const Histogram& h, double bound) {
  std::vector<HistogramBucket> buckets;
  ListBuckets(h, buckets);
  double count = 0;
  for (const HistogramBucket& bucket : buckets) count += bucket.upper <= bound ? bucket.count : 0;
  return count;
}

TEST_CASE("Custom buckets meet in the bounds that both have", "[model]") {
  Generator generator(13);
  for (int round = 0; round < 1000; ++round) {
    const Histogram a = generator.Custom();
    const Histogram b = generator.Custom();
    CAPTURE(round, FormatHistogram(a), FormatHistogram(b));
    Histogram sum = a;
    const auto remarks = Add(sum, b);
    REQUIRE(remarks);
    CHECK(remarks->bounds_reconciled == (*a.bounds != *b.bounds));
    std::vector<double> common;
    for (const double bound : *a.bounds) {
      if (std::find(b.bounds->begin(), b.bounds->end(), bound) != b.bounds->end()) {
        common.push_back(bound);
      }
    }
    CHECK(*sum.bounds == common);
    for (const double bound : common) CHECK(UpTo(sum, bound) == UpTo(a, bound) + UpTo(b, bound));
    CHECK(UpTo(sum, INFINITY) == a.count + b.count);
  }
}

TEST_CASE("A counter that only grew was not reset, one that fell somewhere was", "[model]") {
  Generator generator(17);
  for (int round = 0; round < 2000; ++round) {
    const Histogram before = generator.Exponential();
    Histogram now = before;
    REQUIRE(Add(now, generator.Exponential()));
    CAPTURE(round, FormatHistogram(before), FormatHistogram(now));
    CHECK_FALSE(IsReset(now, before));
    if (now.positive.counts.empty()) continue;
    const PlainHistogram plain =
        PlainSum(Plain(before), {.schema = now.schema, .threshold = now.zero_threshold}, 1);
    const auto at = plain.positive.begin();
    if (at == plain.positive.end() || at->second < 1 || plain.threshold != now.zero_threshold)
      continue;
    BucketRuns fallen;
    now.positive.ForEach([&](std::int32_t index, double count) {
      fallen.Append(index, index == at->first ? at->second - 1 : count);
    });
    now.positive = fallen;
    CHECK(IsReset(now, before));
  }
}

TEST_CASE("Hints decide about resets before the buckets do", "[model]") {
  Histogram before;
  before.count = 5;
  Histogram now;
  now.count = 1;
  CHECK(IsReset(now, before));
  now.reset_hint = CounterResetHint::kNotReset;
  CHECK_FALSE(IsReset(now, before));
  now.count = 9;
  now.reset_hint = CounterResetHint::kReset;
  CHECK(IsReset(now, before));
  // A store believes what it sees.
  CHECK(StoredHint(now, &before) == CounterResetHint::kUnknown);
  now.reset_hint = CounterResetHint::kNotReset;
  CHECK(StoredHint(now, &before) == CounterResetHint::kNotReset);
  CHECK(StoredHint(now, nullptr) == CounterResetHint::kUnknown);
  now.count = 1;
  CHECK(StoredHint(now, &before) == CounterResetHint::kUnknown);
  now.reset_hint = CounterResetHint::kGauge;
  CHECK(StoredHint(now, &before) == CounterResetHint::kGauge);
}

TEST_CASE("Trimming at any edge leaves two parts that make the whole", "[model]") {
  Generator generator(19);
  for (int round = 0; round < 1000; ++round) {
    const Histogram whole = generator.Exponential();
    const double edge = generator.Number(-40, 40) / 7.0;
    CAPTURE(round, FormatHistogram(whole), edge);
    const Histogram below = Trim(whole, edge, KeepSide::kBelow);
    const Histogram above = Trim(whole, edge, KeepSide::kAbove);
    CHECK(Near(below.count + above.count, whole.count));
    std::vector<HistogramBucket> buckets;
    ListBuckets(below, buckets);
    for (const HistogramBucket& bucket : buckets) CHECK((bucket.lower < edge || bucket.count == 0));
    ListBuckets(above, buckets);
    for (const HistogramBucket& bucket : buckets)
      CHECK((bucket.upper > edge || bucket.lower == edge || bucket.count == 0));
  }
}

TEST_CASE("Bounds are powers of two where they should be, and end with the largest float",
          "[model]") {
  for (int schema = kMinSchema; schema <= kMaxSchema; ++schema) {
    CAPTURE(schema);
    CHECK(ExponentialBound(schema, 0) == 1);
    const std::int64_t octave = schema > 0 ? std::int64_t{1} << schema : 1;
    const double width = schema > 0 ? 1 : std::exp2(-schema);
    CHECK(ExponentialBound(schema, octave) == std::exp2(width));
    CHECK(ExponentialBound(schema, -octave) == std::exp2(-width));
    CHECK(ExponentialBound(schema, 3) == Approx(Bound(schema, 3)));
    const auto top = static_cast<std::int64_t>(std::ldexp(1024, schema));
    CHECK(ExponentialBound(schema, top) == std::numeric_limits<double>::max());
    CHECK(std::isinf(ExponentialBound(schema, top + 1)));
  }
}

TEST_CASE("Histograms print as Prometheus prints them", "[model]") {
  Histogram h;
  h.count = 6;
  h.sum = -1.5;
  h.zero_threshold = 0.5;
  h.zero_count = 1;
  h.negative.Append(1, 2);
  h.negative.Append(2, 0);
  h.positive.Append(0, 3);
  CHECK(FormatHistogram(h) == "{count:6, sum:-1.5, [-2,-1):2, [-0.5,0.5]:1, (0.5,1]:3}");
  Histogram custom;
  custom.schema = kCustomBucketsSchema;
  custom.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{5});
  custom.positive.Append(0, 1);
  custom.positive.Append(1, 2);
  CHECK(FormatHistogram(custom) == "{count:0, sum:0, [-Inf,5]:1, (5,+Inf]:2}");
  CHECK(SameHistogram(h, h));
  CHECK_FALSE(SameHistogram(h, custom));
}

TEST_CASE("Dividing by zero keeps the totals alone; a negative factor makes a gauge", "[model]") {
  Histogram h;
  h.count = 2;
  h.sum = 3;
  h.positive.Append(0, 2);
  Histogram halved = h;
  Divide(halved, 2);
  CHECK(halved.positive.counts == std::vector<double>{1});
  Divide(h, 0);
  CHECK(std::isinf(h.count));
  CHECK(h.positive.empty());
  Multiply(halved, -1);
  CHECK(halved.count == -1);
  CHECK(halved.reset_hint == CounterResetHint::kGauge);
}

}  // namespace
}  // namespace skep
