// A store on a disk in memory that is scraped into, minute by minute, and kept as a program does
// it.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "store_rig.h"

namespace skep::tsdb {

// A store whose time passes, with pages of series that come and go.
class LivingStore {
 public:
  // By default each span of 20 minutes has enough samples for a block of its own.
  static StoreOptions BlocksOfSpans() {
    StoreOptions options;
    options.upkeep.dense_samples = 50;
    return options;
  }
  explicit LivingStore(std::uint64_t seed, StoreOptions options = BlocksOfSpans())
      : options_(std::move(options)), random_(seed) {
    clock.PassToMidnight();
    Open();
  }

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Open() {
    store.reset();
    auto opened = Store::Open(disk, options_, clock, Log());
    REQUIRE(opened);
    store = std::move(*opened);
  }

  // A page of the present time.
  bool Scrape() {
    const auto appender = store->NewAppender();
    const auto generation = static_cast<std::uint64_t>(ToMillis(clock.Now()) / 5'000'000);
    for (std::uint64_t i = 0; i < 12; ++i) {
      if (i % 5 == 4 && Below(3) == 0) continue;  // a gap
      Offer(*appender, Name(i < 8 ? i : i + generation), clock.Now());
    }
    return Commit(*appender);
  }
  void Offer(storage::Appender& appender, const Labels& labels, Timestamp time) {
    FullSample sample{.time = time, .value = static_cast<double>(Below(50))};
    if (Below(30) == 0) sample.value = kStaleNaN;
    if (labels.Get("i") == "7") {
      auto histogram = std::make_shared<Histogram>();
      histogram->positive.Append(0, static_cast<double>(Below(100)));
      histogram->count = histogram->positive.counts[0];
      sample.histogram = std::move(histogram);
    }
    storage::SeriesRef ref = 0;
    if (appender.AppendFull(ref, labels, sample) == storage::AppendOutcome::kAccepted) {
      ledger.Add(labels, sample);
    }
  }
  bool Commit(storage::Appender& appender) {
    if (appender.Commit()) return ledger.Commit() > 0;
    ledger.CutTo(ledger.commits());
    return false;
  }
  // A minute with four scrapes and what the threads of a program do.
  void Minute() {
    for (int i = 0; i < 4; ++i) {
      REQUIRE(Scrape());
      clock.Pass(std::chrono::seconds(15));
    }
    store->Maintain();
    store->TendBlocks();
  }
  void Minutes(int n) {
    for (int i = 0; i < n; ++i) Minute();
  }

  static Labels Name(std::uint64_t series) {
    return {{"__name__", "m" + std::to_string(series % 3)}, {"i", std::to_string(series)}};
  }
  UpkeepCounters counters() const { return store->status().upkeep; }
  std::uint64_t HeadSamples() const { return store->head().Status(1).samples; }

  test::MemoryDisk disk;
  StoreClock clock;
  Ledger ledger;
  std::vector<std::string> log;  // lines of errors
  std::unique_ptr<Store> store;

 private:
  Logger Log() {
    return {clock, {.level = LogLevel::kError, .write = [this](std::string_view line) {
                      log.emplace_back(line);
                    }}};
  }

  const StoreOptions options_;
  std::mt19937_64 random_;
};

}  // namespace skep::tsdb
