// How long after the commit of a page the alert that it raises is at the notifier: ms, where the
// group goes by scrapes and no spacing is pending. Beside it, once a second, a page of another
// target is stored, as in an evaluator at work.
//
//   on_scrape_bench FOLDER [ALERTS [SERIES [OTHER_SERIES]]]     default 400 alerts, pages of 1,000
//                                                               and 100,000 series; FOLDER is made
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "evaluator/rulequery/query_runner.h"
#include "evaluator/rules/manager.h"
#include "evaluator/scrape/page_ingester.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/store.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own

using Steady = Clock::Steady;

constexpr std::chrono::milliseconds kSpacing(20);
constexpr std::chrono::milliseconds kPause(45);  // between pages: no spacing is pending then
constexpr int kRules = 10;

// The notifier's door: when each alert came.
class Door final : public rules::AlertSink {
 public:
  void Send(std::vector<Alert> alerts) override {
    const Steady now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    for (const Alert& alert : alerts) {
      if (alert.labels.Get("alertname") == "A0") last_ = std::string(alert.labels.Get("n"));
    }
    at_ = now;
    came_.notify_all();
  }
  // When the alert for `n` came; waits for it.
  Steady WaitFor(const std::string& n) {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return last_ == n; });
    return at_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::string last_;  // guarded by mutex_
  Steady at_;         // guarded by mutex_
};

std::string RuleFile() {
  std::string text = "groups:\n- name: g\n  interval: 1h\n  rules:\n";
  for (int i = 0; i < kRules; ++i) {
    text += "  - {alert: A" + std::to_string(i) + ", expr: 'signal > " + std::to_string(i) +
            "', labels: {severity: page}}\n";
  }
  return text;
}

// `signal{n="0"}` is raised where `raised` is 0, and so on.
std::string Page(int series, int raised) {
  std::string page;
  for (int i = 0; i < series; ++i) {
    page += "signal{n=\"" + std::to_string(i) + "\"} " + (i == raised ? "1" : "0") + "\n";
  }
  return page;
}

std::string OtherPage(int series) {
  std::string page;
  for (int i = 0; i < series; ++i) {
    page +=
        "other_total{n=\"" + std::to_string(i) + "\",code=\"200\"} " + std::to_string(i * 7) + "\n";
  }
  return page;
}

double Millis(Steady::duration span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

void Print(const char* what, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double part) {
    return values[std::min(values.size() - 1,
                           static_cast<std::size_t>(part * static_cast<double>(values.size())))];
  };
  std::printf("%-34s median %7.2f   p99 %7.2f   most %7.2f\n", what, at(0.5), at(0.99),
              values.back());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int alerts = argc > 2 ? std::atoi(argv[2]) : 400;
  const int series = argc > 3 ? std::atoi(argv[3]) : 1000;
  const int other_series = argc > 4 ? std::atoi(argv[4]) : 100'000;
  const SystemClock clock;
  const auto disk = tsdb::PosixDisk::Open(argv[1]).value();
  const auto store = tsdb::Store::Open(*disk, {}, clock, Logger::Silent()).value();
  const engine::Engine engine(clock);
  rulequery::EngineQueryRunner queries(engine, *store, {});
  Door door;
  rules::Manager manager({queries, *store, *store, door, clock}, {.restore = false});
  const std::string path = std::string(argv[1]) + "/rules.yml";
  if (!WriteFileAtomic(path, RuleFile())) return 1;
  auto loaded = manager.Load({.files = {path}, .on_scrape = {{path, "g", kSpacing, ""}}});
  if (!loaded) return 1;
  manager.Apply(std::move(*loaded));
  manager.Start();

  const auto job = std::make_shared<scrape::JobOptions>();
  const scrape::PageSink sink{*store, &manager.commits()};
  scrape::PageIngester target(sink, job, {{"instance", "a"}, {"job", "j"}});
  std::atomic<bool> done = false;
  std::jthread other([&] {
    scrape::PageIngester busy(sink, job, {{"instance", "b"}, {"job", "j"}});
    const std::string page = OtherPage(other_series);
    while (!done && other_series > 0) {
      (void)busy.Ingest({page, exposition::Format::kText, clock.Now(), 0.01, {}});
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  });
  std::vector<double> delays;
  std::vector<double> rounds;
  for (int i = 0; i < alerts; ++i) {
    std::this_thread::sleep_for(kPause);
    const int raised = i % series;
    const std::string page = Page(series, raised);
    const auto result = target.Ingest({page, exposition::Format::kText, clock.Now(), 0.01, {}});
    const Steady committed = std::chrono::steady_clock::now();
    if (!result.commit) return 1;
    delays.push_back(Millis(door.WaitFor(std::to_string(raised)) - committed));
    std::this_thread::sleep_for(kPause);
    (void)target.Ingest({Page(series, -1), exposition::Format::kText, clock.Now(), 0.01, {}});
    std::this_thread::sleep_for(kPause);
    const Steady begin = std::chrono::steady_clock::now();
    (void)manager.EvaluateRound(path, "g", clock.Now());
    rounds.push_back(Millis(std::chrono::steady_clock::now() - begin));
  }
  done = true;
  manager.Stop();
  std::printf("%d alerts, %d rules over pages of %d series\n", alerts, kRules, series);
  Print("from commit to the notifier, ms:", delays);
  Print("a whole round by itself, ms:", rounds);
  return 0;
}
