// One series of the head: its labels, its samples, and which commit brought which of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/sample.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/sealed_chunk.h"
#include "evaluator/tsdb/xor_chunk.h"

namespace skep::tsdb {

// Commits are numbered from 1.
using CommitNumber = std::uint64_t;

// Labels and number never change. Everything else is guarded by the stripe of the head that the
// series' number belongs to, but for the count of users.
class Series {
 public:
  Series(Labels labels, std::uint64_t hash, std::uint32_t number)
      : labels_(std::move(labels)), hash_(hash), number_(number) {}

  const Labels& labels() const { return labels_; }
  std::uint64_t hash() const { return hash_; }
  std::uint32_t number() const { return number_; }

  // The table is the first user; series sets are the others. The last one deletes.
  void AddUser() { users_.fetch_add(1, std::memory_order_relaxed); }
  void RemoveUser() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // The newest sample, where there ever was one that is not forgotten; without its start.
  std::optional<FullSample> last() const;
  // Its time alone.
  std::optional<Timestamp> last_time() const;

  // An Append will come soon.
  void Prefetch() const { open_.Prefetch(); }

  // Adds a sample as part of `commit`. Requires: it is newer than last(). Queriers older than
  // `oldest_reader` are gone.
  void Append(Sample sample, CommitNumber commit, CommitNumber oldest_reader);
  // The same for a histogram, or a float that knows its start.
  void AppendFull(const FullSample& sample, CommitNumber commit, CommitNumber oldest_reader);

  // Samples of commits up to `snapshot` in the range. kCorrupt: the bytes that Restore read were
  // not what Save wrote.
  Status Read(CommitNumber snapshot, storage::TimeRange range, storage::SampleColumns& out) const;

  // Whether some sample, of whatever commit, may lie in the range.
  bool Overlaps(storage::TimeRange range) const;

  // All samples as bytes, for a checkpoint. Restore reads them into a series that has none; on
  // bytes that Save cannot have written it gives false, and the series has none. They are of every
  // commit, and seen by all readers.
  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& reader);

  // Forgets chunks that end before `time`.
  void DropBefore(Timestamp time);

  bool empty() const { return !has_floats() && !has_histograms(); }
  std::size_t chunks() const {
    return sealed_.size() + (open_.empty() ? 0 : 1) + (has_histograms() ? 1 : 0);
  }
  std::uint64_t samples() const {
    return appended_ - forgotten_ + (rare_ == nullptr ? 0 : rare_->histograms.size());
  }
  std::size_t chunk_bytes() const;
  Timestamp min_time() const;  // requires: not empty

  // Samples that appenders hold and have not committed: such a series is not removed.
  std::uint32_t uncommitted = 0;
  // The log knows its labels. Guarded by the commits' lock.
  bool is_logged = false;
  // Some KeptSeries does without it, for its age, and must be told when a sample comes.
  bool left_out = false;
  // The appender that touched the series last, and where in its batch.
  std::uint64_t hint_batch = 0;
  std::uint32_t hint_index = 0;

 private:
  // Before `commit` the series had `count` samples in all.
  struct Version {
    CommitNumber commit = 0;
    std::uint64_t count = 0;
  };

  // Histograms and start times, which most series never have: plain lists.
  struct Rare {
    struct Entry {
      Timestamp time;
      Timestamp start;
      HistogramPtr histogram;
      CommitNumber commit = 0;
    };
    std::deque<Entry> histograms;
    std::deque<Entry> starts;  // of floats
  };

  ~Series() = default;
  bool has_floats() const { return !open_.empty() || !sealed_.empty(); }
  bool has_histograms() const { return rare_ != nullptr && !rare_->histograms.empty(); }
  Rare& rare();
  // Requires: the open run is not empty.
  void Seal();
  bool IsFull(Timestamp next) const;
  // Makes one chunk of the newest sealed runs where the open one has no place beside them.
  void JoinRuns();
  Status ReadFloats(CommitNumber snapshot, storage::TimeRange range,
                    storage::SampleColumns& out) const;
  bool RestoreFloats(ByteReader& reader);
  bool RestoreRare(ByteReader& reader);
  void ReadRare(CommitNumber snapshot, storage::TimeRange range, std::size_t first_float,
                storage::SampleColumns& out) const;
  void NoteCommit(CommitNumber commit, CommitNumber oldest_reader);
  std::uint64_t VisibleCount(CommitNumber snapshot) const;

  const Labels labels_;
  const std::uint64_t hash_;
  const std::uint32_t number_;
  std::atomic<std::uint32_t> users_{1};

  std::vector<SealedChunk> sealed_;
  XorWriter open_;
  std::uint64_t appended_ = 0;   // samples since the series began
  std::uint64_t forgotten_ = 0;  // of them, by retention
  Version newest_;
  // Earlier ones that a living querier may need, oldest first; null as long as none does.
  std::unique_ptr<std::vector<Version>> older_;
  std::unique_ptr<Rare> rare_;
};

}  // namespace skep::tsdb
