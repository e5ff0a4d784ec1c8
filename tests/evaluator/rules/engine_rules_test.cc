// Rules over the real engine; what is expected is what `promtool test rules` 2.42 says of the same
// files.
#include <catch2/catch.hpp>

#include "tests/evaluator/rules/engine_house.h"

namespace skep::rules::test {
namespace {

constexpr std::string_view kRules = R"(groups:
- name: g
  rules:
  - alert: A
    expr: m
    for: 2m
    keep_firing_for: 2m
    labels: {x: "{{ if false }}y{{ end }}", y: "v{{ $value }}"}
  - record: n
    expr: sum by (job) (m) * 2
    labels: {job: '', l: c}
  - record: firing
    expr: count(ALERTS{alertstate="firing"})
)";

}  // namespace

TEST_CASE("Rules over the engine do what promtool says of them", "[rules]") {
  EngineHouse house;
  REQUIRE(house.Load(std::string(kRules)));
  const auto at = [](int minute) { return FromMillis(minute * 60'000LL); };
  // m{job="a",x="q"}: 1 1 1 1 stale _ _ _ 1 1
  const std::vector<double> values = {1, 1, 1, 1, kStaleNaN};
  for (int minute = 0; minute < 10; ++minute) {
    const bool absent = minute > 4 && minute < 8;
    if (!absent) {
      const auto index = static_cast<std::size_t>(minute);
      house.Feed({{"__name__", "m"}, {"job", "a"}, {"x", "q"}}, at(minute),
                 {index < values.size() ? values[index] : 1});
    }
    house.RoundAt(at(minute));
  }
  const std::string raw = R"(job="a", x="{{ if false }}y{{ end }}", y="v1"})";
  const auto alerts = [&](const std::string& state) {
    return R"(ALERTS{alertname="A", alertstate=")" + state + R"(", )" + raw + " 1";
  };
  const std::vector<std::pair<std::string, std::vector<std::string>>> expected = {
      {"ALERTS",
       {alerts("pending"), alerts("pending"), alerts("firing"), alerts("firing"), alerts("firing"),
        alerts("firing"), "", "", alerts("pending"), alerts("pending")}},
      {"firing", {"", "", "firing 1", "firing 1", "firing 1", "firing 1", "", "", "", ""}},
      {"n",
       {R"(n{l="c"} 2)", R"(n{l="c"} 2)", R"(n{l="c"} 2)", R"(n{l="c"} 2)", "", "", "", "",
        R"(n{l="c"} 2)", R"(n{l="c"} 2)"}},
  };
  for (const auto& [expr, texts] : expected) {
    for (int minute = 0; minute < 10; ++minute) {
      CAPTURE(expr, minute);
      std::string got = house.Ask(expr, at(minute));
      if (got == "firing{} 1") got = "firing 1";
      CHECK(got == texts[static_cast<std::size_t>(minute)]);
    }
  }
  CHECK(house.Ask("ALERTS_FOR_STATE", at(0)) == R"(ALERTS_FOR_STATE{alertname="A", )" + raw + " 0");
  CHECK(house.Ask("ALERTS_FOR_STATE", at(9)) ==
        R"(ALERTS_FOR_STATE{alertname="A", )" + raw + " 480");
}

TEST_CASE("Rules record histograms, and alerts can show them", "[rules]") {
  EngineHouse house;
  REQUIRE(
      house.Load("groups:\n- name: g\n  rules:\n  - record: doubled\n    expr: h * 2\n"
                 "  - alert: Shown\n    expr: doubled\n    annotations:\n"
                 "      text: 'got {{ $value }}, {{ query \"h\" | first | value }}'\n"));
  auto histogram = std::make_shared<Histogram>();
  histogram->count = 3;
  histogram->sum = 4;
  histogram->positive.Append(1, 3);
  const auto appender = house.store.NewAppender();
  storage::SeriesRef ref = 0;
  (void)appender->AppendFull(
      ref, {{"__name__", "h"}},
      {.time = FromMillis(0), .value = 0, .histogram = histogram, .start = kNoStart});
  REQUIRE(appender->Commit());
  house.RoundAt(FromMillis(0));
  const auto query = engine::Query::Parse("doubled").value();
  const auto result =
      house.engine.Run(query, house.store, engine::QueryOptions::At(FromMillis(0))).value();
  const auto& vector = std::get<promql::InstantVector>(result.value);
  REQUIRE(vector.size() == 1);
  REQUIRE(vector[0].histogram != nullptr);
  CHECK(FormatHistogram(*vector[0].histogram) == "{count:6, sum:8, (1,2]:6}");
  const auto alerts = house.Rule(1).alerts;
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].annotations.Get("text") ==
        "got {count:6, sum:8, (1,2]:6}, {count:3, sum:4, (1,2]:3}");
}

}  // namespace skep::rules::test
