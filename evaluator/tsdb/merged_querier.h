// Reads blocks and head as one: series of the same labels become one, samples stand in the order of
// time, and of two of the same time the later written one counts.
#pragma once

#include <memory>

#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_list.h"

namespace skep::tsdb {

// `head` is what Head::NewQuerier gives for the same range, with `blocks` to hold; it counts as
// written last. Where no block has anything in the range of a Select its answers are handed through
// as they are.
std::unique_ptr<storage::Querier> NewMergedQuerier(BlockListPtr blocks,
                                                   std::unique_ptr<storage::Querier> head,
                                                   storage::TimeRange range);

}  // namespace skep::tsdb
