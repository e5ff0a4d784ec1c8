// One series of the head: its labels, its samples, and which commit brought which of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/sample.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/label_pairs.h"
#include "evaluator/tsdb/sealed_list.h"
#include "evaluator/tsdb/status.h"
#include "evaluator/tsdb/xor_chunk.h"

namespace skep::tsdb {

// Commits are numbered from 1.
using CommitNumber = std::uint64_t;
// The snapshots that living queriers have: rising, each once. Whoever comes later sees at least the
// commit before the one that begins.
using LivingSnapshots = std::span<const CommitNumber>;

// Pairs and number never change. Everything else is guarded by the stripe of the head that the
// series' number belongs to, but for what says otherwise.
class Series {
 public:
  // The most samples of an open run. It is read slowly and from its beginning, so it is short: 60
  // samples cost some 0.3 µs.
  static constexpr std::uint32_t kRunSamples = 60;

  // With one user. `hash` are the lowest bits of Labels::Hash.
  static Series* New(std::span<const PairId> pairs, std::uint32_t hash, std::uint32_t number);
  Series(const Series&) = delete;
  Series& operator=(const Series&) = delete;

  // Its labels, in the order of names; they mean something as long as the head has the series.
  std::span<const PairId> pairs() const {
    return {reinterpret_cast<const PairId*>(this + 1), pair_count_};
  }
  std::uint32_t hash() const { return hash_; }
  std::uint32_t number() const { return number_; }

  // The table is the first user; series sets are the others. The last one deletes.
  void AddUser() { users_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveUser() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) Destroy();
  }
  // Somebody besides the table uses it, and more users do not come while the index lock is held.
  bool has_other_users() const { return users_.load(std::memory_order_acquire) > 1; }

  // The head forgets the series, whose pairs go with it: the others that use it still find its
  // labels. Requires: the index lock is held alone, and the stripe.
  void Depart(Labels labels);
  // Null while the head has it. Guarded by the index lock.
  const Labels* departed_labels() const { return departed_ ? &rare_->labels : nullptr; }

  // The newest sample, where there ever was one that is not forgotten; without its start.
  std::optional<FullSample> last() const;
  // Its time alone.
  std::optional<Timestamp> last_time() const {
    if (has_histograms()) return LastTimeOfBoth();
    return has_floats() ? std::optional(open_.last_time()) : std::nullopt;
  }

  // An Append will come soon.
  void Prefetch() const { open_.Prefetch(); }

  // Adds a sample as part of `commit`. Requires: it is newer than last(). From now on only readers
  // at `living` snapshots, or newer than `commit` - 1, are answered right: of the commits between
  // two snapshots the series keeps one.
  void Append(Sample sample, CommitNumber commit, LivingSnapshots living);
  // The same for a histogram, or a float that knows its start.
  void AppendFull(const FullSample& sample, CommitNumber commit, LivingSnapshots living);

  // Adds a sample that is older than last(), or as old. False where there is such a late one of the
  // same time already. Where a time has both kinds of sample, readers see the late one.
  bool AppendLate(const FullSample& sample, CommitNumber commit);

  // Samples of commits up to `snapshot` in the range. kCorrupt: the bytes that Restore read were
  // not what Save wrote.
  Status Read(CommitNumber snapshot, storage::TimeRange range, storage::SampleColumns& out) const;

  // The same, but a sealed run may come as its summary (storage::SeriesSet::ReadSummarized).
  // Appends: `out` may have earlier samples. The first call makes summaries, which are kept.
  Status ReadSummarized(CommitNumber snapshot, storage::TimeRange range,
                        std::span<const Timestamp> cuts, storage::SummarizedSamples& out);

  // Whether some sample, of whatever commit, may lie in the range.
  bool Overlaps(storage::TimeRange range) const;

