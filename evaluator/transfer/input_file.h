// The bytes of a file that is to be imported, whatever kind of file that is.
#pragma once

#include <string>

#include "common/base/result.h"
#include "evaluator/tsdb/disk.h"

namespace skep::transfer {

// A regular file is mapped. Anything else (a pipe, a device; "-" is standard input) is read to its
// end into a file in the folder `spool` of `disk`, which is gone from there when this returns, and
// whose room is free when the mapping goes. Errors name the path: kNotFound, kUnavailable (the disk
// is full), kIo.
Result<tsdb::MappedFilePtr> OpenInput(const std::string& path, tsdb::Disk& disk,
                                      const std::string& spool);

}  // namespace skep::transfer
