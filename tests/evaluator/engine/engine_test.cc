// What scripts cannot say: limits, cancelling, several queries at once, kinds of errors.
#include "evaluator/engine/engine.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/memory_store.h"

namespace skep::engine {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// A clock that moves only when told, or by `tick` at each look.
class TickingClock final : public Clock {
 public:
  explicit TickingClock(std::chrono::nanoseconds tick = {}) : tick_(tick.count()) {}
  Timestamp Now() const override { return {}; }
  Steady SteadyNow() const override {
    return Steady(std::chrono::nanoseconds(now_.fetch_add(tick_)));
  }

 private:
  const std::int64_t tick_;
  mutable std::atomic<std::int64_t> now_{0};
};

// `series` series of name m with a sample a minute, value = minute, up to `count` of them.
std::unique_ptr<test::MemoryStore> Fill(int series, int count) {
  auto store = std::make_unique<test::MemoryStore>();
  const auto appender = store->NewAppender();
  for (int i = 0; i < series; ++i) {
    const Labels labels{{"__name__", "m"}, {"i", std::to_string(i)}};
    storage::SeriesRef ref = 0;
    for (int k = 0; k < count; ++k) {
      (void)appender->Append(ref, labels, {Timestamp(minutes(k)), static_cast<double>(k)});
    }
  }
  REQUIRE(appender->Commit());
  return store;
}

Query Parsed(std::string_view text) {
  const Result<Query> query = Query::Parse(text, promql::ParseOptions::All());
  REQUIRE(query);
  return *query;
}

const QueryOptions kRange = QueryOptions::Over(Timestamp{}, Timestamp(minutes(59)), minutes(1));

TEST_CASE("A query that holds more samples than allowed ends with an error", "[engine]") {
  const auto store = Fill(20, 60);
  const TickingClock clock;
  EngineOptions options;
  options.limits.max_samples = 1000;
  const Engine engine(clock, options);
  const std::array<std::string_view, 6> too_much{
      "m",           "sum(m)",
      "rate(m[1h])", "max_over_time(m[10m:1s])",
      "m + m",       "vector(1) * on() group_right() m",
  };
  for (const std::string_view text : too_much) {
    CAPTURE(text);
    const auto result = engine.Run(Parsed(text), *store, kRange);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind() == ErrorKind::kInvalid);
    CHECK(result.error().message() ==
          "query processing would load too many samples into memory in query execution");
  }
  CHECK(engine.Run(Parsed("sum(m)"), *store, QueryOptions::At(Timestamp(minutes(3)))));
  // A step so small that not even one series fits.
  const auto steps = engine.Run(
      Parsed("1"), *store,
      QueryOptions::Over(Timestamp{}, Timestamp(std::chrono::hours(24 * 365)), Duration(1)));
  CHECK_FALSE(steps);
}

TEST_CASE("A query that holds more bytes than allowed ends with an error", "[engine]") {
  const auto store = Fill(20, 60);
  const TickingClock clock;
  EngineOptions options;
  options.limits.max_bytes = 2000;
  const Engine engine(clock, options);
  CHECK_FALSE(engine.Run(Parsed("m"), *store, kRange));
  // Few samples, but each makes a label set.
  options.limits.max_bytes = 4000;
  const Engine wider(clock, options);
  const auto at = QueryOptions::At(Timestamp(minutes(3)));
  CHECK(wider.Run(Parsed("m"), *store, at));
  CHECK_FALSE(wider.Run(
      Parsed("label_replace(m, \"long\", \"" + std::string(500, 'x') + "\", \"i\", \".*\")"),
      *store, at));
}

TEST_CASE("What a query held is given back to it", "[engine]") {
  const auto store = Fill(10, 60);
  const TickingClock clock;
  EngineOptions options;
  options.limits.max_samples = 2500;
  const Engine engine(clock, options);
  // Each operand holds 600; kept all at once they would be 4,800.
  const auto result = engine.Run(Parsed("sum(m) + sum(m) + sum(m) + sum(m) + sum(m) + sum(m) + "
                                        "sum(m) + sum(m)"),
                                 *store, kRange);
  REQUIRE(result);
  CHECK(result->stats.peak_samples < 2500);
  CHECK(result->stats.peak_samples > 600);
}

