// Whether a folder that is to be a store is the data folder of a Prometheus: there both programs
// have a folder "wal", and each would spoil, or not see, what the other has.
#pragma once

#include "common/base/result.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// kInvalid: this is the data folder of a Prometheus, or a snapshot of one; the message names the
// entry that shows it and says what to do, but not the folder. What may be a damaged store of ours
// is not foreign, nor is a folder that is empty or not there. Changes nothing and takes no lock.
Status CheckNotForeign(Disk& disk);

}  // namespace skep::tsdb
