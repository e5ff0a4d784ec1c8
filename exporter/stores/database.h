// Databases of other programs, read and never written. The only user of SQLite, with
// unlinked_copy.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/time.h"
#include "exporter/stores/reading.h"

namespace skep::stores {

struct DatabaseOptions {
  Duration busy_timeout{100};        // waiting for a writer's lock
  Duration query_timeout{2'000};     // of all queries together, from Open on
  std::uint64_t max_rows = 200'000;  // of all queries together
  std::uint64_t max_copy_bytes = 256UL << 20;
  std::string temporary_folder = {};  // for copies; "": that of the system
};

// One row of an answer. Columns count from 0. Views live until the next row.
class DatabaseRow {
 public:
  virtual ~DatabaseRow() = default;
  // "" for NULL and blobs.
  virtual std::string_view Text(int column) const = 0;
  // A finite number, or text that is one; nothing for NULL and everything else.
  virtual std::optional<double> Number(int column) const = 0;
};

// One moment of a database: all queries see the same state. Thread-compatible.
//
// It is opened in place where that leaves no trace: read-only, without making the -shm file that
// SQLite wants beside a write-ahead log, without checkpointing, and never as immutable, which would
// not see the log. Where that does not work (the log's -shm is not there or not ours to lock), the
// database and its log are copied into a private folder and the copy is opened; a copy counts only
// if nobody wrote meanwhile.
class Database {
 public:
  // `clock` must outlive the database. kMissing, kEmpty, kPermission, kLocked, kEncrypted,
  // kCorrupt, kTooLarge, kTimeout, kSchema (a database of another kind) or kIo.
  static Reading<Database> Open(const std::string& path, const DatabaseOptions& options,
                                const Clock& clock);

  Database(Database&&) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  // Names of the table's columns; none where there is no such table. Views are no tables.
  std::set<std::string, std::less<>> Columns(std::string_view table);

  // Runs one SELECT and gives each row to `take`. Nothing on success; on a failure `take` may have
  // seen some rows, which are not to be used.
  std::optional<ReadFailure> Query(const std::string& sql,
                                   const std::function<void(const DatabaseRow& row)>& take);

  // To be asked last. Nothing: what the queries told holds. kLocked: somebody wrote who does not
  // keep to SQLite's locks (sql.js writes the whole file anew), so it may be of two moments.
  std::optional<ReadFailure> CheckUnchanged() const;

  // Whether it is a copy: for tests and debugging.
  bool is_copy() const;

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::stores
