// The start of the store: the newest checkpoint, then what the log has after it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/record_file.h"
#include "evaluator/tsdb/wal_files.h"
#include "evaluator/tsdb/wal_writer.h"

namespace skep::tsdb {

// What is not as it was written. None of it keeps the store from starting.
struct WalProblem {
  enum class Kind : std::uint8_t {
    kTornTail,  // of the newest segment: the process or the power went while it was written
    kDamage,    // bytes that were whole once; the rest of that file is lost
    kMissing,   // a segment that should be there
    kRefused,   // a record that the visitor refused
  };
  Kind kind{};
  std::string path;  // "wal/00000012"
  std::uint64_t offset = 0;
  std::uint64_t lost_bytes = 0;
  std::string what;

  // "wal/00000012 at byte 17: a record whose checksum is wrong: 300 bytes are lost".
  std::string ToString() const;
};

struct WalReplay {
  WalEnd end;                    // for the WalWriter
  std::uint64_t checkpoint = 0;  // that was read to its end; 0: none
  std::uint64_t segments = 0;    // read
  std::uint64_t records = 0;     // delivered
  std::uint64_t bytes = 0;       // of them
  std::uint64_t problem_count = 0;
  std::vector<WalProblem> problems;  // the first hundred
};

// Called in the order in which the records were written. `record` lives as long as the call. An
// error refuses that record alone: it is told, and the reading goes on.
using RecordVisitor = std::function<Status(const Record& record)>;

// Reads checkpoint and log and changes nothing. A record whose checksum is wrong is never
// delivered. What is in the newest segment behind a record that is not whole was not synced, and
// is not delivered; damage elsewhere costs the rest of its segment (so series may be unknown that
// later records name). Where no checkpoint is whole, the newest one is delivered up to its damage,
// then all segments.
//
// Errors: kInvalid: a file is of another version of the format, and nothing may be written. Others:
// the folder cannot be listed, or a file of it not opened (no right to read it, too many open
// files): nothing is lost yet, but would be if writing began. Nothing was delivered in either case.
Result<WalReplay> ReplayWal(Disk& disk, std::string_view folder, const RecordVisitor& visitor);

}  // namespace skep::tsdb
