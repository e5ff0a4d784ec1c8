// A store on a disk in memory, and what it ought to hold.
#pragma once

#include <bit>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/model/histogram.h"
#include "evaluator/tsdb/store.h"
#include "tests/support/memory_disk.h"

namespace skep::tsdb {

// Moved by hand. Thread-compatible.
class StoreClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(1'000'000) + passed_; }
  Steady SteadyNow() const override { return Steady(passed_); }
  void Pass(Duration time) { passed_ += time; }
  // To a midnight of the present: blocks are cut at spans of the clock.
  void PassToMidnight() { Pass(FromMillis(0) + std::chrono::hours(24 * 20'000) - Now()); }

 private:
  Duration passed_{};
};

// Time, start, and the bits of a value or the text of a histogram.
using Row = std::tuple<std::int64_t, std::int64_t, std::string>;
using Content = std::map<std::string, std::vector<Row>>;

inline std::string TextOf(double value) {
  return std::to_string(std::bit_cast<std::uint64_t>(value));
}

inline std::string TextOf(const Histogram& histogram) {
  std::string text = "h " + std::to_string(histogram.schema) + " " + TextOf(histogram.sum) + " " +
                     TextOf(histogram.count);
  for (const double one : histogram.positive.counts) text += " " + TextOf(one);
  return text;
}

// All samples, each series' in order of time.
inline Content ReadAll(storage::Queryable& store) {
  Content content;
  const auto querier = store.NewQuerier({});
  REQUIRE(querier);
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kRegex, "__name__", ".+").value()};
  auto set = (*querier)->Select(all, {});
  REQUIRE(set);
  while ((*set)->Next()) {
    storage::SampleColumns columns;
    REQUIRE((*set)->ReadSamples(columns));
    std::vector<Row>& rows = content[(*set)->labels().ToString()];
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Timestamp start = columns.starts.empty() ? kNoStart : columns.starts[i];
      rows.emplace_back(ToMillis(columns.times[i]), ToMillis(start), TextOf(columns.values[i]));
    }
    const auto& histograms = columns.histograms;
    for (std::size_t i = 0; i < histograms.size(); ++i) {
      const Timestamp start = histograms.starts.empty() ? kNoStart : histograms.starts[i];
      rows.emplace_back(ToMillis(histograms.times[i]), ToMillis(start),
                        TextOf(*histograms.values[i]));
    }
    std::ranges::sort(rows);
  }
  std::erase_if(content, [](const auto& one) { return one.second.empty(); });
  return content;
}

// What was committed, beside the store.
class Ledger {
 public:
  void Add(const Labels& labels, const FullSample& sample) {
    rows_.emplace_back(labels.ToString(),
                       Row{ToMillis(sample.time), ToMillis(sample.start),
                           sample.histogram ? TextOf(*sample.histogram) : TextOf(sample.value)});
  }
  // Ends a batch; gives how many there are.
  std::size_t Commit() {
    ends_.push_back(rows_.size());
    return ends_.size();
  }
  std::size_t commits() const { return ends_.size(); }
  // Takes back the newest batches, or what was not committed.
  void CutTo(std::size_t commits) {
    ends_.resize(commits);
    rows_.resize(commits == 0 ? 0 : ends_.back());
  }
  // After the first `commits` batches.
  Content At(std::size_t commits) const {
    Content content;
    const std::size_t end = commits == 0 ? 0 : ends_[commits - 1];
    for (std::size_t i = 0; i < end; ++i) content[rows_[i].first].push_back(rows_[i].second);
    for (auto& [labels, rows] : content) std::ranges::sort(rows);
    return content;
  }
  Content All() const { return At(commits()); }

 private:
  std::vector<std::pair<std::string, Row>> rows_;
  std::vector<std::size_t> ends_;
};

inline std::unique_ptr<Store> OpenStore(Disk& disk, const Clock& clock, StoreOptions options = {}) {
  auto store = Store::Open(disk, std::move(options), clock, Logger::Silent());
  REQUIRE(store);
  return std::move(*store);
}

}  // namespace skep::tsdb
