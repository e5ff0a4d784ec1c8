// Functions over long ranges, from summaries of chunks beside the same from samples: the plain way
// is the oracle.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/histogram.h"
#include "evaluator/engine/engine.h"
#include "tests/support/chunk_store.h"
#include "tests/support/many.h"
#include "tests/support/memory_store.h"

namespace skep::engine {
namespace {

constexpr Duration kInterval = std::chrono::seconds(15);
constexpr int kSamples = 8 * 240;  // 8 hours
constexpr std::int64_t kBegin = 1'700'000'000'000;

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return {}; }
  Steady SteadyNow() const override { return Steady(); }
};

// What an answer may differ by, besides 1e-12 of itself.
struct Metric {
  std::string_view name;
  bool whole = false;      // integers: sums are exact, and so are rates
  double sums = 0;         // of sums: 1e-12 of all absolute values together
  double squares = 1e-12;  // relative, of deviations: rounding of the mean
};

constexpr Metric kMetrics[] = {
    {.name = "requests_total", .whole = true},
    {.name = "busy_seconds_total"},
    {.name = "load"},
    {.name = "offset", .whole = true, .squares = 1e-6},  // plain rounds 1e9 where 10 matters
    {.name = "flat"},
    {.name = "odd", .sums = 1e-8},
    {.name = "huge"},
    {.name = "mixed"},
    {.name = "started_total", .whole = true},
};

class Data {
 public:
  explicit Data(std::uint64_t seed) : random_(seed) {}

  void Fill(test::MemoryStore& store) {
    const auto appender = store.NewAppender();
    for (const Metric& metric : kMetrics) {
      for (int pod = 0; pod < 3; ++pod) {
        Append(*appender, metric.name,
               {{"__name__", std::string(metric.name)}, {"pod", std::to_string(pod)}});
      }
    }
    REQUIRE(appender->Commit());
  }

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }

 private:
  void Append(storage::Appender& appender, std::string_view name, const Labels& labels) {
    storage::SeriesRef ref = 0;
    value_ = 0.1;
    started_ = FromMillis(kBegin) - kInterval;
    const Duration jitter(OneIn(2) ? 0 : Below(5000));
    for (int i = 0; i < kSamples; ++i) {
      const Timestamp time = FromMillis(kBegin) + i * kInterval + jitter;
      if (OneIn(150)) {
        if (OneIn(2)) (void)appender.Append(ref, labels, {time, kStaleNaN});
        i += static_cast<int>(Below(60));
        continue;
      }
      (void)appender.AppendFull(ref, labels, Next(name, time));
    }
  }

  FullSample Next(std::string_view name, Timestamp time) {
    const auto some = static_cast<double>(Below(1000));
    if (name == "requests_total")
      return {.time = time, .value = value_ = Reset() ? some : std::floor(value_ + some)};
    if (name == "busy_seconds_total")
      return {.time = time, .value = value_ = Reset() ? some / 7 : value_ + some / 7};
    if (name == "load") return {.time = time, .value = 100 + some / 8 + some / 100};
    if (name == "offset") return {.time = time, .value = 1e9 + std::floor(some / 30)};
    if (name == "flat") return {.time = time, .value = value_ = OneIn(700) ? some / 100 : value_};
    if (name == "huge") return {.time = time, .value = OneIn(300) ? 1.0 : 1e305};
    if (name == "odd") return {.time = time, .value = Odd(some)};
    if (name == "mixed" && OneIn(30)) in_histograms_ = !in_histograms_;
    if (name == "mixed" && in_histograms_) return {.time = time, .histogram = Native(some)};
    if (name == "mixed") return {.time = time, .value = some};
    if (Reset()) started_ = time - Duration(7000);
    value_ = started_ == time - Duration(7000) ? some : std::floor(value_ + some);
    return {.time = time, .value = value_, .start = OneIn(3) ? kNoStart : started_};
  }

  // Chunks of many lengths have none, one or several.
  bool Reset() { return OneIn(120); }

  double Odd(double some) {
    if (OneIn(400)) return std::nan("");
    if (OneIn(400)) return OneIn(2) ? INFINITY : -INFINITY;
    if (OneIn(4)) return OneIn(2) ? -0.0 : 0.0;
    return OneIn(3) ? some / 200 : value_ = some / 300 - 2;
  }

  static HistogramPtr Native(double count) {
    Histogram histogram;
    histogram.count = count;
    histogram.sum = count * 2;
    histogram.positive.Append(1, count);
    return std::make_shared<const Histogram>(std::move(histogram));
  }

  std::mt19937_64 random_;
  double value_ = 0;
  Timestamp started_;
  bool in_histograms_ = false;
};