TEST_CASE("A query counts the samples that it looked at", "[engine]") {
  const auto store = Fill(3, 60);
  const TickingClock clock;
  const Engine engine(clock);
  const auto at = QueryOptions::At(Timestamp(minutes(30)));
  const auto selector = engine.Run(Parsed("m"), *store, at);
  REQUIRE(selector);
  CHECK(selector->stats.samples_read == 3);
  CHECK(selector->stats.series_selected == 3);
  const auto range = engine.Run(Parsed("sum_over_time(m[10m])"), *store, at);
  REQUIRE(range);
  CHECK(range->stats.samples_read == 30);
}

TEST_CASE("What a query has several times is read once, and counted as often as it stands there",
          "[engine]") {
  class Counting final : public storage::Queryable {
   public:
    explicit Counting(storage::Queryable& store) : store_(store) {}
    Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override {
      auto querier = store_.NewQuerier(range);
      if (!querier) return querier;
      return {std::make_unique<Querier>(std::move(*querier), selects)};
    }
    int selects = 0;

   private:
    class Querier final : public storage::Querier {
     public:
      Querier(std::unique_ptr<storage::Querier> querier, int& selects)
          : querier_(std::move(querier)), selects_(selects) {}
      Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher> matchers,
                                                         storage::TimeRange range) override {
        ++selects_;
        return querier_->Select(matchers, range);
      }
      Result<std::vector<std::string>> LabelNames(std::span<const Matcher> m) override {
        return querier_->LabelNames(m);
      }
      Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                   std::span<const Matcher> m) override {
        return querier_->LabelValues(name, m);
      }

     private:
      std::unique_ptr<storage::Querier> querier_;
      int& selects_;
    };
    storage::Queryable& store_;
  };
  struct Case {
    std::string_view text;
    int selects;
    std::size_t samples_read;
  };
  const auto store = Fill(3, 60);
  const TickingClock clock;
  const Engine engine(clock);
  for (const Case& one : {
           Case{"(m - avg_over_time(m[10m])) / stddev_over_time(m[10m])", 2, 3 + 30 + 30},
           Case{"rate(m[10m]) / rate(m[10m])", 1, 60},
           Case{"rate(m[10m]) + rate(m[5m])", 2, 45},
           Case{"m + m offset 1m", 2, 6},
           Case{"m * m > m", 1, 9},
           Case{"avg_over_time(m[10m])", 1, 30},
       }) {
    CAPTURE(one.text);
    Counting counting(*store);
    const auto at = QueryOptions::At(Timestamp(minutes(30)));
    const auto result = engine.Run(Parsed(one.text), counting, at);
    REQUIRE(result);
    CHECK(counting.selects == one.selects);
    CHECK(result->stats.samples_read == one.samples_read);
  }
}

TEST_CASE("Remarks stand at the place of the function that they are about", "[engine]") {
  const auto store = Fill(2, 60);
  const TickingClock clock;
  const Engine engine(clock);
  const auto result = engine.Run(Parsed("avg_over_time(m[10m]) + rate(m[10m])"), *store,
                                 QueryOptions::At(Timestamp(minutes(30))));
  REQUIRE(result);
  REQUIRE(result->infos.size() == 1);
  CHECK(result->infos.front().ends_with("\"m\" (1:30)"));
}

TEST_CASE("A query that takes too long ends with a timeout", "[engine]") {
  const auto store = Fill(100, 10);
  const TickingClock clock(seconds(1));
  EngineOptions options;
  options.limits.timeout = seconds(5);
  const Engine engine(clock, options);
  const auto result = engine.Run(Parsed("sum(m)"), *store, kRange);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind() == ErrorKind::kTimeout);
  CHECK(result.error().message() == "query timed out in expression evaluation");

  QueryOptions when = kRange;
  when.timeout = seconds(100000);  // never longer than the engine's
  CHECK_FALSE(engine.Run(Parsed("sum(m)"), *store, when));
  const TickingClock still;
  CHECK(Engine(still, options).Run(Parsed("sum(m)"), *store, when));
}

