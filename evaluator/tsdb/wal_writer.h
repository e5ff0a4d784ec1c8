// The end of the write-ahead log, where committed batches are added.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/record_file.h"
#include "evaluator/tsdb/wal_files.h"

namespace skep::tsdb {

// Where a log ends: what a replay of it gives, and a writer goes on from. All 0: an empty log.
struct WalEnd {
  std::uint64_t segment = 0;  // the newest one that counts
  std::uint64_t bytes = 0;    // how much of it counts
  std::uint64_t highest = 0;  // no file has a higher number
};

struct WalOptions {
  std::string folder = std::string(kWalFolder);  // directly in the disk's root
  // A new segment begins at the first Sync that finds the present one that long, or at an Append at
  // twice of it.
  std::uint64_t segment_bytes = 64UL << 20;
};

struct WalCounters {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // written, heads of the records included
  std::uint64_t segments = 0;
  std::uint64_t failed_appends = 0;
  std::uint64_t syncs = 0;
  std::uint64_t failed_syncs = 0;
};

// Thread-safe: appends follow each other, Sync runs beside them.
//
// A new segment begins only once the one before is on the disk: so what a power cut leaves is
// always a beginning of the log, whatever order the disk wrote in.
class WalWriter {
 public:
  // Writing begins in a new segment, at the first Append. `disk` must outlive the writer.
  WalWriter(Disk& disk, WalOptions options, const WalEnd& end);

  // Adds one record, whose payload is given in parts. With the kernel when it returns: the end of
  // the process does not lose it. On error (IsDiskFull or another) nothing of it will ever be
  // replayed, the log is as before, and the next Append tries anew.
  Status Append(RecordKind kind, std::span<const std::string_view> payload);
  Status Append(RecordKind kind, std::string_view payload) {
    return Append(kind, std::span(&payload, 1));
  }

  // What was appended before the call is on the disk when it returns. After an error a power cut
  // may lose any of the records since the last Sync that succeeded, and later ones may survive them
  // (kernels drop what they could not write): a checkpoint written soon makes up for it. Appends go
  // on in a new segment.
  Status Sync();

  // Ends the present segment and syncs it. Gives its number: what a checkpoint covers that shows
  // all that was appended before the call. 0: nothing was ever written.
  Result<std::uint64_t> Cut();

  // The end as it is now; good for a new writer.
  WalEnd end() const;
  // Bytes that a power cut could lose now.
  std::uint64_t unsynced_bytes() const;
  WalCounters counters() const;
  // Why the last Append that failed did.
  std::string append_error() const;

 private:
  Status BeginSegment();
  Status EndSegment();
  Status WriteHeader(AppendFile& file) const;
  Status Write(RecordKind kind, std::span<const std::string_view> payload);
  void CutBack();

  Disk& disk_;
  const WalOptions options_;
  std::mutex sync_mutex_;  // taken before mutex_; held while the disk is waited for
  mutable std::mutex mutex_;
  WalEnd end_;                // guarded by mutex_
  std::uint64_t synced_ = 0;  // guarded by mutex_; bytes of end_.segment that are on the disk
  std::shared_ptr<AppendFile> file_;  // guarded by mutex_; of end_.segment. Null: is opened to sync
  bool open_ = false;                 // guarded by mutex_; whether end_.segment takes more records
  bool has_folder_ = false;   // guarded by mutex_; whether the folder is on the disk for sure
  WalCounters counters_;      // guarded by mutex_
  std::string append_error_;  // guarded by mutex_
};

}  // namespace skep::tsdb
