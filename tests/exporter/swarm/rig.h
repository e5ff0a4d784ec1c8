// What tests of swarms share: a store with all that counts into it, a clock set by hand, and the
// page as a set of lines.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/history.h"
#include "exporter/swarm/pushed.h"
#include "exporter/swarm/sessions.h"

namespace skep::swarm::test {

// Thread-safe.
class HandClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(1'800'000'000'000 + ms_.load()); }
  Steady SteadyNow() const override { return Steady{std::chrono::milliseconds(ms_.load())}; }
  void Advance(Duration by) { ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ms_{1'000'000};
};

struct RigOptions {
  std::string path = {};  // "": nothing survives
  HistoryLimits history = {};
  PushedLimits pushed = {};
  SessionOptions sessions = {};
  BoardOptions board = {};
  std::vector<state::Section*> more = {};
};

class Rig {
 public:
  explicit Rig(RigOptions options = {})
      : history(options.history), pushed(options.pushed), sessions(options.sessions) {
    std::vector<state::Section*> sections = {&history, &pushed, &sessions};
    sections.insert(sections.end(), options.more.begin(), options.more.end());
    auto opened = state::Store::Open({.path = options.path}, sections, clock, Logger::Silent());
    if (!opened) throw std::runtime_error(opened.error().message());
    store = std::move(*opened);
    auto defined = Flow::Define(*store);
    if (!defined) throw std::runtime_error(defined.error().message());
    flow = std::move(*defined);
    board = std::make_unique<Board>(options.board, history, *flow, *store, clock, Logger::Silent());
    board->AddSource(pushed);
    board_page = board->MakeCollector();
    sessions_page = sessions.MakeCollector(clock);
  }

  // Runs `change` as one unit.
  template <typename Change>
  void Do(const Change& change) {
    const Status done = store->Update([&](state::Changes& changes) -> Status {
      change(changes);
      return {};
    });
    if (!done) throw std::runtime_error(done.error().message());
  }

  std::string PageText(const std::vector<exporter::Collector*>& more = {}) {
    std::string text;
    exposition::PageWriter writer(exposition::Format::kText, text);
    store->WritePage(writer);
    std::vector<exporter::Collector*> all = {board_page.get(), sessions_page.get()};
    all.insert(all.end(), more.begin(), more.end());
    for (exporter::Collector* collector : all) {
      exporter::CollectContext context{writer, std::chrono::steady_clock::time_point::max()};
      if (!collector->Collect(context)) throw std::runtime_error("collect failed");
    }
    return text;
  }

  // Samples as they stand on the page.
  std::set<std::string> Page(const std::vector<exporter::Collector*>& more = {}) {
    std::set<std::string> lines;
    const std::string text = PageText(more);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      if (text[at] != '#') lines.insert(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  // Those of one family, with the suffixes of histograms.
  std::set<std::string> Of(const std::string& family) {
    std::set<std::string> lines;
    for (const std::string& line : Page()) {
      if (line.starts_with(family + "{") || line.starts_with(family + " ")) lines.insert(line);
    }
    return lines;
  }

  // The number of one series; -1 where it is not there.
  double Value(const std::string& series) {
    for (const std::string& line : Page()) {
      if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
    }
    return -1;
  }

  HandClock clock;
  History history;
  PushedSwarm pushed;
  Sessions sessions;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<Flow> flow;
  std::unique_ptr<Board> board;
  std::unique_ptr<exporter::Collector> board_page;
  std::unique_ptr<exporter::Collector> sessions_page;
};

}  // namespace skep::swarm::test
