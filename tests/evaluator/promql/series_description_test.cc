#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "common/model/sample.h"
#include "evaluator/promql/parser.h"

namespace skep::promql {
namespace {

std::string Values(std::string_view text) {
  const Result<SeriesDescription> series = ParseSeriesDescription(text);
  if (!series) return series.error().message();
  std::string out;
  for (const SequenceValue& value : series->values) {
    if (!out.empty()) out += " ";
    switch (value.kind) {
      case SequenceValue::Kind::kOmitted:
        out += "_";
        break;
      case SequenceValue::Kind::kFloat:
        out += IsStaleNaN(value.value) ? "stale" : std::to_string(value.value).substr(0, 6);
        break;
      case SequenceValue::Kind::kHistogram:
        out += FormatHistogram(*value.histogram);
        break;
    }
  }
  return out;
}

TEST_CASE("Values of a series description are expanded", "[promql]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a", ""},
      {"a ", ""},
      {"{} 1 2", "1.0000 2.0000"},
      {"a{b=\"c\"} 1+1x3", "1.0000 2.0000 3.0000 4.0000"},
      {"a 1-0.5x1 5x2", "1.0000 0.5000 5.0000 5.0000 5.0000"},
      {"a _ _x3 stale 1", "_ _ _ _ stale 1.0000"},
      {"a -1-1x1", "-1.000 -2.000"},
      {"a 0x2 Inf NaN -inf", "0.0000 0.0000 0.0000 inf nan -inf"},
      {"a 1e2+1e1x1 .5", "100.00 110.00 0.5000"},
      {"a _ -30s-1mx1", "_ -30.00 -90.00"},
      {"a {{schema:1 sum:3 count:22 buckets:[5 10 7]}}x1 {{}}",
       "{count:22, sum:3, (0.7071067811865476,1]:5, (1,1.4142135623730951]:10, "
       "(1.4142135623730951,2]:7} "
       "{count:22, sum:3, (0.7071067811865476,1]:5, (1,1.4142135623730951]:10, "
       "(1.4142135623730951,2]:7} "
       "{count:0, sum:0}"},
      {"a {{sum:1}}+{{sum:2 count:1}}x2 {{sum:1}}-{{sum:2}}x1",
       "{count:0, sum:1} {count:1, sum:3} {count:2, sum:5} {count:0, sum:1} {count:0, sum:-1}"},
      {"a stalex1", "stale stale"},
  };
  for (const auto& [text, values] : cases) {
    CAPTURE(text);
    CHECK(Values(text) == values);
  }
}

TEST_CASE("A histogram literal is read field by field", "[promql]") {
  const auto series = ParseSeriesDescription(
      "x {{schema:-53 sum:-0.3 count:3.1 z_bucket:7.1 z_bucket_w:0.05 buckets:[5.1 10 7] offset:-3 "
      "n_buckets:[4.1 5] n_offset:5 custom_values:[1 +Inf] counter_reset_hint:gauge}}");
  REQUIRE(series);
  const Histogram& histogram = *series->values.at(0).histogram;
  CHECK(histogram.schema == -53);
  CHECK(histogram.sum == -0.3);
  CHECK(histogram.count == 3.1);
  CHECK(histogram.zero_count == 7.1);
  CHECK(histogram.zero_threshold == 0.05);
  CHECK(histogram.positive.counts == std::vector<double>{5.1, 10, 7});
  CHECK(histogram.positive.spans == std::vector<BucketSpan>{{-3, 3}});
  CHECK(histogram.negative.counts == std::vector<double>{4.1, 5});
  CHECK(histogram.negative.spans == std::vector<BucketSpan>{{5, 2}});
  CHECK(std::isinf(histogram.custom_bounds()[1]));
  CHECK(histogram.reset_hint == CounterResetHint::kGauge);
  CHECK(series->values.at(0).has_reset_hint);
}

TEST_CASE("A bad series description names the column", "[promql]") {
  for (const char* bad : {"a 1+1",
                          "a 1x",
                          "a x3",
                          "a foo",
                          "a{b=\"c\" 1",
                          "a 1x99999999999",
                          "a _x999999999",
                          "a 1,2",
                          "a {{",
                          "a {{sum:}}",
                          "a {{sum:1 sum:2}}",
                          "a {{nosuch:1}}",
                          "a {{buckets:[1 }}",
                          "a {{schema:1.5}}",
                          "a {{counter_reset_hint:maybe}}",
                          "a {{sum:1}}+{{sum:1}}",
                          "a 1+x3",
                          "a {{sum:1}}+1x2",
                          "a 1x1x1",
                          "a {{schema:9}}",
                          "a {{schema:-53}}+{{schema:0}}x1"}) {
    CAPTURE(bad);
    const auto series = ParseSeriesDescription(bad);
    REQUIRE_FALSE(series);
    CHECK(series.error().message().find("1:") == 0);
  }
}

}  // namespace
}  // namespace skep::promql
