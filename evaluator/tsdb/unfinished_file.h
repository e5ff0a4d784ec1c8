// The file of a block while it is written: buffered, under another name until it is whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// Thread-compatible. After an error all later calls give it.
class UnfinishedFile {
 public:
  // Takes away what an earlier attempt left. `disk` must outlive the file.
  static Result<UnfinishedFile> Create(Disk& disk, std::string path);
  // Removes the file unless it was finished.
  ~UnfinishedFile();
  UnfinishedFile(UnfinishedFile&& other) noexcept = default;
  UnfinishedFile& operator=(UnfinishedFile&&) = delete;

  Status Append(std::string_view bytes);
  std::uint64_t size() const { return size_; }  // with what is in the buffer
  // Removes it.
  Status Discard();
  // Makes all of it durable under its name.
  Status Finish();

 private:
  UnfinishedFile(Disk& disk, std::string path) : disk_(&disk), path_(std::move(path)) {}
  Status Flush();
  Status WriteAll();
  std::string unfinished() const { return path_ + ".tmp"; }

  Disk* disk_;
  std::string path_;
  std::unique_ptr<AppendFile> file_;  // null: finished, or moved from
  ByteWriter buffer_;
  std::uint64_t size_ = 0;
  Status failed_;
};

}  // namespace skep::tsdb
