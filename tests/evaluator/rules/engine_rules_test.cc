// Rules over the real engine; what is expected is what `promtool test rules` 2.42 says of the same
// files.
#include <catch2/catch.hpp>

#include "evaluator/engine/engine.h"
#include "tests/evaluator/rules/fakes.h"

namespace skep::rules::test {
namespace {

class EngineQueries final : public QueryRunner {
 public:
  EngineQueries(const engine::Engine& engine, storage::Queryable& storage)
      : engine_(engine), storage_(storage) {}

  Result<std::unique_ptr<PreparedQuery>> Prepare(std::string_view expr) override {
    Result<engine::Query> query = engine::Query::Parse(expr);
    if (!query) return query.error();
    return std::unique_ptr<PreparedQuery>(std::make_unique<Prepared>(*this, std::move(*query)));
  }

 private:
  class Prepared final : public PreparedQuery {
   public:
    Prepared(EngineQueries& owner, engine::Query query) : owner_(owner), query_(std::move(query)) {}
    Result<promql::Value> Run(Timestamp time, const std::atomic<bool>* cancel) override {
      engine::QueryOptions when = engine::QueryOptions::At(time);
      when.cancel = cancel;
      Result<engine::QueryResult> result = owner_.engine_.Run(query_, owner_.storage_, when);
      if (!result) return result.error();
      return Result<promql::Value>(result->value);
    }

   private:
    EngineQueries& owner_;
    engine::Query query_;
  };

  const engine::Engine& engine_;
  storage::Queryable& storage_;
};

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
  HandClock clock;
  skep::test::MemoryStore store;
  FakeSink sink;
  const engine::Engine engine(clock);
  EngineQueries queries(engine, store);
  skep::test::TempFolder folder;
  const std::string path = folder.File("r.yml");
  REQUIRE(WriteFileAtomic(path, kRules));
  Manager manager(Dependencies{queries, store, store, sink, clock}, {.restore = false});
  manager.Apply(manager.Load({.files = {path}, .external_url = "http://skep"}).value());

  const auto at = [](int minute) { return FromMillis(minute * 60'000LL); };
  const auto ask = [&](const std::string& expr, int minute) {
    const auto query = engine::Query::Parse(expr).value();
    const auto result = engine.Run(query, store, engine::QueryOptions::At(at(minute))).value();
    std::string text;
    for (const auto& sample : std::get<promql::InstantVector>(result.value)) {
      text += (text.empty() ? "" : " ") + sample.labels.ToString() + " " +
              FormatDouble(sample.sample.value);
    }
    return text;
  };
  // m{job="a",x="q"}: 1 1 1 1 stale _ _ _ 1 1
  const std::vector<double> values = {1, 1, 1, 1, kStaleNaN};
  for (int minute = 0; minute < 10; ++minute) {
    const bool absent = minute > 4 && minute < 8;
    if (!absent) {
      const auto index = static_cast<std::size_t>(minute);
      const auto appender = store.NewAppender();
      storage::SeriesRef ref = 0;
      (void)appender->Append(ref, {{"__name__", "m"}, {"job", "a"}, {"x", "q"}},
                             {at(minute), index < values.size() ? values[index] : 1});
      REQUIRE(appender->Commit());
    }
    clock.now = at(minute);
    REQUIRE(manager.EvaluateRound(path, "g", at(minute)));
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
      std::string got = ask(expr, minute);
      if (got == "firing{} 1") got = "firing 1";
      CHECK(got == texts[static_cast<std::size_t>(minute)]);
    }
  }
  CHECK(ask("ALERTS_FOR_STATE", 0) == R"(ALERTS_FOR_STATE{alertname="A", )" + raw + " 0");
  CHECK(ask("ALERTS_FOR_STATE", 9) == R"(ALERTS_FOR_STATE{alertname="A", )" + raw + " 480");
}

TEST_CASE("Rules record histograms, and alerts can show them", "[rules]") {
  HandClock clock;
  skep::test::MemoryStore store;
  FakeSink sink;
  const engine::Engine engine(clock);
  EngineQueries queries(engine, store);
  skep::test::TempFolder folder;
  const std::string path = folder.File("r.yml");
  REQUIRE(WriteFileAtomic(path,
                          "groups:\n- name: g\n  rules:\n  - record: doubled\n    expr: h * 2\n"
                          "  - alert: Shown\n    expr: doubled\n    annotations:\n"
                          "      text: 'got {{ $value }}'\n"));
  Manager manager(Dependencies{queries, store, store, sink, clock}, {.restore = false});
  manager.Apply(manager.Load({.files = {path}, .external_url = "http://skep"}).value());
  auto histogram = std::make_shared<Histogram>();
  histogram->count = 3;
  histogram->sum = 4;
  histogram->positive.Append(1, 3);
  const auto appender = store.NewAppender();
  storage::SeriesRef ref = 0;
  (void)appender->AppendFull(
      ref, {{"__name__", "h"}},
      {.time = FromMillis(0), .value = 0, .histogram = histogram, .start = kNoStart});
  REQUIRE(appender->Commit());
  REQUIRE(manager.EvaluateRound(path, "g", FromMillis(0)));
  const auto query = engine::Query::Parse("doubled").value();
  const auto result = engine.Run(query, store, engine::QueryOptions::At(FromMillis(0))).value();
  const auto& vector = std::get<promql::InstantVector>(result.value);
  REQUIRE(vector.size() == 1);
  REQUIRE(vector[0].histogram != nullptr);
  CHECK(FormatHistogram(*vector[0].histogram) == "{count:6, sum:8, (1,2]:6}");
  const auto alerts = manager.Groups().at(0).rules.at(1).alerts;
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].annotations.Get("text") == "got {count:6, sum:8, (1,2]:6}");
}

}  // namespace skep::rules::test
