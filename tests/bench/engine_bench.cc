// What a range query costs: ms of CPU each, over 1,000 series of 6 h at 15 s (1.44 million samples)
// in the plain memory store, answered for 6 h at 60 s steps; and as an instant query at the end.
// Then the same instant queries over a day of 1,000 gauges and 1,000 counters (5,760 samples each)
// in chunks with summaries, as blocks have them.
//
//   engine_bench [QUERY...]      default: the list below
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "evaluator/engine/engine.h"
#include "tests/support/chunk_store.h"
#include "tests/support/memory_store.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own

constexpr int kServices = 10;
constexpr int kPods = 10;
constexpr double kBounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, INFINITY};
constexpr int kSamples = 6 * 3600 / 15;

double CpuMillis() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto millis = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return millis(usage.ru_utime) + millis(usage.ru_stime);
}

// A histogram's buckets: counters, 10 services x 10 pods x 10 bounds.
void Fill(test::MemoryStore& store) {
  const auto appender = store.NewAppender();
  for (int service = 0; service < kServices; ++service) {
    for (int pod = 0; pod < kPods; ++pod) {
      int rank = 0;
      for (const double bound : kBounds) {
        char le[32];
        std::snprintf(le, sizeof le, std::isinf(bound) ? "+Inf" : "%g", bound);
        const Labels labels{{"__name__", "latency_seconds_bucket"},
                            {"instance", "10.0.0." + std::to_string(pod) + ":9100"},
                            {"job", "bench"},
                            {"le", le},
                            {"service", "service-" + std::to_string(service)}};
        storage::SeriesRef ref = 0;
        ++rank;
        for (int k = 0; k < kSamples; ++k) {
          const double value = std::floor((3.0 + pod) * k * rank / 10);
          (void)appender->Append(ref, labels, {Timestamp(std::chrono::seconds(15 * k)), value});
        }
      }
    }
  }
  (void)appender->Commit();
}

double Measure(const engine::Engine& engine, storage::Queryable& store, const engine::Query& query,
               const engine::QueryOptions& when, std::size_t& series) {
  constexpr int kRounds = 5;
  double best = INFINITY;
  for (int i = 0; i < kRounds; ++i) {
    const double begin = CpuMillis();
    const auto result = engine.Run(query, store, when);
    best = std::min(best, CpuMillis() - begin);
    if (!result) {
      std::printf("error: %s\n", result.error().message().c_str());
      return 0;
    }
    if (const auto* matrix = std::get_if<promql::Matrix>(&result->value)) series = matrix->size();
  }
  return best;
}

// A day of gauges around a level, with two decimals, and of counters.
std::unique_ptr<test::ChunkStore> ChunksOfADay() {
  constexpr int kDay = 24 * 3600 / 15;
  test::MemoryStore store;
  const auto appender = store.NewAppender();
  std::uint64_t random = 1;
  for (int i = 0; i < 1000; ++i) {
    const Labels gauge{{"__name__", "load"}, {"instance", std::to_string(i)}};
    const Labels counter{{"__name__", "requests_total"}, {"instance", std::to_string(i)}};
    storage::SeriesRef refs[2] = {};
    double total = 0;
    for (int k = 0; k < kDay; ++k) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      const double some = static_cast<double>(random >> 48);
      total += std::floor(some / 256);
      const Timestamp time(std::chrono::seconds(15 * k));
      (void)appender->Append(refs[0], gauge, {time, std::floor(10'000 + some / 20) / 100});
      (void)appender->Append(refs[1], counter, {time, total});
    }
  }
  (void)appender->Commit();
  auto chunks = test::ChunkStore::Of(store, [] { return 480; });
  return chunks ? std::move(*chunks) : nullptr;
}

int MeasureDay(const engine::Engine& engine) {
  const auto store = ChunksOfADay();
  if (store == nullptr) return 1;
  // The ends of the range lie within chunks.
  const Timestamp end(std::chrono::seconds(15 * 5600));
  std::printf("%10s  over a day\n", "instant ms");
  for (const char* text :
       {"(load - avg_over_time(load[1d])) / stddev_over_time(load[1d])",
        "(load - avg_over_time(load[5m])) / stddev_over_time(load[5m])", "avg_over_time(load[1d])",
        "max_over_time(load[1d])", "rate(requests_total[1d])", "rate(requests_total[5m])",
        "quantile_over_time(0.95, load[1d])"}) {
    const auto query = engine::Query::Parse(text);
    std::size_t series = 0;
    const double instant = Measure(engine, *store, *query, engine::QueryOptions::At(end), series);
    std::printf("%10.2f  %s\n", instant, text);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> queries{
      "latency_seconds_bucket",
      "rate(latency_seconds_bucket[5m])",
      "sum by (service) (rate(latency_seconds_bucket[5m]))",
      "histogram_quantile(0.99, sum by (service, le) (rate(latency_seconds_bucket[5m])))",
      "avg_over_time(latency_seconds_bucket[5m])",
      "max_over_time(latency_seconds_bucket[1h])",
      "quantile_over_time(0.95, latency_seconds_bucket[5m])",
      "stddev_over_time(latency_seconds_bucket[1h])",
      "topk(5, latency_seconds_bucket)",
      "latency_seconds_bucket / on(service, instance) group_left() "
      "latency_seconds_bucket{le=\"+Inf\"}",
      "max_over_time(rate(latency_seconds_bucket[5m])[1h:1m])",
  };
  if (argc > 1) queries.assign(argv + 1, argv + argc);
  test::MemoryStore store;
  Fill(store);
  const SystemClock clock;
  const engine::Engine engine(clock);
  const Timestamp end(std::chrono::hours(6));
  std::printf("%10s %10s %7s  query\n", "range ms", "instant ms", "series");
  for (const std::string& text : queries) {
    const auto query = engine::Query::Parse(text);
    if (!query) {
      std::printf("error: %s\n", query.error().message().c_str());
      return 1;
    }
    std::size_t series = 0;
    const double range =
        Measure(engine, store, *query,
                engine::QueryOptions::Over(Timestamp{}, end, std::chrono::seconds(60)), series);
    const double instant = Measure(engine, store, *query, engine::QueryOptions::At(end), series);
    std::printf("%10.2f %10.2f %7zu  %s\n", range, instant, series, text.c_str());
  }
  return argc > 1 ? 0 : MeasureDay(engine);
}
