// What becomes of samples with time: from the head into blocks, from small blocks into large ones,
// and in the end away.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "evaluator/tsdb/block_folder.h"
#include "evaluator/tsdb/head.h"
#include "evaluator/tsdb/head_flush.h"

namespace skep::tsdb {

// Other programs put finished blocks here (`skep tsdb import`): "inbox/<any name>.block", written
// under another name and then renamed.
inline constexpr const char* kInboxFolder = "inbox";

struct UpkeepOptions {
  Duration retention{};          // blocks that end earlier are dropped; 0: none
  std::uint64_t most_bytes = 0;  // the oldest blocks are dropped beyond it; 0: none
  // Samples are written to blocks in spans of so much time, aligned to the epoch, some time after
  // the end of the span: rules mostly look at the newest minutes, which then are in memory. A chunk
  // is worth it from `dense_samples` on: where a series has so many on average in half a span, that
  // is written by itself. Where it has fewer in a whole one, kFewSpans of them are written
  // together, unless many series are new: those that end soon would keep their memory.
  Duration flush_span = std::chrono::minutes(20);
  Duration flush_delay = std::chrono::minutes(10);
  std::uint64_t dense_samples = 100;
  static constexpr int kFewSpans = 3;
  // So many samples that came too late for their span are written before the next one is over, and
  // so many once no more come.
  std::uint64_t flush_late_samples = 8'000'000;
  std::uint64_t flush_late_rest = 1'000'000;
  // A block that has been there for so long gets no company soon.
  Duration settle = std::chrono::minutes(10);
  // A query may keep what was flushed in memory for so long. After that it fails: else one that
  // never ends would keep all that comes.
  Duration reader_patience = std::chrono::minutes(10);
};

// Since the start.
struct UpkeepCounters {
  std::uint64_t flushes = 0;
  std::uint64_t flushed_blocks = 0;
  std::uint64_t flushed_samples = 0;
  std::uint64_t forgotten_flushes = 0;  // of which the head has let go
  std::uint64_t merges = 0;
  std::uint64_t merged_blocks = 0;
  std::uint64_t adopted_blocks = 0;
  std::uint64_t refused_blocks = 0;
  std::uint64_t dropped_blocks = 0;  // by retention
  std::uint64_t expiries = 0;        // memory was freed though queries read for too long
  std::uint64_t failures = 0;
};

// Thread-safe. Run is called every second or so by one thread, on which it may take its time:
// appends and queries do not wait for it.
class Upkeep {
 public:
  // All must outlive it. The folder "inbox" is made.
  Upkeep(Disk& disk, Head& head, BlockFolder& blocks, UpkeepOptions options, const Clock& clock,
         Logger log);

  // What is due by now, and at most one merge. `log_bytes`: of the write-ahead log, which counts
  // for `most_bytes`. After an error the next call tries again. A block that a merge or a query
  // finds damaged is no error: it is told in the log once, and as long as this object lives it is
  // merged no more; what can be read of it is read, and retention drops it in its time.
  Status Run(std::uint64_t log_bytes);

  // For a start: takes what waits in the inbox, so that it is there for the first query, but begins
  // no block after two seconds; the rest, and what goes wrong, is left to Run. Removes snapshots
  // that were not finished.
  void Begin();

  // Hides the samples in the range of the series that all matchers accept. kCorrupt: a block is
  // damaged where its series are found; all others are done.
  Status Delete(std::span<const Matcher> matchers, storage::TimeRange range);
  // Writes the blocks of which something is deleted anew without it. kCorrupt: one is damaged and
  // stays as it is; all others are done.
  Status CleanTombstones();
  // Links all blocks below the folder "snapshots/<name>", and adds one with what the head has, if
  // it is given. An evaluator can be started on the folder, which is there as a whole or not at
  // all.
  Status Copy(const std::string& name, storage::Queryable* head);

  // Ends a merge that runs; from now on Run does little. For whoever ends the program.
  void Stop() { is_stopping_ = true; }

  // Whether the head has forgotten what blocks have since the last call: the log can be cut.
  bool TakeForgotten() { return has_forgotten_.exchange(false); }
  UpkeepCounters counters() const;

 private:
  // Blocks that are shown, and what the head forgets once no query is left that does not see them.
  struct Unforgotten {
    FlushedSamples samples;
    std::uint64_t shown = 0;  // the first list that has the blocks
    Clock::Steady since;
  };

  void Forget();
  bool MayForget();
  Status Flush();
  // Up to when a flush would be of use now; none: it would not.
  std::optional<Timestamp> DueFlush();
  // The end of the newest piece of time that is worth a block, by what came since the last flush.
  Timestamp NewestWorthIt(const HeadCounters& counters) const;
  // Whether such a piece has dense_samples, as they came since the last flush.
  bool IsDense(Duration piece, std::uint64_t appended) const;
  bool IsLateDue(std::uint64_t late);
  Status WriteSpans(HeadFlush& flush);
  Status WriteSpan(HeadFlush& flush, storage::TimeRange range, std::vector<std::uint64_t>& numbers);
  Status RemoveUnshown();
  Status LookIntoInbox();
  Status AdoptAll(Clock::Steady until);
  Status Adopt(const std::string& name);
  Status Merge();
  Status MergeInto(std::uint64_t number, std::span<const LiveBlock> blocks);
  Status CopyInto(const std::string& folder, storage::Queryable* head);
  Status DeleteFrom(const LiveBlock& block, std::span<const Matcher> matchers,
                    storage::TimeRange range);
  void TellDamage();
  Status DropOld(std::uint64_t log_bytes);
  Timestamp FlushTime(Duration span) const;  // the end of the newest such span that is over
  void Count(std::uint64_t UpkeepCounters::*counter, std::uint64_t n = 1);

  Disk& disk_;
  Head& head_;
  BlockFolder& blocks_;
  const UpkeepOptions options_;
  const Clock& clock_;
  const Logger log_;
  std::atomic<bool> has_forgotten_ = false;
  std::atomic<bool> is_stopping_ = false;

  std::mutex mutex_;  // held while files change
  std::optional<Unforgotten> unforgotten_;
  std::optional<Timestamp> flushed_;     // up to when the last flush went
  std::uint64_t late_ = 0;               // HeadCounters::samples_behind_flush then
  std::uint64_t late_seen_ = 0;          // the same at the last Run
  std::uint64_t appended_ = 0;           // HeadCounters::samples_appended at the last flush
  std::uint64_t created_ = 0;            // HeadCounters::series_created then
  Clock::Steady flushed_at_;             // then
  std::optional<Clock::Steady> looked_;  // into the inbox
  std::set<std::string> passed_over_;    // entries of the inbox that were told
  std::vector<std::uint64_t> unshown_;   // files of flushes that failed
  std::map<std::uint64_t, Clock::Steady> added_;  // blocks of this run
  std::set<std::uint64_t> told_;                  // blocks whose damage is in the log

  mutable std::mutex counters_mutex_;
  UpkeepCounters counters_;  // guarded by counters_mutex_
};

}  // namespace skep::tsdb
