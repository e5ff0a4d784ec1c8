// The writable part of the store: series and their samples in memory, compressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "common/base/time.h"
#include "common/model/matcher.h"
#include "evaluator/storage/appender.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/status.h"
#include "evaluator/tsdb/wal_writer.h"

namespace skep::tsdb {

struct HeadOptions {
  // More series at a time are refused (kLimitExceeded). 0: no limit.
  std::size_t max_series = 0;
};

// When a committed batch is on the disk. With the kernel, whose memory outlives the process, it is
// before it is visible.
enum class HeadLogSync : std::uint8_t {
  kLater,       // at the next WalWriter::Sync of whoever owns the log
  kEachCommit,  // before it is visible
};

struct HeadState;
struct FlushedSamples;

// What a querier of the head reads beside it.
struct ReaderBlocks {
  std::shared_ptr<const void> list;         // lives as long as the querier and its answers
  std::uint64_t shown = ~std::uint64_t{0};  // its number; without one the querier never expires
};

// Thread-safe: any number of appenders and queriers at once; commits follow each other, everything
// else goes in parallel. Appenders, queriers and series sets may live on after the Head is gone.
//
// A sample not newer than the newest one of its series is refused, unless the window for samples
// out of order takes it. A querier reads the state of the last commit before it was made, however
// long it lives, but for what is forgotten or deleted meanwhile.
class Head final : public storage::Appendable, public storage::Queryable {
 public:
  explicit Head(HeadOptions options);
  ~Head() override;
  Head(const Head&) = delete;
  Head& operator=(const Head&) = delete;

  std::unique_ptr<storage::Appender> NewAppender() override;
  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override {
    return NewQuerier(range, ReaderBlocks());
  }
  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range,
                                                       ReaderBlocks blocks);

  // Retention: forgets chunks whose samples are all older than `time`, then series without samples.
  // From now on samples before `time` are refused as too old. Called now and then by one thread;
  // appends and queries go on meanwhile.
  void DropBefore(Timestamp time);

  // Samples older than the newest of their series are taken where they are at most so much older
  // than the newest one of all. 0, as at first: none. Thread-safe.
  void SetOutOfOrderWindow(Duration window);

  // Hides the samples in the range of the series that all matchers accept, also after a restart.
  // What is appended after it is not meant. On error some of them may be gone.
  skep::Status Delete(std::span<const Matcher> matchers, storage::TimeRange range);

  // Forgets what HeadFlush has written to blocks (head_flush.h), and then series without samples.
  // The blocks must be where queriers look, and all queriers that do not know them gone or expired.
  void DropFlushed(const FlushedSamples& flushed);
  // Queriers whose blocks were shown before `shown` fail from now on (kTimeout), and so do their
  // answers: for those that read for so long that memory cannot wait for them.
  void ExpireReaders(std::uint64_t shown);
  // Samples before `time` are in blocks, or will be; those that come nonetheless are counted.
  void NoteFlush(Timestamp time);

  // From now on batches are written to the log before they are visible; one that cannot be written
  // fails. `log` must outlive every appender. Called once, before the first appender.
  void AttachLog(WalWriter& log, HeadLogSync sync);

  // Writes all series and samples to a checkpoint of the attached log, then removes what it covers.
  // Appends and queries go on meanwhile. Gives its size in bytes. Called by one thread at a time.
  Result<std::uint64_t> WriteCheckpoint(Disk& disk, std::string_view wal_folder);

  std::size_t series_count() const;
  HeadCounters counters() const;
  // Walks all series: some 10 ms for 100,000.
  HeadMemory MeasureMemory() const;
  // Walks the whole index; `limit` entries in each list.
  HeadStatus Status(std::size_t limit) const;

 private:
  friend class HeadRestore;
  friend class HeadFlush;

  std::shared_ptr<HeadState> state_;
};

}  // namespace skep::tsdb