TEST_CASE("A query ends when it is canceled", "[engine]") {
  const auto store = Fill(10, 10);
  const TickingClock clock;
  const Engine engine(clock);
  const std::atomic<bool> cancel{true};
  QueryOptions when = kRange;
  when.cancel = &cancel;
  const auto result = engine.Run(Parsed("sum(m)"), *store, when);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind() == ErrorKind::kCanceled);
}

// A store whose queriers wait until they are let go.
class Gate final : public storage::Queryable {
 public:
  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override {
    ++inside_;
    inside_.notify_all();
    open_.wait(false);
    return store_.NewQuerier(range);
  }
  void WaitFor(int queries) {
    for (int now = inside_; now < queries; now = inside_) inside_.wait(now);
  }
  void Open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  test::MemoryStore store_;
  std::atomic<int> inside_{0};
  std::atomic<bool> open_{false};
};

TEST_CASE("Queries beyond the allowed number wait, and give up in time", "[engine]") {
  Gate gate;
  const TickingClock clock(std::chrono::milliseconds(1));
  EngineOptions options;
  options.max_concurrency = 1;
  options.limits.timeout = std::chrono::hours(1);
  const Engine engine(clock, options);
  std::thread first([&] { CHECK(engine.Run(Parsed("m"), gate, kRange)); });
  gate.WaitFor(1);

  QueryOptions impatient = kRange;
  impatient.timeout = std::chrono::milliseconds(1);
  const auto late = engine.Run(Parsed("m"), gate, impatient);
  REQUIRE_FALSE(late);
  CHECK(late.error().kind() == ErrorKind::kTimeout);
  CHECK(late.error().message() == "query timed out in query queue");

  const std::atomic<bool> cancel{true};
  QueryOptions canceled = kRange;
  canceled.cancel = &cancel;
  const auto gone = engine.Run(Parsed("m"), gate, canceled);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind() == ErrorKind::kCanceled);

  CHECK(engine.active_queries() == 1);
  gate.Open();
  first.join();
  CHECK(engine.active_queries() == 0);
  CHECK(engine.Run(Parsed("m"), gate, kRange));
}

TEST_CASE("Many threads may run the same parsed query at once", "[engine]") {
  const auto store = Fill(5, 60);
  const TickingClock clock;
  const Engine engine(clock);
  const Query query = Parsed("sum by (i) (increase(m[5m] offset 1m)) + max_over_time(m[10m:1m])");
  const auto alone = engine.Run(query, *store, kRange);
  REQUIRE(alone);
  const std::size_t series = std::get<promql::Matrix>(alone->value).size();
  std::atomic<int> equal{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 10; ++k) {
        const auto result = engine.Run(query, *store, kRange);
        if (result && std::get<promql::Matrix>(result->value).size() == series) ++equal;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(equal == 40);
}

TEST_CASE("Errors say which kind they are", "[engine]") {
  const auto store = Fill(2, 10);
  const TickingClock clock;
  const Engine engine(clock);
  const auto at = QueryOptions::At(Timestamp(minutes(3)));
  const Result<Query> bad = Query::Parse("sum(");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().kind() == ErrorKind::kInvalid);

  const auto range_of_range = engine.Run(Parsed("m[5m]"), *store, kRange);
  REQUIRE_FALSE(range_of_range);
  CHECK(range_of_range.error().message() ==
        "invalid expression type \"range vector\" for range query, must be Scalar or instant "
        "Vector");
  CHECK_FALSE(engine.Run(Parsed("\"x\""), *store, kRange));
  CHECK(engine.Run(Parsed("\"x\""), *store, at));

  const auto many = engine.Run(Parsed("m * on() m"), *store, at);
  REQUIRE_FALSE(many);
  CHECK(many.error().kind() == ErrorKind::kInvalid);

  QueryOptions backwards = kRange;
  std::swap(backwards.start, backwards.end);
  CHECK_FALSE(engine.Run(Parsed("m"), *store, backwards));
}

