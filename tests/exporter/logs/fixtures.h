// What the tests of logs share: a clock that is set, a sink that remembers, a store in memory.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/yaml/node.h"
#include "exporter/logs/follower.h"
#include "exporter/logs/options.h"
#include "exporter/logs/sections.h"
#include "exporter/state/store.h"
#include "tests/support/temp_folder.h"

namespace skep::logs {

// Thread-safe: the store's own thread reads it.
class SetClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(1'800'000'000'000) + passed_.load(); }
  Steady SteadyNow() const override { return Steady(std::chrono::hours(1)) + passed_.load(); }
  void Pass(Duration span) { passed_ = passed_.load() + span; }
  Follower::Now now() const { return {Now(), SteadyNow()}; }

 private:
  std::atomic<Duration> passed_{Duration{0}};
};

// Keeps lines as the store would: those of a unit that happened.
class MemorySink final : public LineSink {
 public:
  void OnLine(std::string_view line) override {
    if (line == throws_at) {
      throws_at.clear();
      throw std::runtime_error("broken");
    }
    pending.emplace_back(line);
  }
  void OnProblem(ReadProblem problem) override { ++problems[problem]; }
  void OnRotation(Rotation rotation) override { ++rotations[rotation]; }
  bool IsFull() const override { return pending.size() >= full_at; }
  bool empty() const override { return pending.empty(); }
  void Write(state::Changes&) override {}
  void Written() override {
    lines.insert(lines.end(), pending.begin(), pending.end());
    pending.clear();
  }
  void Dropped() override { pending.clear(); }

  std::vector<std::string> pending;
  std::vector<std::string> lines;
  std::map<ReadProblem, int> problems;
  std::map<Rotation, int> rotations;
  std::size_t full_at = 1000;
  std::string throws_at;  // once
};

inline void Append(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::app | std::ios::binary) << text;
}

inline Options Configured(const std::string& text) {
  const Result<yaml::Node> node = yaml::Node::Parse(text, "test.yml");
  REQUIRE(node);
  Result<Options> options = ReadOptions(*node);
  INFO((options ? std::string() : options.error().message()));
  REQUIRE(options);
  return *options;
}

inline std::unique_ptr<state::Store> OpenStore(std::vector<state::Section*> sections,
                                               const Clock& clock, std::string path = "") {
  state::StoreOptions options;
  options.path = std::move(path);
  Result<std::unique_ptr<state::Store>> store =
      state::Store::Open(options, std::move(sections), clock, Logger::Silent());
  REQUIRE(store);
  return std::move(*store);
}

// The page of the store as text.
inline std::string PageOf(state::Store& store) {
  std::string page;
  exposition::PageWriter writer(exposition::Format::kText, page);
  store.WritePage(writer);
  return page;
}

inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace skep::logs
