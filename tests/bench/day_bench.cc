// A day of a store at full speed: 50,000 series at 15 s, of which 10 % are replaced every hour,
// with a thread of queries beside whose answers are checked. Per hour: memory, latency of a
// scrape's batch, bytes on disk. At the end the store is opened again. Exits 1 where an answer was
// wrong.
//
//   day_bench [SERIES [HOURS [FOLDER]]]     default 50,000 series, 24 hours, a temporary folder
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/store.h"
#include "tests/bench/cpu_seconds.h"
#include "tests/bench/day_checks.h"
#include "tests/bench/day_world.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own
using bench::Life;
using bench::World;

constexpr int kReplacedPerHour = 10;  // percent
// The store's maintenance may fall behind by two minutes of the simulated time; a real one has
// thousands of times as long for the same work.
constexpr int kMostBehind = 8;

class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(Timestamp start) : millis_(ToMillis(start)) {}
  Timestamp Now() const override { return FromMillis(millis_); }
  Steady SteadyNow() const override { return Steady(std::chrono::milliseconds(millis_)); }
  void Set(Timestamp now) { millis_ = ToMillis(now); }

 private:
  std::atomic<std::int64_t> millis_;
};

// Of durations, within 3 %.
class Latencies {
 public:
  void Add(double seconds) {
    const double place =
        std::log2(std::max(seconds, 1e-9) / 1e-9) * static_cast<double>(kPerOctave);
    ++counts_[std::min(counts_.size() - 1, static_cast<std::size_t>(place))];
    ++count_;
    most_ = std::max(most_, seconds);
  }
  double Quantile(double part) const {
    auto left = static_cast<std::uint64_t>(part * static_cast<double>(count_));
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > left)
        return 1e-9 * std::exp2((static_cast<double>(i) + 0.5) / static_cast<double>(kPerOctave));
      left -= counts_[i];
    }
    return most_;
  }
  double most() const { return most_; }

 private:
  static constexpr std::size_t kPerOctave = 24;
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(40 * kPerOctave);
  std::uint64_t count_ = 0;
  double most_ = 0;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// "RssAnon" and the like of this process, in MB.
double StatusMegabytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == field + ":" && status >> kilobytes) return kilobytes / 1024;
  }
  return 0;
}

// Of the files below, by the folder that they lie in.
double DiskMegabytes(const std::string& folder, const std::string& part = "") {
  double bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error)) continue;
    if (!part.empty() && entry.path().parent_path().filename() != part) continue;
    const auto size = entry.file_size(error);
    if (!error) bytes += static_cast<double>(size);  // else it was removed just now
  }
  return bytes / 1e6;
}

// One target as it is scraped.
struct Scraped {
  Life life;
  std::vector<Labels> labels;
  std::vector<storage::SeriesRef> refs;

  Scraped(const World& world, const Life& now)
      : life(now), refs(static_cast<std::size_t>(world.per_target())) {
    for (int i = 0; i < world.per_target(); ++i) labels.push_back(world.LabelsOf(life, i));
  }
};

class Day {
 public:
  Day(std::string folder, int series)
      : folder_(std::move(folder)), world_(kStart, series), clock_(kStart), engine_(wall_clock_) {
    disk_ = tsdb::PosixDisk::Open(folder_).value();
    for (const Life& life : world_.lives()) targets_.emplace_back(world_, life);
    Open();
  }

  // False: an answer was wrong, or a batch was not taken.
  bool Run(int hours) {
    std::jthread maintenance([this] { Maintain(); });
    std::jthread blocks([this] { TendBlocks(); });
    std::jthread queries([this] { Query(); });
    PrintHead();
    const int steps = hours * bench::kStepsOfHour;
    for (int step = 0; step < steps && !failed_; ++step) {
      clock_.Set(world_.EndOf(step));
      Scrape(step);
      newest_ = step;
      newest_.notify_all();
      WaitForChores(step);
      if ((step + 1) % bench::kStepsOfHour == 0) PrintHour((step + 1) / bench::kStepsOfHour);
    }
    done_ = true;
    newest_ = steps;  // wakes who waits; nothing asks about it any more
    newest_.notify_all();
    maintenance.join();
    blocks.join();
    queries.join();
    return Finish(steps);
  }

