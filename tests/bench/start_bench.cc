// How long a store takes from its start after a kill to the first answer, how much of the processor
// and at most how much memory that costs: with all in the log, and with a checkpoint.
//
//   bench_start FOLDER [SERIES [SAMPLES]]     default 1,000,000 series with 12 samples each; FOLDER
//                                             is made; each start is a process of its own

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/store.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own

constexpr int kBatch = 1000;  // series of one target
constexpr std::int64_t kBegin = 1'700'000'000'000;

class FixedClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(kBegin + 60'000); }
  Steady SteadyNow() const override { return std::chrono::steady_clock::now(); }
};

Labels MakeLabels(int i) {
  return {{"__name__", "http_request_duration_seconds_bucket"},
          {"handler", "/api/v1/items/" + std::to_string(i % 10)},
          {"instance", "10.0." + std::to_string(i / kBatch / 256) + "." +
                           std::to_string(i / kBatch % 256) + ":9100"},
          {"job", "service-" + std::to_string(i / kBatch % 20)},
          {"le", std::to_string(1 << (i / 10 % 10))},
          {"method", i % 2 ? "GET" : "POST"},
          {"series", std::to_string(i)}};
}

double ValueOf(int series, int round) {
  if (series % 4 < 2) return round * (series % 50);
  return series % 4 == 2 ? std::sin(series + round / 10.0) : series;
}

[[noreturn]] void Fail(const Error& error) {
  std::fprintf(stderr, "bench_start: %s\n", error.message().c_str());
  std::exit(1);
}

template <typename T>
T Take(Result<T> result) {
  if (!result) Fail(result.error());
  return *std::move(result);
}

struct Opened {
  explicit Opened(const std::string& folder) : disk(Take(tsdb::PosixDisk::Open(folder))) {
    tsdb::StoreOptions options;
    options.retention = Duration{};
    store = Take(tsdb::Store::Open(*disk, options, clock, Logger::Silent()));
  }

  FixedClock clock;
  std::unique_ptr<tsdb::PosixDisk> disk;
  std::unique_ptr<tsdb::Store> store;
};

void Fill(tsdb::Store& store, int series, int samples) {
  std::vector<storage::SeriesRef> refs(static_cast<std::size_t>(series), 0);
  for (int round = 0; round < samples; ++round) {
    const Timestamp time = FromMillis(kBegin + round * 5000);
    for (int from = 0; from < series; from += kBatch) {
      const auto appender = store.NewAppender();
      for (int i = from; i < std::min(from + kBatch, series); ++i) {
        storage::SeriesRef& ref = refs[static_cast<std::size_t>(i)];
        const Sample sample{time, ValueOf(i, round)};
        if (ref != 0 && appender->AppendKnown(ref, sample)) continue;
        (void)appender->Append(ref, MakeLabels(i), sample);
      }
      if (const Status done = appender->Commit(); !done) Fail(done.error());
    }
  }
}

// In a process of its own, which then ends without tidying up.
template <typename Work>
void InChild(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    std::fflush(stdout);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) std::exit(1);
}

// Of a start: until a query for one series has its samples.
void Start(const std::string& folder, int series, int samples, const char* what) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = bench::CpuSeconds();
  const Opened opened(folder);
  const auto querier = Take(opened.store->NewQuerier({}));
  const std::vector<Matcher> one = {Matcher::Equal("series", std::to_string(series / 2))};
  const auto set = Take(querier->Select(one, {}));
  storage::SampleColumns columns;
  while (set->Next()) {
    if (const Status read = set->ReadSamples(columns); !read) Fail(read.error());
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  if (columns.size() != static_cast<std::size_t>(samples)) Fail(Internal("samples are missing"));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%-16s %.2f s to the first answer, %.2f s of CPU, %ld MB at most, files included\n",
              what, wall.count(), bench::CpuSeconds() - cpu, usage.ru_maxrss / 1024);
}

void Run(const std::string& folder, int series, int samples) {
  InChild([&] { Fill(*Opened(folder).store, series, samples); });
  InChild([&] { Start(folder, series, samples, "from the log:"); });
  InChild([&] {
    const Opened opened(folder);
    if (const Status done = opened.store->WriteCheckpoint(); !done) Fail(done.error());
  });
  InChild([&] { Start(folder, series, samples, "from checkpoint:"); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_start FOLDER [SERIES [SAMPLES]]\n");
    return 2;
  }
  const int series = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
  const int samples = argc > 3 ? std::atoi(argv[3]) : 12;
  Run(argv[1], std::max(series, 1), std::max(samples, 1));
  return 0;
}
