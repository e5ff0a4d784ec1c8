// A checkpoint stands for the beginning of the log: its records bring about what all segments up to
// its number did, so that those can go.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/record_file.h"

namespace skep::tsdb {

// Writes one beside the log, under a name that no reader looks at; it counts once Finish has
// succeeded. Holds a megabyte, not the checkpoint. Destroying one that is not finished leaves its
// unfinished file to RemoveCovered. Thread-compatible; the log goes on meanwhile.
class CheckpointWriter {
 public:
  // Of the segments up to `number`, which WalWriter::Cut gave; not 0. `disk` must outlive the
  // writer.
  static Result<CheckpointWriter> Begin(Disk& disk, std::string_view folder, std::uint64_t number);
  // Takes away what was written unless it was finished: a full disk needs the room.
  ~CheckpointWriter();
  CheckpointWriter(CheckpointWriter&&) noexcept = default;
  CheckpointWriter& operator=(CheckpointWriter&&) = delete;

  // After an error the checkpoint is lost: Finish gives the error too.
  Status Append(RecordKind kind, std::span<const std::string_view> payload);
  Status Append(RecordKind kind, std::string_view payload) {
    return Append(kind, std::span(&payload, 1));
  }

  // Makes it durable. After that RemoveCovered may take away what it covers. Called once.
  Status Finish();

  std::uint64_t size_bytes() const { return size_; }

 private:
  CheckpointWriter(Disk& disk, std::string folder, std::uint64_t number)
      : disk_(&disk), folder_(std::move(folder)), number_(number) {}
  Status Flush();
  Status WriteEnd();
  void Discard();

  Disk* disk_;
  std::string folder_;
  std::uint64_t number_;
  std::unique_ptr<AppendFile> file_;
  ByteWriter buffer_;
  std::uint64_t size_ = 0;  // with what is in the buffer
  Status failed_;
};

}  // namespace skep::tsdb