 private:
  static constexpr Timestamp kStart = FromMillis(1'700'000'000'000);

  void Open() { store_ = tsdb::Store::Open(*disk_, {}, clock_, Logger::Silent()).value(); }

  void Scrape(int step) {
    for (Scraped& target : targets_) {
      // Evenly spread over the time in which all are replaced.
      const int period = bench::kStepsOfHour * 100 / kReplacedPerHour;
      const int turn = target.life.slot * period / world_.slots();
      const bool replace = (step + turn) % period == period - 1;
      const double begin = Now();
      const std::unique_ptr<storage::Appender> batch = store_->NewAppender();
      if (replace) EndTarget(target, *batch, step);
      const Timestamp time = world_.TimeOf(target.life.slot, step);
      for (std::size_t i = 0; i < target.refs.size(); ++i) {
        const double value = bench::DayValue(target.life, static_cast<int>(i), step);
        Judge(batch->Append(target.refs[i], target.labels[i], {time, value}));
      }
      if (const Status committed = batch->Commit(); !committed) Note(committed.error().message());
      latencies_.Add(Now() - begin);
    }
    samples_ += static_cast<std::uint64_t>(world_.slots() * world_.per_target());
  }

  void EndTarget(Scraped& target, storage::Appender& batch, int step) {
    const Timestamp time = world_.TimeOf(target.life.slot, step);
    for (std::size_t i = 0; i < target.refs.size(); ++i) {
      Judge(batch.Append(target.refs[i], target.labels[i], {time, kStaleNaN}));
    }
    target = Scraped(world_, world_.Replace(target.life, step));
    ++replaced_;
  }

  void Judge(storage::AppendOutcome outcome) {
    if (outcome != storage::AppendOutcome::kAccepted) Note("a sample was not taken");
  }

  // As the evaluator's threads do, once for each step. Tells how long that took at most.
  struct Chore {
    int done = -1;  // step
    double longest = 0;
  };
  template <typename Work>
  void Repeat(Chore& chore, Work work) {
    for (int seen = -1; !done_;) {
      newest_.wait(seen);
      seen = newest_;
      const double begin = Now();
      work();
      const double took = Now() - begin;
      const std::lock_guard lock(mutex_);
      chore.longest = std::max(chore.longest, took);
      chore.done = seen;
      chore_done_.notify_all();
    }
  }
  void Maintain() {
    Repeat(maintenance_, [this] { store_->Maintain(); });
  }
  void TendBlocks() {
    Repeat(blocks_, [this] { store_->TendBlocks(); });
  }
  void WaitForChores(int step) {
    std::unique_lock lock(mutex_);
    chore_done_.wait(
        lock, [&] { return std::min(maintenance_.done, blocks_.done) >= step - kMostBehind; });
  }

  void Query() {
    newest_.wait(-1);
    bench::Questions questions(world_, *store_, engine_, 7);
    while (!done_) {
      const double begin = Now();
      const std::string wrong = questions.Ask(newest_);
      if (done_) break;  // it may have asked about the step that is none
      const double took = Now() - begin;
      const std::lock_guard lock(mutex_);
      query_latencies_.Add(took);
      asked_ = questions.asked;
      looked_at_ = questions.samples;
      if (!wrong.empty()) NoteLocked(wrong);
    }
  }

  void Note(const std::string& wrong) {
    const std::lock_guard lock(mutex_);
    NoteLocked(wrong);
  }
  // Requires: mutex_ is held.
  void NoteLocked(const std::string& wrong) {
    if (!failed_.exchange(true)) wrong_ = wrong;
  }

