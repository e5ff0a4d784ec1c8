// What a round of rules costs: ms of CPU for 200 rules over 100,000 series in the head, an hour of
// samples at 30 s, and the same for each kind of rule; ms of wall time of ten groups of 20 rules
// that are evaluated at once, alone and beside appenders that bring new series; and what the rules
// keep between rounds.
//
//   bench_rules [SERIES [ROUNDS]]     default 100,000 series, 5 rounds
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "evaluator/rulequery/query_runner.h"
#include "evaluator/rules/manager.h"
#include "evaluator/tsdb/head.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own

constexpr int kSamples = 120;
constexpr Duration kStep = std::chrono::seconds(30);
constexpr int kSeriesOfInstance = 1000;
constexpr const char* kBounds[] = {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                   "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};

// Of the heap, in use.
double Megabytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

Timestamp At(int sample) { return FromMillis(1'700'000'000'000) + sample * kStep; }

double CpuMillis() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto millis = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return millis(usage.ru_utime) + millis(usage.ru_stime);
}

// Of one instance's thousand: half are buckets of 4 histograms, 300 of 10 counters, 200 of 10
// gauges.
Labels MakeLabels(int instance, int i) {
  static constexpr const char* kCodes[] = {"200", "404", "500", "302", "503"};
  static constexpr const char* kZones[] = {"eu-west-1a", "eu-west-1b", "us-east-1c"};
  const std::string service = "svc-0" + std::to_string(i / 7 % 10);
  const std::string host = "t" + std::to_string(instance);
  const char* const zone = kZones[instance % 3];
  if (i < 500) {
    return {{"__name__", "h" + std::to_string(i / 125) + "_bucket"},
            {"instance", host},
            {"job", "bench"},
            {"le", kBounds[i % 12]},
            {"part", std::to_string(i)},
            {"service", service},
            {"zone", zone}};
  }
  const bool counter = i < 800;
  return {{"__name__", (counter ? "c" : "g") + std::to_string(i % 10)},
          {"code", counter ? kCodes[i % 5] : ""},
          {"instance", host},
          {"job", "bench"},
          {"part", std::to_string(i)},
          {"service", service},
          {"zone", zone}};
}

void Fill(tsdb::Head& head, int series) {
  std::vector<Labels> labels;
  labels.reserve(static_cast<std::size_t>(series));
  for (int i = 0; i < series; ++i) {
    labels.push_back(MakeLabels(i / kSeriesOfInstance, i % kSeriesOfInstance));
  }
  std::vector<storage::SeriesRef> refs(labels.size());
  for (int k = 0; k < kSamples; ++k) {
    const auto appender = head.NewAppender();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const double value = i % 1000 < 800 ? k * static_cast<double>(i % 50)
                                          : std::sin(static_cast<double>(i) + k / 10.0) * 1000;
      (void)appender->Append(refs[i], labels[i], {At(k), value});
    }
    (void)appender->Commit();
  }
}

std::string RateRule(int j) {
  static constexpr const char* kBy[] = {"service, code", "service", "zone, code", "instance"};
  static constexpr const char* kWindows[] = {"5m", "1m", "10m", "2m"};
  return "{record: r" + std::to_string(j) + ", expr: 'sum by (" + kBy[j / 10 % 4] + ") (rate(c" +
         std::to_string(j % 10) + "[" + kWindows[j / 20 % 4] + "]))'}";
}

std::string QuantileRule(int j) {
  return "{record: q" + std::to_string(j) +
         ", expr: 'histogram_quantile(0.99, sum by (le, service) (rate(h" + std::to_string(j % 4) +
         "_bucket[5m])))'}";
}

std::string ScoreRule(int j) {
  const std::string s =
      "g" + std::to_string(j % 10) + "{service=\"svc-0" + std::to_string(j / 10 % 10) + "\"}";
  return "{record: z" + std::to_string(j) + ", expr: '(" + s + " - avg_over_time(" + s +
         "[1h])) / stddev_over_time(" + s + "[1h])'}";
}

std::string AlertRule(int j) {
  const std::string n = std::to_string(j % 10);
  const std::string s = "g" + n + "{service=\"svc-0" + std::to_string(j / 10 % 10) + "\"}";
  const std::string exprs[] = {
      s + " > 2000",
      "sum by (service) (rate(c" + n + "{code=\"500\"}[5m])) / sum by (service) (rate(c" + n +
          "[5m])) > 0.05",
      "delta(" + s + "[5m]) < -500", "avg by (service, zone) (g" + n + ") > 1500"};
  return "{alert: A" + std::to_string(j) + ", for: 30s, expr: '" + exprs[j / 20 % 4] + "'}";
}

// Of groups that are evaluated at once.
constexpr int kParts = 10;

using Maker = std::string (*)(int);

