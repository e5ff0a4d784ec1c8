// What the tests of stores share: recorded files of real programs laid out as a workspace, a clock
// that is set by hand, and the whole way from files to a page.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/net/gzip.h"
#include "exporter/state/store.h"
#include "exporter/stores/stores.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/history.h"
#include "tests/support/temp_folder.h"

namespace skep::stores::test {

// Thread-safe. Begins a minute after the samples were recorded.
class HandClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(now_ms_.load()); }
  Steady SteadyNow() const override {
    return Steady{std::chrono::milliseconds(now_ms_.load() - kBegin + 1'000'000)};
  }
  void Advance(Duration by) { now_ms_ += by.count(); }
  void Set(std::int64_t millis) { now_ms_ = millis; }

  static constexpr std::int64_t kBegin = 1'795'296'000'000;  // 2026-11-21T21:20:00Z

 private:
  std::atomic<std::int64_t> now_ms_{kBegin};
};

inline std::string Sample(std::string_view name) {
  const std::string path = std::string(SKEP_SOURCE_DIR "/tests/data/stores/") + std::string(name);
  Result<std::string> bytes = ReadFile(path);
  if (!bytes) throw std::runtime_error(bytes.error().message());
  if (!name.ends_with(".gz")) return *bytes;
  Result<std::string> whole = net::Gunzip(*bytes, 64UL << 20);
  if (!whole) throw std::runtime_error(whole.error().message());
  return *whole;
}

// In place, as most of the programs do.
inline void Write(const std::string& path, std::string_view bytes) {
  std::filesystem::create_directories(DirName(path));
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("cannot write " + path);
}

inline void Append(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A workspace of claude-flow 3 with everything that was recorded.
inline void MakeV3Workspace(const std::string& root) {
  for (const auto& [sample, path] : std::vector<std::pair<std::string, std::string>>{
           {"agents_store.json", ".claude-flow/agents/store.json"},
           {"agents.json", ".claude-flow/agents.json"},
           {"tasks_store.json", ".claude-flow/tasks/store.json"},
           {"swarm_swarm-state.json", ".claude-flow/swarm/swarm-state.json"},
           {"dot-swarm_state.json", ".swarm/state.json"},
           {"hive-mind_state.json", ".claude-flow/hive-mind/state.json"},
           {"daemon-state.json", ".claude-flow/daemon-state.json"},
           {"logs_daemon.log", ".claude-flow/logs/daemon.log"},
           {"model-router-state.json", ".swarm/model-router-state.json"},
           {"model-router-trajectories.jsonl", ".swarm/model-router-trajectories.jsonl"},
           {"data_auto-memory-store.json", ".claude-flow/data/auto-memory-store.json"},
           {"data_autopilot-state.json", ".claude-flow/data/autopilot-state.json"},
           {"session-1795295648741-z6pkl7.json",
            ".claude-flow/sessions/session-1795295648741-z6pkl7.json"},
           {"policy_state.first2receipts.json", ".claude-flow/policy/state.json"},
           {"config.yaml", ".claude-flow/config.yaml"},
           {"metrics/backup.json", ".claude-flow/metrics/backup.json"},
           {"metrics/consolidation.json", ".claude-flow/metrics/consolidation.json"},
           {"metrics/performance.json", ".claude-flow/metrics/performance.json"},
           {"metrics/swarm-activity.json", ".claude-flow/metrics/swarm-activity.json"},
           {"metrics/learning.json", ".claude-flow/metrics/learning.json"},
           {"system_metrics.json", ".claude-flow/system/metrics.json"},
           {"performance_metrics.json", ".claude-flow/performance/metrics.json"},
           {"memory.db.gz", ".swarm/memory.db"},
           {"agentdb-memory.db.gz", ".swarm/agentdb-memory.db"}}) {
    Write(root + "/" + path, Sample("v3/" + sample));
  }
}

inline void MakeBudgetFolder(const std::string& folder) {
  Write(folder + "/ai-budget.json", Sample("v3/home_ai-budget.json"));
  Write(folder + "/ai-budget-receipts.jsonl", Sample("v3/home_ai-budget-receipts.jsonl"));
  Write(folder + "/ai-jobs.json", Sample("v3/home_ai-jobs.json"));
}

// A database of another program, open for writing.
class Writer {
 public:
  explicit Writer(const std::string& path) {
    std::filesystem::create_directories(DirName(path));
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) throw std::runtime_error("open " + path);
    sqlite3_busy_timeout(handle_, 5'000);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { sqlite3_close_v2(handle_); }

  void Run(const std::string& sql) {
    char* message = nullptr;
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
    std::string text = sql + ": " + (message != nullptr ? message : "failed");
    sqlite3_free(message);
    throw std::runtime_error(text);
  }

 private:
  sqlite3* handle_ = nullptr;
};

// Files to page, with the real store in memory (or in `state_path`).
class World {
 public:
  explicit World(Options options, std::string state_path = {}) {
    paths.procfs = options.processes ? procfs.path() : "/nowhere";
    state::StoreOptions state;
    state.path = std::move(state_path);
    store = Must(state::Store::Open(state, {&history, &positions}, clock, Logger::Silent()));
    flow = Must(swarm::Flow::Define(*store));
    board = std::make_unique<swarm::Board>(options.board, history, *flow, *store, clock,
                                           Logger::Silent());
    stores = Must(Stores::Create(
        std::move(options), {*board, *flow, *store, positions, paths, clock, Logger::Silent()}));
    board_collector = board->MakeCollector();
    stores_collector = stores->MakeCollector();
    Write(procfs.File("uptime"), "100000.00 1.0\n");
  }

  template <typename T>
  static T Must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message());
    return std::move(*result);
  }

  // Samples of the page, without HELP and TYPE, in order.
  std::vector<std::string> Samples() {
    std::string text;
    exposition::PageWriter page(exposition::Format::kText, text);
    exporter::CollectContext context{page, std::chrono::steady_clock::time_point::max()};
    if (!board_collector->Collect(context) || !stores_collector->Collect(context)) {
      throw std::runtime_error("not collected");
    }
    store->WritePage(page);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      if (text[at] != '#') lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }
  std::string Text() {
    std::string text;
    for (const std::string& line : Samples()) text += line + "\n";
    return text;
  }
  // The value of a series, named as on the page; "" where it is not there.
  std::string Value(std::string_view series) {
    for (const std::string& line : Samples()) {
      if (line.starts_with(series) && line.substr(series.size(), 1) == " ") {
        return line.substr(series.size() + 1);
      }
    }
    return "";
  }
  void Poll() {
    clock.Advance(std::chrono::seconds(5));
    stores->Poll();
  }

  skep::test::TempFolder procfs;
  exporter::Paths paths;
  HandClock clock;
  swarm::History history;
  Positions positions;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<swarm::Flow> flow;
  std::unique_ptr<swarm::Board> board;
  std::unique_ptr<Stores> stores;
  std::unique_ptr<exporter::Collector> board_collector;
  std::unique_ptr<exporter::Collector> stores_collector;
};

// One workspace, nothing else.
inline Options OnlyWorkspace(const std::string& path) {
  Options options;
  options.workspaces.push_back({.name = "shop", .path = path});
  options.processes = false;
  options.ai_budget.enabled = false;
  return options;
}

}  // namespace skep::stores::test
