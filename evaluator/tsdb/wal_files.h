// The files of the write-ahead log in its folder: 00000001, 00000002, …, checkpoint.00000002.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

inline constexpr std::string_view kWalFolder = "wal";

std::string SegmentPath(std::string_view folder, std::uint64_t number);
std::string CheckpointPath(std::string_view folder, std::uint64_t number);
// What a checkpoint is called while it is written.
std::string UnfinishedPath(std::string_view folder, std::uint64_t number);

// What is in the folder, by number, rising. Other files are not ours and left alone.
struct WalFiles {
  std::vector<std::uint64_t> segments;
  std::vector<std::uint64_t> checkpoints;
  std::vector<std::uint64_t> unfinished;  // checkpoints that were not written to their end

  // The highest number of all; 0: none.
  std::uint64_t highest() const;
};

// A folder that is not there has no files.
Result<WalFiles> ListWal(const Disk& disk, std::string_view folder);

// Removes what checkpoint `number` makes superfluous: segments up to that number, older checkpoints
// and unfinished ones. 0: unfinished ones only. On error the rest is left; nobody reads it, and the
// next call tries again. Requires: the checkpoint is durable, and none is being written.
Status RemoveCovered(Disk& disk, std::string_view folder, std::uint64_t number);

}  // namespace skep::tsdb
