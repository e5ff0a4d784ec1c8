// Rates of series that share their times, and the plain functions window by window.
#include "evaluator/engine/rate_windows.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <random>
#include <vector>

#include "evaluator/engine/window.h"
#include "tests/support/many.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

std::vector<Timestamp> RandomTimes(std::mt19937_64& random) {
  std::vector<Timestamp> times;
  const std::size_t count = 1 + random() % 300;
  const bool is_regular = random() % 2 == 0;
  std::int64_t time = 1'000'000 + static_cast<std::int64_t>(random() % 40'000);
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_gap = random() % 40 == 0;
    time += is_gap       ? 400'000
            : is_regular ? 15'000
                         : 1 + static_cast<std::int64_t>(random() % 30'000);
    times.push_back(FromMillis(time));
  }
  return times;
}

// A counter with resets now and then, or anything at all.
std::vector<double> RandomValues(std::mt19937_64& random, std::size_t count) {
  constexpr double kOdd[] = {0.0, -0.0, -3.5, 1e308, 5e-324, HUGE_VAL, -HUGE_VAL};
  const std::uint64_t odd = random() % 3 == 0 ? 20 : 0;
  const std::uint64_t resets = random() % 2 == 0 ? 30 : 0;
  std::vector<double> values;
  double total = static_cast<double>(random() % 100) / 7;
  for (std::size_t i = 0; i < count; ++i) {
    if (resets != 0 && random() % resets == 0) total = 0;
    if (random() % 4 != 0) total += static_cast<double>(random() % 1000) / 7;
    values.push_back(total);
    if (odd == 0 || random() % odd != 0) continue;
    const std::uint64_t which = random() % (std::size(kOdd) + 1);
    values.back() = which == std::size(kOdd) ? std::nan("") : kOdd[which];
  }
  return values;
}

struct Series {
  std::vector<Timestamp> times;
  std::vector<double> values;
};

// By its definition: one window after the other, found by a look at every sample.
std::vector<double> Plain(FunctionId id, const Series& series, const Steps& steps,
                          const RangeSpec& spec) {
  std::vector<std::uint32_t> falls(series.times.size(), 0);
  for (std::size_t i = 1; i < falls.size(); ++i) {
    falls[i] = falls[i - 1] + (series.values[i] < series.values[i - 1] ? 1 : 0);
  }
  std::vector<double> out(steps.count, kAbsent);
  for (std::size_t s = 0; s < steps.count; ++s) {
    const std::int64_t end = spec.End(steps.At(s));
    std::size_t low = 0;
    std::size_t high = 0;
    for (const Timestamp time : series.times) {
      if (ToMillis(time) <= end - spec.range_ms) ++low;
      if (ToMillis(time) <= end) ++high;
    }
    if (low == high) continue;
    Window window{.times = series.times.data() + low,
                  .values = series.values.data() + low,
                  .size = high - low,
                  .start = end - spec.range_ms,
                  .end = end,
                  .step_time = steps.At(s),
                  .range_seconds = static_cast<double>(spec.range_ms) / 1000,
                  .falls = falls.data() + low};
    out[s] = FindWindowFunction(id)(window, {});
  }
  return out;
}

void CheckSame(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t s = 0; s < got.size(); ++s) {
    CAPTURE(s, got[s], expected[s]);
    if (std::isnan(got[s]) && IsPresent(got[s])) {
      CHECK((std::isnan(expected[s]) && IsPresent(expected[s])));
    } else {
      CHECK(std::bit_cast<std::uint64_t>(got[s]) == std::bit_cast<std::uint64_t>(expected[s]));
    }
  }
}

TEST_CASE("Rates over shared times have the bits of rates window by window", "[engine]") {
  struct Kind {
    FunctionId id;
    bool counter, per_second;
  };
  constexpr Kind kKinds[] = {{FunctionId::kRate, true, true},
                             {FunctionId::kIncrease, true, false},
                             {FunctionId::kDelta, false, false}};
  std::mt19937_64 random(31);
  std::size_t present = 0;
  for (int turn = 0; turn < test::Many(40) + 1; ++turn) {
    const Steps steps{1'000'000 + static_cast<std::int64_t>(random() % 100'000),
                      1 + static_cast<std::int64_t>(random() % 90'000), 1 + random() % 60};
    RangeSpec spec;
    spec.range_ms = 1 + static_cast<std::int64_t>(random() % 600'000);
    if (random() % 8 == 0) spec.fixed = steps.At(steps.count / 2);
    RateWindows windows(steps, spec);
    std::vector<Timestamp> times;
    for (int i = 0; i < 30; ++i) {
      if (i == 0 || random() % 3 == 0) times = RandomTimes(random);
      const Series series{times, RandomValues(random, times.size())};
      const Kind kind = kKinds[random() % std::size(kKinds)];
      const RateKind rate{kind.counter,
                          kind.per_second ? static_cast<double>(spec.range_ms) / 1000 : 0};
      const RateWindows::List& list = windows.Of(times);
      std::vector<double> got(steps.count, kAbsent);
      const bool any = FillRates(rate, list, series.values, got.data());
      CAPTURE(turn, i, spec.range_ms, steps.interval);
      const std::vector<double> expected = Plain(kind.id, series, steps, spec);
      CheckSame(got, expected);
      const auto there = std::ranges::count_if(expected, IsPresent);
      CHECK(any == (there > 0));
      present += static_cast<std::size_t>(there);
    }
  }
  CHECK(present > 1000);
}

TEST_CASE("Windows of shared times count the samples of each step", "[engine]") {
  const std::vector<Timestamp> times = {FromMillis(1000), FromMillis(2000), FromMillis(3000)};
  const Steps steps{2000, 1000, 3};
  RangeSpec spec;
  spec.range_ms = 2000;
  RateWindows windows(steps, spec);
  const RateWindows::List& list = windows.Of(times);
  CHECK(list.samples == 2 + 2 + 1);
  CHECK(list.windows[1].low == 1);
  CHECK(list.windows[1].high == 3);
  CHECK(list.windows[1].covered == 1.0);
}

}  // namespace
}  // namespace skep::engine