enum class Kind { kExact, kSum, kRate, kSquares };

struct Function {
  std::string_view name;
  Kind kind = Kind::kExact;
};

constexpr Function kFunctions[] = {
    {"absent_over_time"},
    {"avg_over_time", Kind::kSum},
    {"changes"},
    {"count_over_time"},
    {"delta"},
    {"first_over_time"},
    {"increase", Kind::kRate},
    {"last_over_time"},
    {"max_over_time"},
    {"min_over_time"},
    {"present_over_time"},
    {"rate", Kind::kRate},
    {"resets"},
    {"stddev_over_time", Kind::kSquares},
    {"stdvar_over_time", Kind::kSquares},
    {"sum_over_time", Kind::kSum},
    {"ts_of_first_over_time"},
    {"ts_of_last_over_time"},
    {"quantile_over_time"},  // needs samples, and gets them
    {"ts_of_max_over_time"},
};

bool Same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

bool Close(double a, double b, double relative, double absolute) {
  return Same(a, b) || std::fabs(a - b) <= relative * std::fabs(a) + absolute;
}

bool Agrees(const Metric& metric, Kind kind, double plain, double summarized) {
  switch (kind) {
    case Kind::kExact:
      return Same(plain, summarized);
    case Kind::kSum:
      return metric.whole ? Same(plain, summarized) : Close(plain, summarized, 1e-12, metric.sums);
    case Kind::kRate:
      return metric.whole ? Same(plain, summarized) : Close(plain, summarized, 1e-12, 0);
    case Kind::kSquares:
      return Close(plain, summarized, metric.squares, metric.sums);
  }
  return false;
}

promql::Matrix AsMatrix(const promql::Value& value) {
  if (const auto* matrix = std::get_if<promql::Matrix>(&value)) return *matrix;
  promql::Matrix matrix;
  for (const promql::VectorSample& sample : std::get<promql::InstantVector>(value)) {
    promql::MatrixSeries series{sample.labels, {}};
    if (sample.histogram == nullptr) {
      series.samples.push_back(sample.sample);
    } else {
      series.histograms.push_back({sample.sample.time, sample.histogram});
    }
    matrix.push_back(std::move(series));
  }
  return matrix;
}

// Answers of both ways; how many values they have. `kind` is how values may differ.
int Compare(const Metric& metric, Kind kind, const QueryResult& plain,
            const QueryResult& summarized) {
  CHECK(plain.warnings == summarized.warnings);
  CHECK(plain.infos == summarized.infos);
  CHECK(plain.stats.samples_read == summarized.stats.samples_read);
  const promql::Matrix a = AsMatrix(plain.value);
  const promql::Matrix b = AsMatrix(summarized.value);
  REQUIRE(a.size() == b.size());
  int values = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].labels == b[i].labels);
    REQUIRE(a[i].samples.size() == b[i].samples.size());
    CHECK(a[i].histograms.size() == b[i].histograms.size());
    for (std::size_t k = 0; k < a[i].samples.size(); ++k) {
      ++values;
      const double x = a[i].samples[k].value;
      const double y = b[i].samples[k].value;
      CHECK(a[i].samples[k].time == b[i].samples[k].time);
      if (Agrees(metric, kind, x, y)) continue;
      CAPTURE(a[i].labels.ToString(), ToMillis(a[i].samples[k].time), x, y);
      CHECK(x == y);
    }
  }
  return values;
}

// A call of `function` over `metric` as rules and graphs ask it.
std::string Text(Data& random, const Function& function, const Metric& metric) {
  const std::string range = std::to_string(8 + random.Below(300)) + "m";
  std::string selector = std::string(metric.name) + "[" + range + "]";
  if (random.OneIn(3)) selector += " offset " + std::to_string(random.Below(90)) + "m";
  if (random.OneIn(4)) {
    selector +=
        " @ " + std::to_string(kBegin / 1000 + static_cast<std::int64_t>(random.Below(28800)));
  }
  const std::string first = function.name == "quantile_over_time" ? "0.9, " : "";
  return std::string(function.name) + "(" + first + selector + ")";
}

