// The small parts: hashes, orders, exact sums, dates, classic histograms.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "evaluator/engine/annotations.h"
#include "evaluator/engine/classic_histogram.h"
#include "evaluator/engine/float_function.h"
#include "evaluator/engine/float_math.h"
#include "evaluator/engine/natural_order.h"
#include "evaluator/engine/series_hash.h"
#include "tests/support/many.h"

namespace skep::engine {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST_CASE("The series hash is XXH64", "[engine]") {
  CHECK(XxHash64("") == 0xef46db3751d8e999ULL);
  CHECK(XxHash64("a") == 0xd24ec4f1a98c6e5bULL);
  CHECK(XxHash64("as") == 0x1c330fb2d66be179ULL);
  CHECK(XxHash64("asd") == 0x631c37ce72a97393ULL);
  CHECK(XxHash64("asdf") == 0x415872f599cea71eULL);
  CHECK(XxHash64("Call me Ishmael. Some years ago--never mind how long precisely-") ==
        0x02a2e85470d6fd96ULL);
}

TEST_CASE("Numbers within labels are ordered as numbers", "[engine]") {
  const std::vector<std::string> ordered{"", "1", "9", "10", "a", "a1", "a2b", "a10", "b"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t k = 0; k < ordered.size(); ++k) {
      CAPTURE(ordered[i], ordered[k]);
      if (i != k) CHECK(NaturalBefore(ordered[i], ordered[k]) == (i < k));
    }
  }
}

TEST_CASE("A compensated sum keeps what rounding takes", "[engine]") {
  CompensatedSum sum;
  for (const double x : {1.0, 1e100, 1.0, -1e100}) sum.Add(x);
  CHECK(sum.total() == 2);
  CompensatedSum tenths;
  for (int i = 0; i < 10; ++i) tenths.Add(0.1);
  CHECK(tenths.total() == 1);
}

TEST_CASE("A mean does not overflow where its values do not", "[engine]") {
  constexpr double kMax = std::numeric_limits<double>::max();
  CompensatedMean mean(kMax);
  for (int i = 0; i < 4; ++i) mean.Add(kMax);
  CHECK(std::isfinite(mean.value()));
  CHECK(mean.value() > kMax * (1 - 1e-15));
}

TEST_CASE("Quantiles interpolate, and put NaN first", "[engine]") {
  const auto quantile = [](double q, std::vector<double> values) {
    std::vector<double> scratch;
    return Quantile(q, values, scratch);
  };
  CHECK(std::isnan(quantile(0.5, {})));
  CHECK(std::isnan(quantile(std::nan(""), {1})));
  CHECK(quantile(-0.1, {1}) == -kInf);
  CHECK(quantile(1.1, {1}) == kInf);
  CHECK(quantile(0, {3, 1, 2}) == 1);
  CHECK(quantile(1, {3, 1, 2}) == 3);
  CHECK(quantile(0.75, {4, 1, 3, 2}) == 3.25);
  CHECK(quantile(1, {std::nan(""), 5, 4}) == 5);
  CHECK(std::isnan(quantile(0, {4, std::nan(""), 5})));
}

TEST_CASE("Quantiles of many values are those of a sorted list", "[engine]") {
  std::mt19937_64 random(23);
  std::vector<double> scratch;
  for (int turn = 0; turn < test::Many(300) + 1; ++turn) {
    const std::size_t count = 1 + random() % 6000;
    const std::uint64_t kind = random() % 6;
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) {
      const auto noise = static_cast<double>(random() % 1000);
      const auto place = static_cast<double>(i);
      values.push_back(kind == 0   ? noise
                       : kind == 1 ? place
                       : kind == 2 ? std::sin(place / 45) * 1e3  // in time with what is sampled
                       : kind == 3 ? 7
                       : kind == 4 ? (noise == 0 ? kInf : -noise)
                                   : (noise == 0 ? std::nan("") : noise / 7));
    }
    std::vector<double> sorted = values;
    std::ranges::sort(sorted, NanFirst);
    for (const double q :
         {0.0, 0.001, 0.5, 0.95, 0.999, 1.0, static_cast<double>(random() % 1000) / 1e3}) {
      CAPTURE(turn, kind, count, q);
      const double rank = q * static_cast<double>(count - 1);
      const auto lower = static_cast<std::size_t>(rank);
      const double weight = rank - std::floor(rank);
      const double expected =
          sorted[lower] * (1 - weight) + sorted[std::min(lower + 1, count - 1)] * weight;
      const double given = Quantile(q, values, scratch);
      CHECK((given == expected || (std::isnan(given) && std::isnan(expected))));
    }
  }
}

