// The read side of the Head. Internal to this folder.
#pragma once

#include <memory>

#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/head_state.h"
#include "evaluator/tsdb/kept_series.h"

namespace skep::tsdb {

// The answers of its Select and SelectAgain. Their ReadSummarized appends to what is in `out`.
class HeadSet : public storage::SeriesSet {
 public:
  // What it walks: the same for another answer only if that has the same series in the same order.
  virtual std::shared_ptr<const void> list() const = 0;
  // A new walk over the same series at the same state.
  virtual std::unique_ptr<HeadSet> Again() const = 0;
  // Where the head counts what is kept of selectors.
  virtual KeptBytes kept_bytes() const = 0;
};

// `held` lives as long as the querier and its answers.
std::unique_ptr<storage::Querier> NewHeadQuerier(std::shared_ptr<HeadState> state,
                                                 storage::TimeRange range, ReaderBlocks blocks);

}  // namespace skep::tsdb
