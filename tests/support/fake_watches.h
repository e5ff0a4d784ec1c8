// Watches of whole metrics, by name, and what they are told: for those who commit samples.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "evaluator/storage/commit_watches.h"

namespace skep::test {

// Watch N wants the series of the Nth name. Thread-compatible.
class FakeWatches final : public storage::CommitWatches {
 public:
  explicit FakeWatches(std::vector<std::string> names) : names_(std::move(names)) {}

  void Find(const Labels& labels, std::vector<std::uint32_t>& out) const override {
    ++looks;
    for (std::uint32_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == labels.metric_name()) out.push_back(i);
    }
  }
  void Tell(std::span<const std::uint32_t> watches, Timestamp time) const override {
    told += std::to_string(ToMillis(time) / 1000) + ":";
    for (const std::uint32_t watch : watches) told += names_[watch];
    told += " ";
  }

  mutable int looks = 0;
  mutable std::string told;  // "SECOND:NAMES " for each batch

 private:
  std::vector<std::string> names_;
};

class FakeFeed final : public storage::CommitFeed {
 public:
  std::shared_ptr<const storage::CommitWatches> CurrentWatches() const override { return watches; }
  void Watch(std::vector<std::string> names) {
    watches = std::make_shared<FakeWatches>(std::move(names));
  }
  std::string TakeTold() const {
    return watches == nullptr ? std::string() : std::exchange(watches->told, {});
  }

  std::shared_ptr<FakeWatches> watches;
};

}  // namespace skep::test
