// What the store costs: ns per sample appended by number in scrape order, bytes of memory per
// series with two hours of samples, ns per series selected, ns per sample read.
//
//   append_bench [SERIES [ROUNDS [FOLDER]]]     default 100,000 series, 120 rounds at 15 s
//
// With a folder the samples are in a log there, and what a start reads is measured as well.
#include <malloc.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "evaluator/tsdb/head.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/store.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using skep::bench::CpuSeconds;

using namespace skep;  // NOLINT: a small program of its own

std::size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Like a page of a service: a hundred series a metric, nine labels each.
Labels MakeLabels(int i) {
  const std::string instance =
      "10.0." + std::to_string(i / 25600) + "." + std::to_string(i / 100 % 256) + ":9100";
  return {{"__name__", "http_request_duration_seconds_bucket"},
          {"cluster", "eu-west-1"},
          {"handler", "/api/v1/items/" + std::to_string(i % 10)},
          {"instance", instance},
          {"job", "service-" + std::to_string(i / 1000 % 20)},
          {"le", std::to_string(1 << (i / 10 % 10))},
          {"method", i % 2 ? "GET" : "POST"},
          {"namespace", "production"},
          {"series", std::to_string(i)}};
}

// Half counters that move by whole numbers, a quarter gauges, a quarter that stand still.
double ValueOf(int series, int round) {
  switch (series % 4) {
    case 0:
    case 1:
      return round * (series % 50);
    case 2:
      return std::sin(series + round / 10.0);
    default:
      return series;
  }
}

// A store in a folder.
struct OnDisk {
  explicit OnDisk(const char* folder) : disk(std::move(*tsdb::PosixDisk::Open(folder))) {
    tsdb::StoreOptions options;
    options.retention = std::chrono::hours(24 * 365 * 100);
    store = std::move(*tsdb::Store::Open(*disk, options, clock, Logger::Silent()));
  }

  SystemClock clock;
  std::unique_ptr<tsdb::PosixDisk> disk;
  std::unique_ptr<tsdb::Store> store;
};

void PrintParts(const tsdb::HeadMemory& memory, int series) {
  const auto each = [series](std::uint64_t bytes) { return static_cast<double>(bytes) / series; };
  std::printf(
      "  by part:         labels %.0f, index %.0f, series %.0f, open runs %.0f, sealed %.0f, "
      "rare %.0f, sum %.0f\n",
      each(memory.labels), each(memory.index), each(memory.series), each(memory.open_runs),
      each(memory.sealed_chunks), each(memory.rare), each(memory.sum()));
}

void MeasureStart(const char* folder, double samples) {
  const double start = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  const OnDisk again(folder);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("start:             %.3f s, CPU %.3f s, %.1f ns a sample\n", took.count(),
              CpuSeconds() - start, took.count() * 1e9 / samples);
}

}  // namespace

int main(int argc, char** argv) {
  const int series = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 120;
  const char* const folder = argc > 3 ? argv[3] : nullptr;
  constexpr int kBatch = 1000;  // series of one target

  std::vector<Labels> labels;
  for (int i = 0; i < series; ++i) labels.push_back(MakeLabels(i));
  std::vector<storage::SeriesRef> refs(static_cast<std::size_t>(series), 0);
  const std::size_t heap = HeapBytes();
  auto on_disk = folder != nullptr ? std::make_unique<OnDisk>(folder) : nullptr;
  tsdb::Head memory({});
  const tsdb::Head& head = on_disk ? on_disk->store->head() : memory;
  storage::Appendable& appendable =
      on_disk ? static_cast<storage::Appendable&>(*on_disk->store) : memory;
  storage::Queryable& queryable =
      on_disk ? static_cast<storage::Queryable&>(*on_disk->store) : memory;
  const auto scrape = [&](int round) {
    for (int from = 0; from < series; from += kBatch) {
      const auto appender = appendable.NewAppender();
      for (int i = from; i < std::min(from + kBatch, series); ++i) {
        const auto at = static_cast<std::size_t>(i);
        (void)appender->Append(
            refs[at], labels[at],
            {FromMillis(1'700'000'000'000 + round * 15'000LL), ValueOf(i, round)});
      }
      (void)appender->Commit();
    }
  };
  double start = CpuSeconds();
  scrape(0);
  std::printf("new series:        %.0f ns each\n", (CpuSeconds() - start) * 1e9 / series);
  start = CpuSeconds();
  for (int round = 1; round < rounds; ++round) scrape(round);
  std::printf("append by number:  %.1f ns a sample\n",
              (CpuSeconds() - start) * 1e9 / series / std::max(rounds - 1, 1));
  const tsdb::HeadStatus status = head.Status(0);
  std::printf("memory:            %.0f bytes a series with %d samples (%.2f bytes a sample)\n",
              static_cast<double>(HeapBytes() - heap) / series, rounds,
              static_cast<double>(status.chunk_bytes) / static_cast<double>(status.samples));

  PrintParts(head.MeasureMemory(), series);

  const std::vector<Matcher> all = {
      Matcher::Equal("__name__", "http_request_duration_seconds_bucket")};
  storage::SampleColumns columns;
  for (int turn = 0; turn < 2; ++turn) {  // the first one also sorts the series
    start = CpuSeconds();
    auto querier = queryable.NewQuerier({});
    auto set = (*querier)->Select(all, {});
    const double selected = CpuSeconds();
    std::size_t samples = 0;
    while ((*set)->Next()) {
      columns.clear();
      (void)(*set)->ReadSamples(columns);
      samples += columns.size();
    }
    std::printf("select:            %.0f ns a series; read: %.1f ns a sample\n",
                (selected - start) * 1e9 / series,
                (CpuSeconds() - selected) * 1e9 / static_cast<double>(samples));
  }
  if (!on_disk) return 0;
  std::printf("log:               %.2f bytes a sample\n",
              static_cast<double>(on_disk->store->status().wal.bytes) / series / rounds);
  on_disk.reset();
  MeasureStart(folder, static_cast<double>(series) * rounds);
  return 0;
}
