// Which blocks to merge next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/time.h"
#include "evaluator/storage/querier.h"

namespace skep::tsdb {

struct PlannedBlock {
  storage::TimeRange span;  // of its samples
  std::uint64_t samples = 0;
  bool is_settled = false;  // it has been there for a while, so that no others will come soon
  bool is_damaged = false;  // it cannot be merged
};

// The spans of time whose blocks become one, the shortest first: two hours, a day, ten days. Long
// ones only where the retention, which drops whole blocks, is some times as long. 0: for ever.
std::vector<Duration> MergeSpans(Duration retention);

// `blocks` stand in the order in which they were written. Looks at spans of time aligned to the
// epoch, which end at or before `complete`, and gives the blocks (places in `blocks`, rising) of
// the first that has several and is worth it: those that the largest is joined with have a quarter
// of its samples, or are many, or all are settled. So a trickle of late samples does not write a
// day again and again. Nothing: all is merged.
//
// What is merged counts as written last, and of equal times the sample that was written last wins.
// So a block waits while a newer one that shares time with it, and is not merged with it, is there:
// a damaged one for ever, any other until both are inside of one span.
std::vector<std::size_t> PlanMerge(std::span<const PlannedBlock> blocks, Timestamp complete,
                                   std::span<const Duration> spans);

}  // namespace skep::tsdb
