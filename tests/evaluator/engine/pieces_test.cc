// Windows made of small summaries, and the plain functions over the same samples.
#include "evaluator/engine/pieces.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "common/model/sample.h"
#include "tests/support/many.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

constexpr FunctionId kFunctions[] = {FunctionId::kAvgOverTime,    FunctionId::kChanges,
                                     FunctionId::kMaxOverTime,    FunctionId::kMinOverTime,
                                     FunctionId::kStddevOverTime, FunctionId::kStdvarOverTime,
                                     FunctionId::kSumOverTime};

bool IsExact(FunctionId id) {
  return id == FunctionId::kChanges || id == FunctionId::kMaxOverTime ||
         id == FunctionId::kMinOverTime;
}

storage::SampleColumns RandomSamples(std::mt19937_64& random) {
  storage::SampleColumns samples;
  const std::size_t count = 1 + random() % 600;
  const bool has_odd = random() % 2 == 0;
  std::int64_t time = 1'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    time += 1 + static_cast<std::int64_t>(random() % 20'000);
    double value = static_cast<double>(random() % 2000) / 8 - 100;
    if (random() % 4 == 0 && i > 0) value = samples.values.back();
    if (has_odd && random() % 150 == 0) value = random() % 2 == 0 ? std::nan("") : HUGE_VAL;
    samples.times.push_back(FromMillis(time));
    samples.values.push_back(value);
  }
  return samples;
}

TEST_CASE("A window in pieces comes to what its samples come to", "[engine]") {
  std::mt19937_64 random(29);
  int in_pieces = 0;
  Pieces pieces;
  for (int turn = 0; turn < test::Many(60) + 1; ++turn) {
    const storage::SampleColumns samples = RandomSamples(random);
    pieces.Clear();
    for (int look = 0; look < 40; ++look) {
      const std::size_t low = random() % samples.size();
      const std::size_t size = 1 + random() % (samples.size() - low);
      CAPTURE(turn, samples.size(), low, size);
      Window window{
          .times = samples.times.data() + low, .values = samples.values.data() + low, .size = size};
      window.end = window.time(size - 1);
      window.start = window.time(0) - 1;
      const auto summarized = pieces.Of(samples, low, window);
      const bool is_finite = std::all_of(window.values, window.values + size,
                                         [](double value) { return std::isfinite(value); });
      if (size >= Pieces::kLeastSamples && is_finite) REQUIRE(summarized);
      if (size < Pieces::kLeastSamples) REQUIRE_FALSE(summarized);
      if (!summarized) continue;
      ++in_pieces;
      CHECK(summarized->size == size);
      for (const FunctionId id : kFunctions) {
        CAPTURE(static_cast<int>(id));
        REQUIRE(LooksAtEverySample(id));
        const double plain = FindWindowFunction(id)(window, {});
        const double given = FindSummaryFunction(id)(*summarized);
        if (IsExact(id) || !std::isfinite(plain)) {
          CHECK((given == plain || (std::isnan(given) && std::isnan(plain))));
        } else {
          CHECK(given == Approx(plain).epsilon(1e-10).margin(1e-10));
        }
      }
    }
  }
  CHECK(in_pieces > 20);
}

TEST_CASE("The extremes of a window are those that a look at one after the other finds",
          "[engine]") {
  std::mt19937_64 random(31);
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (int turn = 0; turn < test::Many(4000) + 1; ++turn) {
    std::vector<double> values(1 + random() % 40);
    const std::uint64_t kind = random() % 4;
    for (double& value : values) {
      const double odd[] = {0.0, -0.0, std::nan(""), kInf, -kInf, 1, -1};
      value = kind == 0 ? static_cast<double>(random() % 9) - 4
                        : odd[random() % (kind == 1   ? 2
                                          : kind == 2 ? 3
                                                      : 7)];
    }
    const Window window{.values = values.data(), .size = values.size()};
    double max = values[0];
    double min = values[0];
    for (const double value : values) {
      if (value > max || std::isnan(max)) max = value;
      if (value < min || std::isnan(min)) min = value;
    }
    CAPTURE(turn, kind, values);
    const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
    CHECK(bits(FindWindowFunction(FunctionId::kMaxOverTime)(window, {})) == bits(max));
    CHECK(bits(FindWindowFunction(FunctionId::kMinOverTime)(window, {})) == bits(min));
  }
}

}  // namespace
}  // namespace skep::engine