// A store that fails, or warns.
class Broken final : public storage::Queryable, public storage::Querier, public storage::SeriesSet {
 public:
  explicit Broken(std::string where) : where_(std::move(where)) {}

  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange) override {
    if (where_ == "querier") return Unavailable("no querier");
    return std::unique_ptr<storage::Querier>(new Broken(where_));
  }
  Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher>,
                                                     storage::TimeRange) override {
    if (where_ == "select") return Unavailable("no select");
    return std::unique_ptr<storage::SeriesSet>(new Broken(where_));
  }
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher>) override {
    return std::vector<std::string>();
  }
  Result<std::vector<std::string>> LabelValues(std::string_view,
                                               std::span<const Matcher>) override {
    return std::vector<std::string>();
  }
  bool Next() override { return left_-- > 0; }
  const Labels& labels() const override { return labels_; }
  Status ReadSamples(storage::SampleColumns& out) override {
    if (where_ == "samples") return Corrupt("no samples");
    out.times.push_back(Timestamp(minutes(3)));
    out.values.push_back(1);
    return {};
  }
  std::vector<std::string> Warnings() const override { return {"one store was down"}; }

 private:
  const std::string where_;
  const Labels labels_{{"__name__", "m"}};
  int left_ = 1;
};

TEST_CASE("What storage refuses is handed on with its kind, and its warnings too", "[engine]") {
  const TickingClock clock;
  const Engine engine(clock);
  const auto at = QueryOptions::At(Timestamp(minutes(3)));
  for (const std::string_view text : {"m", "rate(m[5m])", "m[5m]"}) {
    CAPTURE(text);
    Broken querier("querier");
    Broken select("select");
    Broken samples("samples");
    Broken fine("");
    CHECK(engine.Run(Parsed(text), querier, at).error().kind() == ErrorKind::kUnavailable);
    CHECK(engine.Run(Parsed(text), select, at).error().message() == "expanding series: no select");
    CHECK(engine.Run(Parsed(text), samples, at).error().kind() == ErrorKind::kCorrupt);
    const auto result = engine.Run(Parsed(text), fine, at);
    REQUIRE(result);
    CHECK(result->warnings == std::vector<std::string>{"one store was down"});
  }
}

// Names go at the first function unless delayed removal is on.
TEST_CASE("Without delayed name removal the name is gone at once", "[engine]") {
  const auto store = Fill(1, 10);
  const TickingClock clock;
  const Engine engine(clock);
  const auto at = QueryOptions::At(Timestamp(minutes(3)));
  struct Case {
    std::string query;
    std::string labels;
  };
  const Case cases[] = {
      {"m", "m{i=\"0\"}"},
      {"-m", "{i=\"0\"}"},
      {"rate(m[5m])", "{i=\"0\"}"},
      {"last_over_time(m[5m])", "m{i=\"0\"}"},
      {"m > 1", "m{i=\"0\"}"},
      {"m > bool 1", "{i=\"0\"}"},
      {"rate(m[5m]) > 0", "{i=\"0\"}"},
      {"label_replace(-m, \"n\", \"$1\", \"__name__\", \"(.+)\")", "{i=\"0\"}"},
      {"label_replace(-m, \"__name__\", \"new\", \"\", \"\")", "new{i=\"0\"}"},
      {"sum by (__name__) (-m)", "{}"},
      {"sum by (__name__) (m)", "m"},
      {"topk(1, -m)", "{i=\"0\"}"},
      {"-m or m", "{i=\"0\"}"},
      {"m and -m", "m{i=\"0\"}"},
      {"sort(abs(m))", "{i=\"0\"}"},
      {"count_values(\"v\", abs(m))", "{v=\"3\"}"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.query);
    const auto result = engine.Run(Parsed(c.query), *store, at);
    REQUIRE(result);
    const auto& vector = std::get<promql::InstantVector>(result->value);
    REQUIRE(vector.size() == 1);
    CHECK(vector[0].labels.ToString() == c.labels);
  }
}

