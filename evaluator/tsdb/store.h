// The store: the newest samples in memory and in a log, the others in blocks on disk.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "evaluator/storage/appender.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_folder.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/head.h"
#include "evaluator/tsdb/upkeep.h"
#include "evaluator/tsdb/wal_replay.h"
#include "evaluator/tsdb/wal_writer.h"

namespace skep::tsdb {

struct StoreOptions {
  HeadOptions head;
  WalOptions wal;
  HeadLogSync wal_sync = HeadLogSync::kLater;
  Duration retention = std::chrono::hours(15 * 24);  // 0: for ever
  UpkeepOptions upkeep;                              // its retention is not looked at
  // A checkpoint is due once the log has grown by so much since the last one, or by half of that
  // one's size where that is more: so a start reads at most half again what it keeps.
  std::uint64_t checkpoint_bytes = 16UL << 20;
};

// What the start found, and how the disk does.
struct StoreStatus {
  WalReplay replay;  // of the start
  std::uint64_t replayed_samples = 0;
  Duration replay_time{};
  WalCounters wal;
  std::uint64_t wal_unsynced_bytes = 0;
  std::uint64_t checkpoints = 0;  // written since the start
  std::uint64_t failed_checkpoints = 0;
  std::uint64_t checkpoint_bytes = 0;  // of the newest one
  HeadMemory memory;                   // at the last look, which comes once a minute
  UpkeepCounters upkeep;
  std::uint64_t blocks = 0;
  std::uint64_t block_bytes = 0;     // on disk
  std::uint64_t block_samples = 0;   // also deleted ones that are not cleaned yet
  std::uint64_t damaged_blocks = 0;  // left out at the start, or found damaged since
  std::optional<Timestamp> oldest;   // sample in a block
  // Why the last batch, sync, checkpoint or block could not be written; "" while all goes well.
  std::string problem;
};

// Thread-safe. Every batch is in the write-ahead log before it is visible; Maintain, called every
// second by one thread, brings it to the disk, forgets what is older than the retention, and writes
// checkpoints. TendBlocks, called every second by another one, brings older samples from memory
// into blocks on disk. Appenders, queriers and series sets must be gone before the store.
class Store final : public storage::Appendable, public storage::Queryable {
 public:
  // Reads checkpoint and log, tells in `log` what was damaged, and goes on. Errors: a file of
  // another version; the folder of a Prometheus; one that cannot be read. `disk` and `clock` must
  // outlive the store.
  static Result<std::unique_ptr<Store>> Open(Disk& disk, StoreOptions options, const Clock& clock,
                                             Logger log);
  // Syncs the log.
  ~Store() override;

  std::unique_ptr<storage::Appender> NewAppender() override { return head_.NewAppender(); }
  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override;

  // What is due by now. Called by one thread.
  void Maintain();
  // Flushes, merges and drops blocks, as far as it is due. Called by one thread. Whether samples
  // have left memory: much of the heap is free then, in many pieces.
  bool TendBlocks();
  // A TendBlocks that runs ends soon. For whoever ends the program.
  void StopTending() { upkeep_->Stop(); }
  // Everything committed so far is on the disk.
  Status Sync();
  // Begins the log anew behind a checkpoint, whether one is due or not. By the thread of Maintain.
  Status WriteCheckpoint();

  // Hides the samples in the range of the series that all matchers accept; what is appended later
  // is not meant. They leave the disk when their blocks are merged, or by CleanTombstones. On an
  // error some may be hidden and others not.
  Status Delete(std::span<const Matcher> matchers, storage::TimeRange range);
  Status CleanTombstones();
  // Makes a copy on which an evaluator can be started, of links where it can, and gives its name: a
  // folder in "snapshots".
  enum class Copied : std::uint8_t { kAll, kBlocksOnly };
  Result<std::string> Snapshot(Copied what);

  void SetOutOfOrderWindow(Duration window) { head_.SetOutOfOrderWindow(window); }

  const Head& head() const { return head_; }
  BlockListPtr blocks() const { return blocks_->list(); }
  StoreStatus status() const;

 private:
  enum class Part : std::uint8_t { kAppend, kSync, kCheckpoint, kBlocks };

  Store(Disk& disk, StoreOptions options, const Clock& clock, Logger log);
  Status Replay();
  Status OpenBlocks();
  void Forget();
  void MeasureMemory();
  void TellProblems() const;
  Status MeasureFiles();
  void NoteAppends();
  void Note(Part part, const Status& result);
  bool IsCheckpointDue();
  std::uint64_t LogBytes() const;

  Disk& disk_;
  const StoreOptions options_;
  const Clock& clock_;
  const Logger log_;
  Head head_;
  WalReplay replay_;
  std::uint64_t replayed_samples_ = 0;
  Duration replay_time_{};
  std::unique_ptr<WalWriter> wal_;
  std::unique_ptr<BlockFolder> blocks_;
  std::unique_ptr<Upkeep> upkeep_;
  // Of the thread of TendBlocks.
  std::optional<Clock::Steady> tend_again_;  // after a failure
  std::uint64_t forgotten_flushes_ = 0;

  // Of the thread that calls Maintain.
  std::uint64_t log_bytes_at_start_ = 0;    // behind the checkpoint; 0 after the next one
  std::uint64_t logged_at_checkpoint_ = 0;  // by wal_, when the newest checkpoint began
  std::uint64_t healed_syncs_ = 0;          // failed ones before the newest checkpoint
  std::uint64_t failed_appends_ = 0;        // at the last look
  std::uint64_t records_ = 0;               // at the last look
  bool has_forgotten_ = false;              // the head, since the newest checkpoint
  std::optional<Clock::Steady> retained_;   // when retention came last
  std::optional<Clock::Steady> retry_;      // when a failed checkpoint is tried again

  mutable std::mutex mutex_;
  std::uint64_t checkpoints_ = 0;         // guarded by mutex_
  std::uint64_t failed_checkpoints_ = 0;  // guarded by mutex_
  HeadMemory memory_;                     // guarded by mutex_
  std::uint64_t checkpoint_bytes_ = 0;    // guarded by mutex_
  std::uint64_t grown_bytes_ = 0;         // guarded by mutex_; of the log behind the checkpoint
  std::array<std::string, 4> problems_;   // guarded by mutex_; by Part, "" where all is well
};

}  // namespace skep::tsdb