  static void PrintHead() {
    std::printf("%5s %10s %9s %9s %9s %9s | %9s %9s %9s %9s %9s | %8s %9s\n", "hour", "series",
                "anon, MB", "file, MB", "disk, MB", "blocks", "p50, us", "p99, us", "most, ms",
                "maint, ms", "tend, ms", "queries", "q p99, ms");
  }
  void PrintHour(int hour) {
    const std::lock_guard lock(mutex_);
    std::printf("%5d %10zu %9.1f %9.1f %9.1f %9.1f | %9.1f %9.1f %9.2f %9.1f %9.1f | %8llu %9.2f\n",
                hour, store_->head().series_count(), StatusMegabytes("RssAnon"),
                StatusMegabytes("RssFile"), DiskMegabytes(folder_),
                DiskMegabytes(folder_, "blocks"), latencies_.Quantile(0.5) * 1e6,
                latencies_.Quantile(0.99) * 1e6, latencies_.most() * 1e3,
                maintenance_.longest * 1e3, blocks_.longest * 1e3,
                static_cast<unsigned long long>(asked_), query_latencies_.Quantile(0.99) * 1e3);
    std::fflush(stdout);
    latencies_ = {};
    query_latencies_ = {};
    maintenance_.longest = blocks_.longest = 0;
  }

  // Opens the store again and asks it about everything.
  bool Finish(int steps) {
    std::printf("%d of %d targets replaced; %llu queries right, %llu samples looked at\n",
                replaced_, world_.slots(), static_cast<unsigned long long>(asked_),
                static_cast<unsigned long long>(looked_at_));
    const double blocks = DiskMegabytes(folder_, "blocks");
    std::printf("%.3f bytes on disk per sample", DiskMegabytes(folder_) * 1e6 / Samples());
    if (blocks > 0) std::printf(", %.3f of them in blocks", blocks * 1e6 / Samples());
    const std::size_t series = store_->head().series_count();
    store_.reset();
    const double begin = Now();
    Open();
    std::printf("\nopened again in %.2f s: %zu series in the head, %zu before\n", Now() - begin,
                store_->head().series_count(), series);
    bench::Questions questions(world_, *store_, engine_, 8);
    for (int i = 0; i < 200 && !failed_; ++i) {
      const std::string wrong = questions.Ask(steps - 1);
      if (!wrong.empty()) Note("opened again: " + wrong);
    }
    if (asked_ == 0) Note("no query came through");
    if (!failed_) return true;
    std::fprintf(stderr, "WRONG: %s\n", wrong_.c_str());
    return false;
  }
  double Samples() const { return static_cast<double>(samples_); }

  const std::string folder_;
  World world_;
  SimulatedClock clock_;
  const SystemClock wall_clock_;  // of the engine, whose timeouts are real
  const engine::Engine engine_;
  std::unique_ptr<tsdb::PosixDisk> disk_;
  std::unique_ptr<tsdb::Store> store_;
  std::vector<Scraped> targets_;
  std::uint64_t samples_ = 0;
  int replaced_ = 0;
  Latencies latencies_;
  std::atomic<int> newest_ = -1;  // step that is all there
  std::atomic<bool> done_ = false;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::condition_variable chore_done_;
  // Guarded by mutex_:
  Chore maintenance_, blocks_;
  Latencies query_latencies_;
  std::uint64_t asked_ = 0, looked_at_ = 0;
  std::string wrong_;
};

}  // namespace

int main(int argc, char** argv) {
  const int series = argc > 1 ? std::atoi(argv[1]) : 50'000;
  const int hours = argc > 2 ? std::atoi(argv[2]) : 24;
  std::unique_ptr<test::TempFolder> temporary;
  if (argc <= 3) temporary = std::make_unique<test::TempFolder>();
  Day day(argc > 3 ? argv[3] : temporary->path(), series);
  const double begin = Now();
  const bool right = day.Run(hours);
  std::printf("%.0f s, %.0f s of processor time\n", Now() - begin, bench::CpuSeconds());
  return right ? 0 : 1;
}