TEST_CASE("Starts of samples count only where that is switched on", "[engine]") {
  test::MemoryStore store;
  const auto appender = store.NewAppender();
  storage::SeriesRef ref = 0;
  for (int k = 1; k < 4; ++k) {  // each sample begins anew at the one before
    (void)appender->AppendFull(ref, Labels{{"__name__", "d_total"}},
                               {.time = Timestamp(minutes(k)),
                                .value = 5,
                                .histogram = nullptr,
                                .start = Timestamp(minutes(k)) - seconds(30)});
  }
  REQUIRE(appender->Commit());
  const TickingClock clock;
  for (const bool on : {false, true}) {
    EngineOptions options;
    options.use_start_timestamps = on;
    const Engine engine(clock, options);
    const auto values = [&](std::string_view text) {
      std::string out;
      const auto result = engine.Run(Parsed(text), store, QueryOptions::At(Timestamp(minutes(3))));
      REQUIRE(result);
      for (const auto& sample : std::get<promql::InstantVector>(result->value)) {
        out += std::to_string(static_cast<int>(sample.sample.value)) + " ";
      }
      return out;
    };
    CAPTURE(on);
    CHECK(values("resets(d_total[5m])") == (on ? "2 " : "0 "));
    CHECK(values("idelta(d_total[5m])") == "0 ");
    CHECK(values("irate(d_total[5m]) * 60") == (on ? "5 " : "0 "));
    CHECK(values("start_timestamp(d_total)") == (on ? "150 " : ""));
  }
}

TEST_CASE("Histograms count for their size in the limit on samples", "[engine]") {
  test::MemoryStore store;
  const auto appender = store.NewAppender();
  auto histogram = std::make_shared<Histogram>();
  for (int i = 0; i < 2000; ++i) histogram->positive.Append(2 * i, 1);
  storage::SeriesRef ref = 0;
  for (int k = 0; k < 3; ++k) {
    (void)appender->AppendFull(
        ref, Labels{{"__name__", "h"}},
        {.time = Timestamp(minutes(k)), .value = 0, .histogram = histogram, .start = kNoStart});
  }
  REQUIRE(appender->Commit());
  const TickingClock clock;
  EngineOptions options;
  options.limits.max_samples = 1000;
  const Engine engine(clock, options);
  for (const std::string_view text : {"h", "sum_over_time(h[5m])", "last_over_time(h[2m:1m])"}) {
    CAPTURE(text);
    const auto result = engine.Run(Parsed(text), store, QueryOptions::At(Timestamp(minutes(2))));
    REQUIRE_FALSE(result);
    CHECK(result.error().message().find("too many samples") != std::string::npos);
  }
}

TEST_CASE("Without delayed name removal series that lose their only difference are refused",
          "[engine]") {
  test::MemoryStore store;
  const auto appender = store.NewAppender();
  for (const std::string_view name : {"a_total", "b_total"}) {
    storage::SeriesRef ref = 0;
    for (int k = 0; k < 5; ++k) {
      (void)appender->Append(ref, Labels{{"__name__", name}}, {Timestamp(minutes(k)), 1.0 * k});
    }
  }
  REQUIRE(appender->Commit());
  const TickingClock clock;
  const Engine engine(clock);
  for (const auto& when : {QueryOptions::At(Timestamp(minutes(3))), kRange}) {
    for (const std::string_view text :
         {"rate({__name__=~\".+_total\"}[5m])", "-{__name__=~\".+_total\"}",
          "ceil({__name__=~\".+_total\"})", "{__name__=~\".+_total\"} * 2"}) {
      CAPTURE(text);
      const auto result = engine.Run(Parsed(text), store, when);
      REQUIRE_FALSE(result);
      CHECK(result.error().message() == "vector cannot contain metrics with the same labelset");
    }
    CHECK(engine.Run(Parsed("sum(rate({__name__=\"a_total\"}[5m]))"), store, when));
  }
}

}  // namespace
}  // namespace skep::engine
