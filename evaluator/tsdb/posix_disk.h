// The disk of the machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// The bytes of a file by its whole path, without a disk and its lock: for files that do not change
// any more, as blocks are, or that are others'. Errors as a disk's.
Result<MappedFilePtr> MapFile(const std::string& path);

// What is in a folder, by its whole path, as Disk::List tells it.
Result<std::vector<DiskEntry>> ListFolder(const std::string& path);

// Holds the file "lock" in its root, exclusively, as long as it lives: two processes that write
// the same store would destroy it. The lock goes with the process, however that ends.
class PosixDisk final : public Disk {
 public:
  // Makes the root folder if need be. kUnavailable: another process, which the message names, has
  // it.
  static Result<std::unique_ptr<PosixDisk>> Open(std::string root);
  ~PosixDisk() override;
  PosixDisk(const PosixDisk&) = delete;
  PosixDisk& operator=(const PosixDisk&) = delete;

  Result<std::unique_ptr<AppendFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<AppendFile>> Reopen(const std::string& path) override;
  Result<MappedFilePtr> Map(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveFolder(const std::string& path) override;
  Status MakeFolder(const std::string& path) override;
  Status SyncFolder(const std::string& path) override;
  Result<std::vector<DiskEntry>> List(const std::string& folder) const override;
  Result<std::uint64_t> FreeBytes() const override;

 private:
  PosixDisk(std::string root, int lock) : root_(std::move(root)), lock_(lock) {}
  std::string Whole(const std::string& path) const;
  Result<std::unique_ptr<AppendFile>> OpenToAppend(const std::string& path, int flags);
  Status CopyFile(const std::string& from, const std::string& to);

  const std::string root_;
  const int lock_;  // a file descriptor
};

}  // namespace skep::tsdb
