// The read side of the Head. Internal to this folder.
#pragma once

#include <memory>

#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/head_state.h"

namespace skep::tsdb {

std::unique_ptr<storage::Querier> NewHeadQuerier(std::shared_ptr<HeadState> state,
                                                 storage::TimeRange range);

}  // namespace skep::tsdb
