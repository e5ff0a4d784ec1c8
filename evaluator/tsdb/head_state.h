// What the Head shares with whoever it handed out: series, their index, commits, and the log.
// Internal to this folder.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <vector>

#include "evaluator/tsdb/batch_entries.h"
#include "evaluator/tsdb/commit_codec.h"
#include "evaluator/tsdb/head.h"
#include "evaluator/tsdb/head_flush.h"
#include "evaluator/tsdb/kept_series.h"
#include "evaluator/tsdb/label_index.h"
#include "evaluator/tsdb/label_order.h"
#include "evaluator/tsdb/series.h"
#include "evaluator/tsdb/series_table.h"
#include "evaluator/tsdb/wal_writer.h"

namespace skep::tsdb {

// Which commits living queriers have seen. Thread-safe.
class Snapshots {
 public:
  CommitNumber Enter() {
    const std::lock_guard lock(mutex_);
    living_.insert(visible_);
    return visible_;
  }
  void Leave(CommitNumber snapshot) {
    const std::lock_guard lock(mutex_);
    living_.erase(living_.find(snapshot));
  }
  // The number of the commit that begins. Puts the snapshots of living queriers in `living`.
  // Commits follow each other.
  CommitNumber BeginCommit(std::vector<CommitNumber>& living) const {
    living.clear();
    const std::lock_guard lock(mutex_);
    std::ranges::unique_copy(living_, std::back_inserter(living));
    return visible_ + 1;
  }
  void Publish(CommitNumber commit) {
    const std::lock_guard lock(mutex_);
    visible_ = commit;
  }

 private:
  mutable std::mutex mutex_;
  CommitNumber visible_ = 0;            // guarded by mutex_
  std::multiset<CommitNumber> living_;  // guarded by mutex_
};

// Locks are taken in this order: commit_mutex, index_mutex, a stripe, that of `returned`; never two
// stripes at once.
struct HeadState {
  explicit HeadState(HeadOptions o) : options(o) {}
  ~HeadState();
  HeadState(const HeadState&) = delete;
  HeadState& operator=(const HeadState&) = delete;

  struct Counters {
    std::atomic<std::uint64_t> created{0}, removed{0}, appended{0}, out_of_order{0}, duplicate{0},
        too_old{0}, refused{0}, late{0}, behind_flush{0};
  };
  static void Count(std::atomic<std::uint64_t>& counter, std::uint64_t n = 1) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }

  // The number of the series with these labels, which is made if need be. 0: the limit.
  std::uint32_t GetOrCreate(const Labels& labels);
  void DropBefore(Timestamp time);
  void DropFlushed(const FlushedSamples& flushed);
  // Numbers of the series that all matchers accept. Requires: index_mutex is held.
  Postings Find(std::span<const Matcher> matchers) const;
  Status Delete(std::span<const Matcher> matchers, storage::TimeRange range);
  // Null where there is none. Requires: index_mutex is held; `hash` is that of `labels`.
  Series* Find(const Labels& labels, std::uint64_t hash) const {
    return by_labels.Find(labels, static_cast<std::uint32_t>(hash), index.pairs(), pages);
  }
  // Also of a series that was removed but still has users. Requires: index_mutex is held.
  Labels LabelsOf(const Series& series) const { return LabelsLess{index.pairs()}.LabelsOf(series); }
  // The same; takes index_mutex itself.
  Labels CopyLabels(const Series& series) const {
    const std::shared_lock lock(index_mutex);
    return LabelsOf(series);
  }
  // Calls `use` with each series that there is, under its stripe, in the order of numbers. Nobody
  // who wants the index waits for the walk, so series may come and go meanwhile.
  template <typename Use>
  void ForEachSeries(Use use) const {
    std::vector<std::uint32_t> numbers;
    {
      const std::shared_lock lock(index_mutex);
      numbers.assign(index.all().begin(), index.all().end());
    }
    StripeLock stripe(stripes);
    for (const std::uint32_t number : numbers) {
      stripe.Take(number);
      if (Series* const series = pages.Get(number)) use(*series);
    }
  }
  // Puts a new series into index, table and pages. Requires: index_mutex is held alone.
  Series& Add(const Labels& labels, std::uint64_t hash, std::uint32_t number);

  const HeadOptions options;
  Counters counters;
  Snapshots snapshots;
  std::atomic<std::int64_t> oldest_millis{ToMillis(kMinTimestamp)};   // what retention left
  std::atomic<std::int64_t> newest_millis{ToMillis(kMinTimestamp)};   // of what was committed
  std::atomic<std::int64_t> flushed_millis{ToMillis(kMinTimestamp)};  // what is older is late
  std::atomic<std::int64_t> window_millis{0};                         // for samples out of order
  // Readers whose blocks were shown before this list (ReaderBlocks) may lack samples. It is raised
  // before these are forgotten under the locks, so who finds them missing finds it raised.
  std::atomic<std::uint64_t> expired_blocks{0};

  std::mutex commit_mutex;
  WalWriter* log = nullptr;                    // guarded by commit_mutex; null: nothing is logged
  HeadLogSync log_sync = HeadLogSync::kLater;  // guarded by commit_mutex
  CommitEncoder encoder;                       // guarded by commit_mutex
  std::vector<CommitNumber> living;            // guarded by commit_mutex; snapshots, of a commit
  // Commits that changed something and are over; written under commit_mutex.
  std::atomic<std::uint64_t> finished_commits{0};
  mutable std::shared_mutex index_mutex;
  LabelIndex index;               // guarded by index_mutex
  LabelsTable by_labels;          // guarded by index_mutex
  SeriesPages pages;              // see there
  std::uint32_t next_number = 1;  // guarded by index_mutex
  LabelOrder order;
  const KeptBytes kept_bytes = std::make_shared<std::atomic<std::uint64_t>>(0);
  mutable Stripes stripes;
  ReturnedSeries returned;
  SpareEntries spare_entries;

 private:
  std::optional<Timestamp> EndOfDeletion(const Series& series, storage::TimeRange range) const;
  std::vector<std::uint32_t> ForgetSamples(Timestamp time);
  void RemoveAndLog(const std::vector<std::uint32_t>& empty);
  Postings RemoveEmpty(const std::vector<std::uint32_t>& numbers, SeriesPages::Taken& useless);
  void LogForgotten(const Postings& numbers);
};

// Keeps a commit's state readable as long as it lives.
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<HeadState> s, ReaderBlocks b = {})
      : state(std::move(s)), blocks(std::move(b)), number(state->snapshots.Enter()) {}
  ~Snapshot() { state->snapshots.Leave(number); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // kTimeout after Head::ExpireReaders: what was read may lack samples. Called behind the read,
  // before the lock that it took is released or later.
  Status CheckCurrent() const;

  const std::shared_ptr<HeadState> state;
  const ReaderBlocks blocks;
  const CommitNumber number;
};

}  // namespace skep::tsdb
