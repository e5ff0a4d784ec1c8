// Tells those who want to hear of series that a pushed batch with them is visible.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/storage/commit_watches.h"

namespace skep::intake {

// Thread-compatible; of one batch. Pushed samples say when they were scraped, but come later and
// not in that order, so what they start happens at the time of their arrival. History that is
// brought in starts nothing.
class CommitNote {
 public:
  // Samples older than this when they arrive are history: a query of now does not see them.
  static constexpr Duration kNews = std::chrono::minutes(5);

  // Nobody listens.
  CommitNote() = default;
  // `feed` may be null.
  CommitNote(const storage::CommitFeed* feed, Timestamp arrival)
      : watches_(feed == nullptr ? nullptr : feed->CurrentWatches()), arrival_(arrival) {}

  // Whether Add does anything for a sample of that time.
  bool NeedsLabels(Timestamp time) const { return watches_ != nullptr && time >= arrival_ - kNews; }
  // The batch has this sample.
  void Add(const Labels& labels, Timestamp time) {
    if (NeedsLabels(time)) Look(labels);
  }
  // What was added since the last call is visible.
  void Tell();

 private:
  void Look(const Labels& labels);

  std::shared_ptr<const storage::CommitWatches> watches_;  // null: nobody listens
  Timestamp arrival_{};
  std::vector<std::uint32_t> concerned_;  // rising
  std::vector<std::uint32_t> found_;      // by one look
};

}  // namespace skep::intake
