// A store's answer whose labels several queries look at, on several threads.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "evaluator/storage/querier.h"

namespace skep::engine {

// LabelsAt and CopyLabels may be called by any thread at any time, the others by one. Next may make
// places, and labels that cannot be read warnings, so they wait for each other.
class LockedSet final : public storage::SeriesSet {
 public:
  explicit LockedSet(std::unique_ptr<storage::SeriesSet> set) : set_(std::move(set)) {}

  bool Next() override {
    const std::lock_guard lock(mutex_);
    return set_->Next();
  }
  const Labels& labels() const override {
    const std::lock_guard lock(mutex_);
    return set_->labels();
  }
  std::uint32_t place() const override { return set_->place(); }
  const Labels& LabelsAt(std::uint32_t place) const override {
    const std::lock_guard lock(mutex_);
    return set_->LabelsAt(place);
  }
  Labels CopyLabels(std::uint32_t place) const override {
    const std::lock_guard lock(mutex_);
    return set_->CopyLabels(place);
  }
  Status ReadSamples(storage::SampleColumns& out) override { return set_->ReadSamples(out); }
  Status ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out) override {
    return set_->ReadSummarized(cuts, out);
  }
  std::uint32_t slot() const override { return set_->slot(); }
  std::vector<std::string> Warnings() const override {
    const std::lock_guard lock(mutex_);
    return set_->Warnings();
  }

 private:
  const std::unique_ptr<storage::SeriesSet> set_;
  mutable std::mutex mutex_;
};

}  // namespace skep::engine