TEST_CASE("Parts of dates are those of the UTC calendar", "[engine]") {
  const auto part = [](promql::FunctionId id, double t) { return FindDateFunction(id)(t); };
  using Id = promql::FunctionId;
  constexpr double kLeapDay = 1709210096;  // 2024-02-29T12:34:56Z, a Thursday
  CHECK(part(Id::kYear, kLeapDay) == 2024);
  CHECK(part(Id::kMonth, kLeapDay) == 2);
  CHECK(part(Id::kDayOfMonth, kLeapDay) == 29);
  CHECK(part(Id::kDaysInMonth, kLeapDay) == 29);
  CHECK(part(Id::kDayOfWeek, kLeapDay) == 4);
  CHECK(part(Id::kDayOfYear, kLeapDay) == 60);
  CHECK(part(Id::kHour, kLeapDay) == 12);
  CHECK(part(Id::kMinute, kLeapDay) == 34);
  CHECK(part(Id::kYear, -1) == 1969);
  CHECK(part(Id::kHour, -1) == 23);
  CHECK(std::isnan(part(Id::kYear, std::nan(""))));
  CHECK(std::isnan(part(Id::kYear, kInf)));
  CHECK(std::isnan(part(Id::kYear, 1e300)));
  CHECK(FindDateFunction(Id::kAbs) == nullptr);
}

TEST_CASE("Rounding and clamping are Prometheus's", "[engine]") {
  CHECK(RoundTo(2.5, 1) == 3);
  CHECK(RoundTo(-2.5, 1) == -2);
  CHECK(RoundTo(123, 10) == 120);
  CHECK(Clamp(5, 1, 3) == 3);
  CHECK(std::isnan(Clamp(5, std::nan(""), 3)));
  CHECK(std::isnan(Clamp(std::nan(""), 1, 3)));
}

TEST_CASE("Classic histograms: bad ones have no quantile", "[engine]") {
  const auto quantile = [](double q, std::vector<Bucket> buckets) {
    Annotations::Monotonicity forced;
    return BucketQuantile(q, buckets, forced);
  };
  CHECK(std::isnan(quantile(0.5, {})));
  CHECK(std::isnan(quantile(0.5, {{1, 5}})));     // no +Inf
  CHECK(std::isnan(quantile(0.5, {{kInf, 5}})));  // nothing below +Inf
  CHECK(std::isnan(quantile(0.5, {{1, 0}, {kInf, 0}})));
  CHECK(quantile(0.5, {{1, 4}, {1, 4}, {kInf, 8}}) == 0.5);  // equal bounds are added
  // What floating point makes of equal counts is no fall.
  std::vector<Bucket> noisy{{1, 10}, {2, 10 - 1e-12}, {kInf, 20}};
  Annotations::Monotonicity forced;
  CHECK(BucketQuantile(0.25, noisy, forced) == 0.5);
  CHECK(forced.largest_fall == 0);
}

TEST_CASE("Annotations name kind and place and stand once", "[engine]") {
  Annotations annotations;
  annotations.Warn("w", {4, 5});
  annotations.Warn("w", {9, 10});
  annotations.Info("i", {0, 3});
  CHECK(annotations.Warnings("sum(\nm)") == std::vector<std::string>{"PromQL warning: w (1:5)"});
  CHECK(annotations.Infos("sum(m)") == std::vector<std::string>{"PromQL info: i (1:1)"});
  annotations.ForcedMonotonicity("h", {0, 1}, 61'500, {1, 2, 3});
  annotations.ForcedMonotonicity("h", {0, 1}, 1'000, {0.5, 1, 1234});
  CHECK(annotations.Infos("x")[1] ==
        "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
        "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for "
        "metric name \"h\", from buckets 0.5 to 2, with a max diff of 1.2e+03, over 2 samples "
        "from 1970-01-01T00:00:01Z to 1970-01-01T00:01:01Z (1:1)");
}

}  // namespace
}  // namespace skep::engine
