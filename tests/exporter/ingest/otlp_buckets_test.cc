#include "exporter/ingest/otlp_buckets.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace skep::ingest {
namespace {

using Counts = std::vector<std::uint64_t>;
using Bounds = std::vector<double>;

std::uint64_t Sum(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  return sum;
}

std::string Classic(const Bounds& bounds, const Counts& counts, const Bounds& target,
                    Counts& cumulated) {
  HistogramData data;
  data.count = Sum(counts);
  data.bounds = bounds;
  data.counts = counts;
  return CumulateClassic(data, target, cumulated);
}

}  // namespace

TEST_CASE("Classic buckets are joined where every bound of the metric is one of theirs", "[otlp]") {
  Counts out;
  CHECK(Classic({1, 2, 4}, {1, 2, 3, 4}, {1, 2, 4}, out).empty());
  CHECK(out == Counts{1, 3, 6, 10});
  CHECK(Classic({1, 2, 4}, {1, 2, 3, 4}, {2}, out).empty());
  CHECK(out == Counts{3, 10});
  CHECK(Classic({1, 2, 4}, {1, 2, 3, 4}, {}, out).empty());
  CHECK(out == Counts{10});
  CHECK(Classic({}, {5}, {}, out).empty());
  CHECK(out == Counts{5});
}

TEST_CASE("What cannot be joined exactly is refused with the reason", "[otlp]") {
  Counts out;
  CHECK(Classic({1, 2, 4}, {1, 2, 3, 4}, {1, 3}, out) ==
        "its buckets cannot be joined to those of the metric, which has the bound 3");
  CHECK(Classic({1, 2}, {1, 2, 3}, {1, 2, 4}, out) ==
        "its buckets cannot be joined to those of the metric, which has the bound 4");
  CHECK(Classic({}, {3}, {1}, out) ==
        "its buckets cannot be joined to those of the metric, which has the bound 1");
  CHECK(Classic({}, {}, {1}, out) == "the histogram has no buckets");
  CHECK(Classic({1}, {1}, {1}, out) == "bucket counts are not one more than bounds");
  CHECK(Classic({2, 1}, {1, 1, 1}, {1}, out) == "bounds do not rise or are more than 128");
  CHECK(Classic({1, NAN}, {1, 1, 1}, {1}, out) == "bounds do not rise or are more than 128");
  CHECK(Classic({1}, {UINT64_MAX, 2}, {1}, out) == "count is not the sum of the bucket counts");
  HistogramData data;
  const Counts counts = {1, 1};
  const Bounds bounds = {1};
  data.counts = counts;
  data.bounds = bounds;
  data.count = 3;
  CHECK(CumulateClassic(data, bounds, out) == "count is not the sum of the bucket counts");
}

TEST_CASE("Exponential buckets go below the first bound that no value in them exceeds", "[otlp]") {
  Counts out;
  HistogramData data;
  // Scale 0: base 2. Buckets (1, 2], (2, 4], (4, 8].
  const Counts positive = {1, 2, 3};
  data.positive = positive;
  data.count = 6;
  CHECK(CumulateExponential(data, Bounds{1, 2, 4, 8}, out).empty());
  CHECK(out == Counts{0, 1, 3, 6, 6});
  CHECK(CumulateExponential(data, Bounds{3, 5}, out).empty());
  CHECK(out == Counts{1, 3, 6});
  // Negative (-2, -1] and [-4, -2), zeros.
  const Counts negative = {1, 1};
  data.negative = negative;
  data.zero_count = 5;
  data.count = 13;
  CHECK(CumulateExponential(data, Bounds{-2, -1, 0, 8}, out).empty());
  CHECK(out == Counts{1, 2, 7, 13, 13});
  data.count = 12;
  CHECK(CumulateExponential(data, Bounds{1}, out) == "count is not the sum of the bucket counts");
  data.scale = 21;
  CHECK(CumulateExponential(data, Bounds{1}, out) == "scale is beyond -20 to 20");
}

TEST_CASE("Exponential conversion never puts a value below what it is", "[otlp]") {
  std::mt19937_64 random(7);
  const Bounds bounds = {0.005, 0.01, 0.1, 0.25, 1, 2.5, 10, 100};
  for (int scale = -2; scale <= 8; ++scale) {
    const double base = std::exp2(std::ldexp(1.0, -scale));
    const double value = std::exp(std::uniform_real_distribution<double>(-6, 5)(random));
    HistogramData data;
    data.scale = scale;
    // The bucket that holds the value: (base^i, base^(i+1)].
    data.positive_offset =
        static_cast<std::int32_t>(std::ceil(std::log(value) / std::log(base)) - 1);
    const Counts one = {1};
    data.positive = one;
    data.count = 1;
    Counts out;
    REQUIRE(CumulateExponential(data, bounds, out).empty());
    CAPTURE(scale, value);
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      if (bounds[i] < value) CHECK(out[i] == 0);
      if (bounds[i] >= value * base * 1.0001) CHECK(out[i] == 1);
    }
    CHECK(out.back() == 1);
  }
}

TEST_CASE("Increases are exact while counts rise and never negative", "[otlp]") {
  Counts before = {1, 3, 6};
  Counts added;
  AddIncrease(before, Counts{2, 5, 9}, added);
  CHECK(added == Counts{1, 1, 1});
  CHECK(before == Counts{2, 5, 9});
  // Two moved from the first bucket up to the last, one is new there: nothing is taken back.
  AddIncrease(before, Counts{0, 5, 10}, added);
  CHECK(added == Counts{0, 0, 1});
  CHECK(before == Counts{2, 5, 10});
  // Later ones in the first bucket make up for it.
  AddIncrease(before, Counts{3, 8, 13}, added);
  CHECK(added == Counts{1, 2, 0});
  CHECK(before == Counts{3, 8, 13});
}

TEST_CASE("Increases add up to the total whatever moves", "[otlp]") {
  std::mt19937_64 random(11);
  Counts given(5, 0);
  Counts by_bucket(5, 0);
  Counts sent(5, 0);
  for (int round = 0; round < 2000; ++round) {
    ++by_bucket[random() % 5];
    if (random() % 50 == 0 && by_bucket[1] > 0) {
      --by_bucket[1];
      ++by_bucket[2 + random() % 3];
    }
    Counts now = by_bucket;
    for (std::size_t i = 1; i < now.size(); ++i) now[i] += now[i - 1];
    Counts added;
    AddIncrease(given, now, added);
    for (std::size_t i = 0; i < added.size(); ++i) {
      REQUIRE(added[i] < 3);  // a wrapped difference would be huge
      sent[i] += added[i];
    }
    REQUIRE(given.back() == now.back());
    REQUIRE(Sum(sent) == now.back());
  }
}

TEST_CASE("Recommended bounds are good", "[otlp]") {
  for (const char* name :
       {"gen_ai.client.token.usage", "gen_ai.client.operation.duration",
        "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token",
        "gen_ai.invoke_agent.duration", "gen_ai.execute_tool.duration", "gen_ai.workflow.duration",
        "gen_ai.invoke_agent.tool_calls", "mcp.client.operation.duration"}) {
    CAPTURE(name);
    CHECK(!RecommendedBounds(name).empty());
    CHECK(AreGoodBounds(RecommendedBounds(name)));
  }
  CHECK(RecommendedBounds("http.server.request.duration").empty());
}

}  // namespace skep::ingest
