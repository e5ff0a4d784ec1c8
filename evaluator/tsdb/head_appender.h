// The write side of the Head: one batch. Internal to this folder.
#pragma once

#include <memory>

#include "evaluator/storage/appender.h"
#include "evaluator/tsdb/head_state.h"

namespace skep::tsdb {

std::unique_ptr<storage::Appender> NewHeadAppender(std::shared_ptr<HeadState> state);

}  // namespace skep::tsdb
