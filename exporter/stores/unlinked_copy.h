// A copy of a database that leaves nothing behind: its files have no names, so that whatever ends
// the process takes them along.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "exporter/stores/reading.h"

namespace skep::stores {

// Three files beside each other: where they are read from, or how a copy calls its own.
struct DatabaseFiles {
  std::string main;
  std::string log() const { return main + "-wal"; }
  std::string index() const { return main + "-shm"; }
  std::string journal() const { return main + "-journal"; }
};

// Files that SQLite opens by way of a VFS of our own, since it knows files by their names only. The
// copy is ours to change: the log is read into it, or the journal rolled back. Thread-compatible.
class UnlinkedCopy {
 public:
  // Makes the empty files on the file system of `folder`; "": that of temporary files. kIo, or
  // kPermission.
  static Reading<std::unique_ptr<UnlinkedCopy>> Make(const std::string& folder);
  ~UnlinkedCopy();

  // What is there of `from`, in place of what was copied before. Nothing: done. kTooLarge: over
  // `max_bytes` in all; what failed left a part of it.
  std::optional<ReadFailure> Take(const DatabaseFiles& from, std::uint64_t max_bytes);

  // What sqlite3_open_v2 needs as name and as VFS. Its connections need `locking_mode=EXCLUSIVE`
  // before they read, since a log without names has no shared index; they end before this.
  const std::string& name() const;
  const std::string& vfs() const;

 private:
  struct Impl;
  explicit UnlinkedCopy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::stores