  // All samples as bytes, for a checkpoint. Restore reads them into a series that has none; on
  // bytes that Save cannot have written it gives false, and the series has none. They are of every
  // commit, and seen by all readers.
  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& reader);

  // Forgets chunks that end before `time`.
  void DropBefore(Timestamp time);
  // Forgets all samples up to `time`, that one included, but for late ones.
  void DropThrough(Timestamp time);
  // Forgets late samples before `time` of commits up to `newest`.
  void DropLate(Timestamp time, CommitNumber newest);
  // Hides what it has in `span`, whoever reads. What comes later is not meant.
  void Delete(storage::TimeRange span);

  bool empty() const { return !has_floats() && !has_histograms() && !has_late(); }
  std::size_t chunks() const {
    return sealed_.size() + (open_.empty() ? 0 : 1) + (has_histograms() ? 1 : 0);
  }
  std::uint64_t samples() const {
    return appended_ - forgotten_ + (rare_ == nullptr ? 0 : rare_->histograms.size());
  }
  std::size_t chunk_bytes() const;
  // Adds what it takes of the heap.
  void AddMemory(HeadMemory& memory) const;
  // Of all that may be read. Requires: not empty.
  Timestamp min_time() const;
  Timestamp max_time() const;

  // Samples that appenders hold and have not committed: such a series is not removed.
  std::uint32_t uncommitted = 0;
  // The log knows its labels. Guarded by the commits' lock.
  bool is_logged = false;
  // Some KeptSeries does without it, for its age, and must be told when a sample comes.
  bool left_out = false;
  // Where in its batch the appender that touched the series last has it.
  std::uint32_t hint_index = 0;

 private:
  // Before `commit` the series had `count` samples in all.
  struct Version {
    CommitNumber commit = 0;
    std::uint32_t count = 0;
  };

  // What most series never have: plain lists, and labels of their own.
  struct Rare {
    struct Entry {
      Timestamp time;
      Timestamp start;
      HistogramPtr histogram;
      CommitNumber commit = 0;
      double value = 0;  // of late floats
    };
    std::deque<Entry> histograms;
    std::deque<Entry> starts;  // of floats
    std::vector<Entry> late;   // floats and histograms that came out of order; their times rise
    std::vector<storage::TimeRange> deleted;  // of what came in order
    Labels labels;                            // once the head has forgotten the series
  };

  Series(std::uint32_t pair_count, std::uint32_t hash, std::uint32_t number)
      : pair_count_(pair_count), number_(number), hash_(hash) {}
  ~Series() = default;
  void Destroy();
  Timestamp LastTimeOfBoth() const;
  bool has_floats() const { return !open_.empty() || !sealed_.empty(); }
  bool has_histograms() const { return rare_ != nullptr && !rare_->histograms.empty(); }
  bool has_late() const { return rare_ != nullptr && !rare_->late.empty(); }
  Rare& rare();
  // Requires: the open run is not empty.
  void Seal();
  bool IsFull(Timestamp next) const;
  // Makes one chunk of the newest sealed runs where the open one has no place beside them.
  void JoinRuns();
  // All but late ones, and also what is deleted.
  Status ReadInOrder(CommitNumber snapshot, storage::TimeRange range,
                     storage::SampleColumns& out) const;
  storage::SampleColumns Late(CommitNumber snapshot, storage::TimeRange range) const;
  Status ReadFloats(CommitNumber snapshot, storage::TimeRange range,
                    storage::SampleColumns& out) const;
  // The first sealed chunk that ends at or behind a time, and how many samples lie before it.
  struct Place {
    std::size_t chunk = 0;
    std::uint32_t row = 0;
  };
  Place PlaceOf(Timestamp time) const;
  bool HasOnlyFloats() const;
  bool RestoreFloats(ByteReader& reader);
  void SaveRare(ByteWriter& out) const;
  bool RestoreRare(ByteReader& reader);
  static Rare::Entry RestoreTimes(ByteReader& reader);
  bool RestoreLate(ByteReader& reader, std::uint64_t count);
  bool RestoreDeleted(ByteReader& reader, std::uint64_t count);
  void DropRare(Timestamp time);
  void ForgetDeletions();
  Timestamp oldest_in_order() const;
  void ReadRare(CommitNumber snapshot, storage::TimeRange range, std::size_t first_float,
                storage::SampleColumns& out) const;
  void NoteCommit(CommitNumber commit, LivingSnapshots living);
  // Gives the last commit that older_ had before.
  CommitNumber ForgetVersions(LivingSnapshots living);
  std::uint32_t VisibleCount(CommitNumber snapshot) const;

  bool departed_ = false;           // guarded by the index lock
  const std::uint32_t pair_count_;  // they stand behind the object
  const std::uint32_t number_;
  const std::uint32_t hash_;
  std::atomic<std::uint32_t> users_{1};
  std::uint32_t appended_ = 0;   // samples since the series began
  std::uint32_t forgotten_ = 0;  // of them, in whole chunks

  SealedList sealed_;
  XorWriter open_;
  // What is older, but for late samples, is forgotten, though a chunk may still have it.
  Timestamp first_kept_ = kMinTimestamp;
  Version newest_;
  // Earlier ones that a living querier may need, oldest first, at most one for each snapshot; null
  // as long as none does.
  std::unique_ptr<std::vector<Version>> older_;
  std::unique_ptr<Rare> rare_;
};

}  // namespace skep::tsdb
