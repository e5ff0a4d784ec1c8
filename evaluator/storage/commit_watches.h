// Who wants to hear of a batch as soon as it is visible. Writers ask and tell; rules are told.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/base/time.h"
#include "common/model/labels.h"

namespace skep::storage {

// A set of watches, numbered from 0. Immutable, thread-safe.
class CommitWatches {
 public:
  virtual ~CommitWatches() = default;

  // Appends the numbers of the watches that want the series named by `labels`: rising, none twice.
  virtual void Find(const Labels& labels, std::vector<std::uint32_t>& out) const = 0;

  // A batch with samples of series that `watches` want is visible now. `time` is that of the scrape
  // that brought it. Returns soon.
  virtual void Tell(std::span<const std::uint32_t> watches, Timestamp time) const = 0;
};

// Where writers ask, once for each batch. Thread-safe.
class CommitFeed {
 public:
  virtual ~CommitFeed() = default;
  // The watches in force; another set later has another address. Null: nobody wants to hear of
  // anything, which costs next to nothing to learn.
  virtual std::shared_ptr<const CommitWatches> CurrentWatches() const = 0;
};

}  // namespace skep::storage