std::string Group(const std::string& name, int rules, const std::vector<Maker>& makers) {
  std::string text = "- name: " + name + "\n  rules:\n";
  for (int j = 0; j < rules; ++j) {
    std::string rule = makers[static_cast<std::size_t>(j * 7) % makers.size()](j);
    rule.insert(rule.find(": ") + 2, name + "_");  // groups must not record the same series
    text += "  - " + rule + "\n";
  }
  return text;
}

std::string Part(int number) { return "part" + std::to_string(number); }

// All parts, each on a thread of its own. Gives the wall time.
double RoundOfParts(rules::Manager& manager, const std::string& path, Timestamp time) {
  const auto begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int part = 0; part < kParts; ++part) {
      threads.emplace_back([&, part] { (void)manager.EvaluateRound(path, Part(part), time); });
    }
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

// Brings a target of 1,000 series that nobody knows yet, again and again.
class NewSeries {
 public:
  explicit NewSeries(tsdb::Head& head) : head_(head) {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this](std::stop_token stop) { Run(stop); });
  }

 private:
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int instance = 100'000 + next_++;
      const auto appender = head_.NewAppender();
      for (int i = 0; i < kSeriesOfInstance; ++i) {
        storage::SeriesRef ref = 0;
        (void)appender->Append(ref, MakeLabels(instance, i), {At(kSamples), 1.0});
      }
      (void)appender->Commit();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  tsdb::Head& head_;
  std::atomic<int> next_ = 0;
  std::vector<std::jthread> threads_;
};

class Nobody final : public rules::AlertSink {
 public:
  void Send(std::vector<Alert>) override {}
};

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return At(kSamples); }
  Steady SteadyNow() const override { return Steady(); }
};

}  // namespace

int main(int argc, char** argv) {
  const int series = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  tsdb::Head head(tsdb::HeadOptions{});
  Fill(head, series);
  const StillClock clock;
  Nobody nobody;
  const engine::Engine engine(clock);
  rulequery::EngineQueryRunner queries(engine, head, {});
  const test::TempFolder folder;
  const std::string path = folder.File("r.yml");
  const std::vector<Maker> mix = {RateRule,     RateRule,  RateRule,  RateRule,     RateRule,
                                  RateRule,     RateRule,  RateRule,  QuantileRule, QuantileRule,
                                  QuantileRule, ScoreRule, ScoreRule, ScoreRule,    AlertRule,
                                  AlertRule,    AlertRule, AlertRule, AlertRule,    AlertRule};
  std::string text = "groups:\n" + Group("mix", 200, mix) + Group("rate", 20, {RateRule}) +
                     Group("quantile", 20, {QuantileRule}) + Group("zscore", 20, {ScoreRule}) +
                     Group("alert", 80, {AlertRule});
  for (int part = 0; part < kParts; ++part) text += Group(Part(part), 20, mix);
  if (!WriteFileAtomic(path, text)) return 1;
  auto owned =
      std::make_unique<rules::Manager>(rules::Dependencies{queries, head, head, nobody, clock},
                                       rules::ManagerOptions{.restore = false});
  rules::Manager& manager = *owned;
  Result<rules::Ruleset> loaded = manager.Load({.files = {path}});
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message().c_str());
    return 1;
  }
  manager.Apply(std::move(*loaded));
  std::printf("%-10s %14s %14s\n", "rules", "first, ms", "later, ms");
  for (const std::string group : {"mix", "rate", "quantile", "zscore", "alert"}) {
    double first = 0;
    double later = 0;
    for (int round = 0; round < rounds; ++round) {
      const double begin = CpuMillis();
      (void)manager.EvaluateRound(path, group, At(kSamples) + round * kStep / rounds);
      (round == 0 ? first : later) += CpuMillis() - begin;
    }
    std::printf("%-10s %14.1f %14.1f\n", group.c_str(), first, later / std::max(rounds - 1, 1));
  }
  const auto parts = [&](const char* name, int shift) {
    std::vector<double> walls;
    for (int round = 0; round <= rounds; ++round) {
      const Timestamp time = At(kSamples) + (shift * 2 * rounds + round) * kStep / (4 * rounds);
      const double wall = RoundOfParts(manager, path, time);
      if (round > 0) walls.push_back(wall);
    }
    std::ranges::sort(walls);
    std::printf("%-24s median %6.1f, worst %6.1f ms of wall time\n", name, walls[walls.size() / 2],
                walls.back());
  };
  parts("10 groups at once", 0);
  {
    const NewSeries writers(head);
    parts("beside new series", 1);
  }
  for (const rules::GroupStatus& group : manager.Groups()) {
    for (const rules::RuleStatus& rule : group.rules) {
      if (!rule.last_error.empty()) std::printf("%s\n", rule.last_error.c_str());
    }
  }
  const double with_rules = Megabytes();
  owned.reset();
  std::printf("kept by the rules of all groups: %.1f MB of %.1f\n", with_rules - Megabytes(),
              with_rules);
  return 0;
}
