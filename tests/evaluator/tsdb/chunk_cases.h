// Runs of times and values of every kind that a chunk may hold, for the tests of the columns.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/model/sample.h"

namespace skep::tsdb {

struct ValuesCase {
  std::string name;
  std::vector<double> values;
};

struct TimesCase {
  std::string name;
  std::vector<Timestamp> times;
};

inline std::vector<std::uint64_t> BitsOf(const std::vector<double>& values) {
  std::vector<std::uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

// value(i, random) for `count` rows.
template <typename Value>
std::vector<double> MakeValues(std::size_t count, Value value) {
  std::mt19937_64 random(count);
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(value(i, random));
  return values;
}

inline std::vector<ValuesCase> ValuesCases() {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kDenormal = std::numeric_limits<double>::denorm_min();
  using Random = std::mt19937_64;
  double walk = 0;
  std::vector<ValuesCase> cases = {
      {"one", {42}},
      {"one marker", {kStaleNaN}},
      {"two", {1, 2}},
      {"three", {1, 2, 4}},
      {"negative zeros", {-0.0, -0.0, -0.0}},
      {"both zeros", {0.0, -0.0, 0.0, -0.0, 1.0}},
      {"odd ones", {0,      -0.0,      kStaleNaN,  kNormalNaN, kInf,   -kInf,      1e308,
                    -1e308, kDenormal, -kDenormal, 1,          1,      2,          -2,
                    0.1,    1.0 / 3,   1e15,       1e15 + 1,   0x1p53, 0x1p53 + 2, 1e18,
                    0x1p62, -0x1p63,   0x1p63,     0x1p64,     4.35,   1e-18,      1e22}},
      {"powers of ten", {1e-3, 1e-2, 1e-1, 1, 10, 100, 1e3, 1e4}},
      {"largest integers", {0x1p62, -0x1p62, 0x1.fffffffffffffp62, -0x1p63, 0, 1}},
  };
  const auto add = [&](std::string name, std::vector<double> values) {
    cases.push_back({std::move(name), std::move(values)});
  };
  add("constant", MakeValues(300, [](std::size_t, Random&) { return 1.0 / 3; }));
  add("line", MakeValues(300, [](std::size_t i, Random&) { return 7.0 + 3.0 * double(i); }));
  add("counter", MakeValues(961, [&](std::size_t i, Random& random) {
        if (i % 400 == 399) walk = 0;
        return walk += double(random() % 20);
      }));
  add("jumps", MakeValues(500, [](std::size_t i, Random&) { return i % 71 == 0 ? 1e9 : 4.0; }));
  add("now and then", MakeValues(500, [&](std::size_t, Random& random) {
        return random() % 4 == 0 ? walk += double(random() % 9000) - 4000 : walk;
      }));
  add("multiples", MakeValues(385, [](std::size_t, Random& random) {
        return 4096.0 * double(random() % 1000) + 17;
      }));
  add("decimals", MakeValues(384, [](std::size_t, Random& random) {
        return (double(random() % 100'000) - 3000) / 1000;
      }));
  add("milliseconds", MakeValues(300, [&](std::size_t, Random& random) {
        return (walk += double(random() % 900)) * 0.001;
      }));
  add("microseconds", MakeValues(300, [&](std::size_t, Random& random) {
        return (walk += double(random() % 900)) / 1000 / 1000;
      }));
  add("decimals with a marker at the end", MakeValues(130, [](std::size_t i, Random&) {
        return i == 129 ? kStaleNaN : double(i) / 100;
      }));
  add("markers at the begin",
      MakeValues(130, [](std::size_t i, Random&) { return i < 3 ? kStaleNaN : double(i); }));
  add("sine", MakeValues(257, [](std::size_t i, Random&) { return std::sin(double(i) / 20); }));
  add("noise",
      MakeValues(300, [](std::size_t, Random& random) { return double(random()) / 0x1p64; }));
  add("any bits",
      MakeValues(400, [](std::size_t, Random& random) { return std::bit_cast<double>(random()); }));
  add("floats of 32 bits", MakeValues(200, [](std::size_t i, Random&) {
        return double(float(std::sin(double(i) / 7)));
      }));
  add("half of them markers",
      MakeValues(200, [](std::size_t i, Random&) { return i % 2 == 0 ? kStaleNaN : double(i); }));
  add("parabola", MakeValues(400, [](std::size_t i, Random&) { return double(i * i * 50); }));
  return cases;
}

// Times that begin at `first` and whose distances are distance(i, random) ms.
template <typename Distance>
std::vector<Timestamp> MakeTimes(std::size_t count, std::int64_t first, Distance distance) {
  std::mt19937_64 random(count);
  std::vector<Timestamp> times;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) first += distance(i, random);
    times.push_back(FromMillis(first));
  }
  return times;
}

inline std::vector<TimesCase> TimesCases() {
  constexpr std::int64_t kStart = 1'700'000'000'000;
  using Random = std::mt19937_64;
  std::vector<TimesCase> cases = {
      {"one", {FromMillis(kStart)}},
      {"ends of time", {kMinTimestamp, FromMillis(0), kMaxTimestamp}},
      {"neighbours", {FromMillis(-1), FromMillis(0), FromMillis(1), FromMillis(3)}},
  };
  const auto add = [&](std::string name, std::size_t count, auto distance) {
    cases.push_back({std::move(name), MakeTimes(count, kStart, distance)});
  };
  add("regular", 960, [](std::size_t, Random&) { return std::int64_t{15'000}; });
  add("jitter", 960, [](std::size_t i, Random& random) {
    static std::int64_t off = 0;
    const std::int64_t now = i == 1 ? 0 : static_cast<std::int64_t>(random() % 7) - 3;
    const std::int64_t distance = 15'000 + now - off;
    off = now;
    return distance;
  });
  add("gaps", 400,
      [](std::size_t i, Random&) { return std::int64_t{i % 57 == 0 ? 90'000 : 15'000}; });
  add("late ones", 400, [](std::size_t i, Random&) {
    return std::int64_t{15'000 + (i % 40 == 7 ? 300 : 0) - (i % 40 == 8 ? 300 : 0)};
  });
  add("rhythm changes", 500,
      [](std::size_t i, Random&) { return std::int64_t{i < 230 ? 15'000 : 5'000}; });
  add("drift", 700,
      [](std::size_t i, Random&) { return std::int64_t{i % 3 == 0 ? 1'000 : 1'001}; });
  add("every millisecond", 300, [](std::size_t, Random&) { return std::int64_t{1}; });
  add("random", 300, [](std::size_t, Random& random) {
    return 1 + static_cast<std::int64_t>(random() % 100'000);
  });
  add("wild", 200,
      [](std::size_t, Random& random) { return 1 + static_cast<std::int64_t>(random() >> 10); });
  return cases;
}

}  // namespace skep::tsdb
