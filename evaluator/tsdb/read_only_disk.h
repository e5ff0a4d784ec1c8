// The files of a store that another program may be writing.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// Takes no lock and changes nothing: whatever would is refused (kInvalid). Files that were listed
// may be gone when they are mapped (kNotFound). Thread-safe.
class ReadOnlyDisk final : public Disk {
 public:
  explicit ReadOnlyDisk(std::string root) : root_(std::move(root)) {}

  Result<MappedFilePtr> Map(const std::string& path) override;
  Result<std::vector<DiskEntry>> List(const std::string& folder) const override;

  Result<std::unique_ptr<AppendFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<AppendFile>> Reopen(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveFolder(const std::string& path) override;
  Status MakeFolder(const std::string& path) override;
  Status SyncFolder(const std::string& path) override;
  Result<std::uint64_t> FreeBytes() const override;  // 0

 private:
  std::string Whole(const std::string& path) const;

  const std::string root_;
};

}  // namespace skep::tsdb
