// What an import makes: blocks of one day each in a store's inbox, whence an evaluator takes them,
// whether it runs now or later.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_writer.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/posix_disk.h"

namespace skep::transfer {

// Of UTC, counted from 1970.
std::int64_t DayOf(Timestamp time);
// From its first to its last millisecond.
storage::TimeRange SpanOfDay(std::int64_t day);

struct ImportedBlocks {
  std::uint64_t blocks = 0;
  std::uint64_t series = 0;   // distinct
  std::uint64_t samples = 0;  // each time of a series once
  std::uint64_t bytes = 0;
  Timestamp min_time = kMaxTimestamp;
  Timestamp max_time = kMinTimestamp;
};

// Thread-compatible. Nobody sees the blocks before Publish; what was not published goes with the
// object, or, if the process dies, at the next import.
class DayBlocks {
 public:
  // `store` is a folder that is there. kUnavailable: another import into it is running. kInvalid:
  // it is the data folder of a Prometheus.
  static Result<std::unique_ptr<DayBlocks>> Open(const std::string& store);
  ~DayBlocks();
  DayBlocks(const DayBlocks&) = delete;
  DayBlocks& operator=(const DayBlocks&) = delete;

  // A part of a day, to be given back to Finish. Parts of a day may have the same series and times;
  // of samples with equal times that of the later part stays.
  struct Part {
    std::int64_t day = 0;
    std::string path;
    std::unique_ptr<tsdb::BlockWriter> writer;
  };
  Result<Part> NewPart(std::int64_t day);
  Status Finish(Part part);

  // Of a file to import (see input_file.h); what is no regular file takes room in the inbox.
  Result<tsdb::MappedFilePtr> OpenInput(const std::string& path);

  // Makes one block of each day's parts and hands all of them over. Called once.
  Result<ImportedBlocks> Publish();

 private:
  DayBlocks(std::string store, std::unique_ptr<tsdb::PosixDisk> disk);
  Result<std::string> BlockOfDay(std::int64_t day, const std::vector<std::string>& parts);
  Status HandOver(const std::vector<std::string>& blocks);

  const std::string store_;
  const std::unique_ptr<tsdb::PosixDisk> disk_;  // of the inbox
  std::map<std::int64_t, std::vector<std::string>> parts_;
  std::uint64_t next_part_ = 0;
};

}  // namespace skep::transfer
