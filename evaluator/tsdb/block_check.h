// Looks a block through that comes from elsewhere.
#pragma once

#include <string>

#include "common/base/result.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// Reads all of it but decodes no sample. kCorrupt with file and offset: some part is not what was
// written; kInvalid: a block of another version.
Status CheckBlock(Disk& disk, const std::string& path);

}  // namespace skep::tsdb
