// The files of the store behind an interface, so that tests can have a disk that loses power, is
// full, or lies. Paths are relative to the disk's root ("wal/00000001"); "" is the root itself.
//
// Errors name the whole path. Their kinds: kNotFound, kUnavailable (the disk is full, or the quota:
// see IsDiskFull), kIo (everything else).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep::tsdb {

// Whether an error of a disk says that there is no room: then trying again later may help.
inline bool IsDiskFull(const Error& error) { return error.kind() == ErrorKind::kUnavailable; }

// The bytes of a file, which does not change meanwhile. Immutable; gone with the last owner.
class MappedFile {
 public:
  // From the first byte that the disk could not give when it was read to behind the last one;
  // between them others may be good. Those bytes are zeros. Nothing is lost where `end` is 0.
  struct Lost {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  virtual ~MappedFile() = default;
  std::string_view bytes() const { return bytes_; }
  // As far as was read until now. Thread-safe.
  virtual Lost lost() const { return {}; }

 protected:
  std::string_view bytes_;
};
using MappedFilePtr = std::shared_ptr<const MappedFile>;

// A file that grows at its end. One thread writes (Append, Truncate); Sync may run beside it.
class AppendFile {
 public:
  virtual ~AppendFile() = default;

  // Adds the parts, one after another, at the end. With the kernel when it returns: the end of the
  // process loses none of it, a power cut all since the last Sync. On error some of the bytes may
  // be there: size() includes them, and Truncate takes them away.
  virtual Status Append(std::span<const std::string_view> parts) = 0;
  Status Append(std::string_view bytes) { return Append(std::span(&bytes, 1)); }

  // Cuts the file to `size_bytes`. Requires: not more than size().
  virtual Status Truncate(std::uint64_t size_bytes) = 0;

  // What was appended before the call is on the disk when it returns; whether the file is found by
  // its name is the matter of Disk::SyncFolder. After an error what was not synced may be lost
  // though a later Sync succeeds (so do kernels).
  virtual Status Sync() = 0;

  virtual std::uint64_t size() const = 0;  // for the writing thread
};

struct DiskEntry {
  enum class Kind : std::uint8_t { kFile, kFolder };
  std::string name;  // without the folder
  Kind kind = Kind::kFile;
  std::uint64_t size_bytes = 0;  // of a file
};

// Thread-safe, but for one thread per file that is written. Files and mappings may not outlive it.
class Disk {
 public:
  virtual ~Disk() = default;

  // A new, empty file. An error where there is one already.
  virtual Result<std::unique_ptr<AppendFile>> Create(const std::string& path) = 0;
  // A file that is there; writing goes on at its end.
  virtual Result<std::unique_ptr<AppendFile>> Reopen(const std::string& path) = 0;
  virtual Result<MappedFilePtr> Map(const std::string& path) = 0;

  // Of a file or folder; a file at `to` is replaced. Durable after SyncFolder of the folder of
  // `to` (and of `from`'s where that is another).
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  // A second name for a file that changes no more, or a synced copy where the file systems have no
  // links to each other. An error where there is one of that name.
  virtual Status Link(const std::string& from, const std::string& to) = 0;
  // A file.
  virtual Status Remove(const std::string& path) = 0;
  // A folder with all that is in it. On error a part of it may be gone.
  virtual Status RemoveFolder(const std::string& path) = 0;
  // With the folders above it. One that is there is no error.
  virtual Status MakeFolder(const std::string& path) = 0;
  // What was created, renamed and removed in the folder before the call is on the disk.
  virtual Status SyncFolder(const std::string& path) = 0;
  // Sorted by name.
  virtual Result<std::vector<DiskEntry>> List(const std::string& folder) const = 0;

  // Room for us.
  virtual Result<std::uint64_t> FreeBytes() const = 0;
};

}  // namespace skep::tsdb