QueryOptions When(Data& random) {
  const Timestamp time = FromMillis(kBegin + static_cast<std::int64_t>(random.Below(9 * 3600'000)));
  if (random.OneIn(2)) return QueryOptions::At(time);
  const Duration step = random.OneIn(2) ? std::chrono::hours(1) : std::chrono::seconds(97);
  return QueryOptions::Over(time, time + step * static_cast<int>(random.Below(12)), step);
}

struct Stores {
  explicit Stores(Data& random) {
    random.Fill(plain);
    auto made = test::ChunkStore::Of(plain, [&random] {
      return random.OneIn(10) ? 1 : 1 + random.Below(random.OneIn(2) ? 40 : 480);
    });
    REQUIRE(made);
    chunks = std::move(*made);
  }

  test::MemoryStore plain;
  std::unique_ptr<test::ChunkStore> chunks;
};

int Ask(Data& random, Stores& stores, const EngineOptions& options) {
  const StillClock clock;
  const Engine engine(clock, options);
  int values = 0;
  for (const Function& function : kFunctions) {
    for (const Metric& metric : kMetrics) {
      std::string text = Text(random, function, metric);
      if (random.OneIn(8)) text = "last_over_time(" + text + "[1h:7m])";
      CAPTURE(text);
      const auto query = Query::Parse(text, promql::ParseOptions::All());
      REQUIRE(query);
      const QueryOptions when = When(random);
      CAPTURE(ToMillis(when.start), ToMillis(when.end), ToMillis(Timestamp(when.step)));
      const auto plain = engine.Run(*query, stores.plain, when);
      const auto summarized = engine.Run(*query, *stores.chunks, when);
      REQUIRE(plain);
      REQUIRE(summarized);
      values += Compare(metric, function.kind, *plain, *summarized);
    }
  }
  return values;
}

TEST_CASE("Functions over long ranges give the same from summaries", "[engine]") {
  const int seeds = test::IsLongForm() ? 500 : std::max(2, test::Many(6));
  int values = 0;
  std::size_t summaries = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Data random(static_cast<std::uint64_t>(seed));
    Stores stores(random);
    EngineOptions options;
    options.use_start_timestamps = seed % 4 == 0;
    values += Ask(random, stores, options);
    summaries += stores.chunks->summaries_read();
  }
  CHECK(values > seeds * 300);
  CHECK(summaries > static_cast<std::size_t>(seeds) * 1000);
}

double Value(const Engine& engine, storage::Queryable& store, std::string_view text,
             Timestamp time) {
  const auto query = Query::Parse(text);
  REQUIRE(query);
  const auto result = engine.Run(*query, store, QueryOptions::At(time));
  REQUIRE(result);
  const auto& vector = std::get<promql::InstantVector>(result->value);
  REQUIRE(vector.size() == 1);
  return vector[0].sample.value;
}

TEST_CASE("A constant has no deviation and is its own mean, from summaries too", "[engine]") {
  const StillClock clock;
  const Engine engine(clock);
  for (const double constant : {0.1, 1e9 + 0.3, -7e-5, 1e305}) {
    CAPTURE(constant);
    test::MemoryStore plain;
    const auto appender = plain.NewAppender();
    storage::SeriesRef ref = 0;
    for (int i = 0; i < 5760; ++i) {
      (void)appender->Append(ref, {{"__name__", "m"}},
                             {FromMillis(kBegin) + i * kInterval, constant});
    }
    REQUIRE(appender->Commit());
    const auto chunks = test::ChunkStore::Of(plain, [] { return 470; });
    REQUIRE(chunks);
    const Timestamp end = FromMillis(kBegin) + 5760 * kInterval;
    CHECK(Value(engine, **chunks, "stddev_over_time(m[1d])", end) == 0);
    const double mean = Value(engine, plain, "avg_over_time(m[1d])", end);
    // Where the sum overflows, the plain way rounds at each sample.
    const double apart = constant == 1e305 ? 1e-12 * constant : 0;
    CHECK(std::fabs(Value(engine, **chunks, "avg_over_time(m[1d])", end) - mean) <= apart);
    CHECK((*chunks)->summaries_read() > 10);
  }
}

TEST_CASE("A range over a day decodes only the chunks at its ends", "[engine]") {
  test::MemoryStore plain;
  const auto appender = plain.NewAppender();
  storage::SeriesRef ref = 0;
  for (int i = 0; i < 3 * 5760; ++i) {
    (void)appender->Append(ref, {{"__name__", "m"}},
                           {FromMillis(kBegin) + i * kInterval, static_cast<double>(i % 7)});
  }
  REQUIRE(appender->Commit());
  const auto chunks = test::ChunkStore::Of(plain, [] { return 480; });
  REQUIRE(chunks);
  const StillClock clock;
  EngineOptions options;
  options.limits.max_samples = 2000;  // a day has 5,760
  const Engine engine(clock, options);
  const Timestamp end = FromMillis(kBegin) + 2 * 5760 * kInterval + 100 * kInterval;
  CHECK(Value(engine, **chunks, "count_over_time(m[1d])", end) == 5760);
  CHECK((*chunks)->summaries_read() == 11);
}

}  // namespace
}  // namespace skep::engine
