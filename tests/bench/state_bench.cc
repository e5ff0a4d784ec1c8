// What the exporter's own state costs: CPU per series (line) of a page of 10,000 beside
// prometheus-cpp's serializer over the same series, and changes per CPU-second with a state file.
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/exposition/writer.h"
#include "exporter/state/store.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using skep::bench::CpuSeconds;

using skep::Status;
using skep::exposition::Format;
using skep::exposition::MetricType;
using skep::state::Changes;
using skep::state::FamilyId;
using skep::state::LabelView;
using skep::state::Store;

constexpr int kCounters = 4;
constexpr int kGauges = 2;
constexpr int kSeries = 1000;     // of each counter and gauge
constexpr int kHistograms = 250;  // of 16 lines each
const std::vector<double> kBounds = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32, 0.64,
                                     1.28, 2.56, 5.12, 10.24, 20.48, 40.96};

struct Point {
  std::string agent;
  double value;
};

std::vector<Point> Points() {
  std::vector<Point> points;
  unsigned seed = 12345;
  for (int i = 0; i < kSeries; ++i) {
    seed = seed * 1664525U + 1013904223U;
    points.push_back({"agent-" + std::to_string(i), static_cast<double>(seed >> 8)});
  }
  return points;
}

std::string Name(const char* kind, int i, const char* suffix) {
  return std::string("swarm_bench_") + kind + "_" + std::to_string(i) + suffix;
}

void FillStore(Store& store) {
  std::vector<FamilyId> counters;
  std::vector<FamilyId> gauges;
  for (int i = 0; i < kCounters; ++i) {
    counters.push_back(
        store.Define({.name = Name("requests", i, "_total"), .help = "Requests."}).value());
  }
  for (int i = 0; i < kGauges; ++i) {
    gauges.push_back(
        store
            .Define(
                {.name = Name("load", i, "_ratio"), .help = "Load.", .type = MetricType::kGauge})
            .value());
  }
  const FamilyId took = store
                            .Define({.name = "swarm_bench_duration_seconds",
                                     .help = "Durations.",
                                     .type = MetricType::kHistogram,
                                     .bounds = kBounds})
                            .value();
  (void)store.Update([&](Changes& changes) -> Status {
    int n = 0;
    for (const Point& point : Points()) {
      const LabelView labels[] = {{"agent_type", point.agent}, {"outcome", "ok"}, {"source", "v3"}};
      for (const FamilyId id : counters) changes.Add(id, labels, point.value);
      for (const FamilyId id : gauges) changes.Set(id, labels, point.value / 1e7);
      if (n++ < kHistograms) {
        for (const double bound : kBounds) changes.Observe(took, labels, bound, 3);
      }
    }
    return {};
  });
}

double BestOf(int rounds, const auto& run) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) {
    const double begin = CpuSeconds();
    run();
    best = std::min(best, CpuSeconds() - begin);
  }
  return best;
}

double LinesOf(const std::string& page) {
  double lines = 0;
  for (std::size_t at = 0; at < page.size(); at = page.find('\n', at) + 1) {
    lines += page[at] == '#' ? 0 : 1;
  }
  return lines;
}

void OurPage() {
  const skep::SystemClock clock;
  const auto store = Store::Open({}, {}, clock, skep::Logger::Silent()).value();
  FillStore(*store);
  std::string page;
  for (const Format format : {Format::kText, Format::kOpenMetrics}) {
    const double seconds = BestOf(50, [&] {
      page.clear();
      skep::exposition::PageWriter writer(format, page);
      store->WritePage(writer);
    });
    std::printf("skep, %s: %.0f series, %zu bytes: %.3f us per series\n",
                format == Format::kText ? "text" : "OpenMetrics", LinesOf(page), page.size(),
                seconds * 1e6 / LinesOf(page));
  }
}

void TheirPage() {
  prometheus::Registry registry;
  const std::vector<Point> points = Points();
  const auto labels = [](const Point& point) {
    return prometheus::Labels{{"agent_type", point.agent}, {"outcome", "ok"}, {"source", "v3"}};
  };
  for (int i = 0; i < kCounters; ++i) {
    auto& family = prometheus::BuildCounter()
                       .Name(Name("requests", i, "_total"))
                       .Help("Requests.")
                       .Register(registry);
    for (const Point& point : points) family.Add(labels(point)).Increment(point.value);
  }
  for (int i = 0; i < kGauges; ++i) {
    auto& family =
        prometheus::BuildGauge().Name(Name("load", i, "_ratio")).Help("Load.").Register(registry);
    for (const Point& point : points) family.Add(labels(point)).Set(point.value / 1e7);
  }
  auto& took = prometheus::BuildHistogram()
                   .Name("swarm_bench_duration_seconds")
                   .Help("Durations.")
                   .Register(registry);
  for (int i = 0; i < kHistograms; ++i) {
    auto& histogram = took.Add(labels(points[static_cast<std::size_t>(i)]), kBounds);
    for (const double bound : kBounds) {
      for (int n = 0; n < 3; ++n) histogram.Observe(bound);
    }
  }
  std::string page;
  const double seconds =
      BestOf(10, [&] { page = prometheus::TextSerializer().Serialize(registry.Collect()); });
  std::printf("prometheus-cpp, text: %.0f series, %zu bytes: %.3f us per series\n", LinesOf(page),
              page.size(), seconds * 1e6 / LinesOf(page));
}

void Updates(const std::string& path, int per_unit) {
  const skep::SystemClock clock;
  const auto store = Store::Open({.path = path}, {}, clock, skep::Logger::Silent()).value();
  const FamilyId calls =
      store->Define({.name = "swarm_bench_calls_total", .help = "Calls."}).value();
  const std::vector<Point> points = Points();
  const int units = 400'000 / per_unit;
  const double begin = CpuSeconds();
  for (int i = 0; i < units; ++i) {
    (void)store->Update([&](Changes& changes) -> Status {
      for (int j = 0; j < per_unit; ++j) {
        const Point& point = points[static_cast<std::size_t>((i + j) % 200)];
        const LabelView labels[] = {
            {"agent_type", point.agent}, {"outcome", "ok"}, {"source", "v3"}};
        changes.Add(calls, labels, 1);
      }
      return {};
    });
  }
  const double seconds = CpuSeconds() - begin;
  std::printf("%s, units of %d: %.0f changes per CPU-second, %.1f us per unit\n",
              path.empty() ? "memory" : "file", per_unit, units * per_unit / seconds,
              seconds * 1e6 / units);
}

}  // namespace

int main() {
  OurPage();
  TheirPage();
  const std::string folder = (std::filesystem::temp_directory_path() / "skep-state-bench").string();
  for (const std::string& path : {std::string(), folder}) {
    for (const int per_unit : {1, 10, 1000}) Updates(path, per_unit);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
