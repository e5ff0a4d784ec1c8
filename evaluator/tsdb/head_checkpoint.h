// The Head as records of a checkpoint. Internal to this folder.
#pragma once

#include "common/base/result.h"
#include "evaluator/tsdb/checkpoint.h"
#include "evaluator/tsdb/head_state.h"

namespace skep::tsdb {

// Writes every series with its samples, each as it is when its turn comes: at least what was
// committed before the call.
Status WriteHead(HeadState& state, CheckpointWriter& writer);

}  // namespace skep::tsdb
