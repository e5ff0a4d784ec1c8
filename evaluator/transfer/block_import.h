// Blocks of a real Prometheus.
#pragma once

#include <string>

#include "common/base/result.h"
#include "evaluator/transfer/import.h"

namespace skep::transfer {

// Reads the block in a folder. A series or chunk that is damaged is damage of its own, and so is a
// list in the index that the import does not need; a block whose index, meta.json or tombstones
// cannot be read is damage as a whole.
Status ImportBlock(const std::string& folder, ImportRun& run);

}  // namespace skep::transfer
