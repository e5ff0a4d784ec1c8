// The answer of several sources to one Select. Internal to this folder.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_cursor.h"
#include "evaluator/tsdb/block_list.h"
#include "evaluator/tsdb/label_index.h"

namespace skep::tsdb {

// Which sources have the first series, the second, and so on, for who asks the same again: then no
// labels are compared. Immutable once it is shared.
struct MergeOrder {
  std::vector<std::uint16_t> sources;  // of one series after the other
  std::vector<std::uint32_t> ends;     // of each series, in `sources`

  std::size_t heap_bytes() const {
    return sources.capacity() * sizeof(sources[0]) + ends.capacity() * sizeof(ends[0]);
  }
};

// Walks the series of one block that a Select found.
class BlockWalk {
 public:
  // `found`: ordinals, rising.
  BlockWalk(const LiveBlock& block, std::shared_ptr<const Postings> found, storage::TimeRange range)
      : block_(block),
        found_(std::move(found)),
        range_(range),
        cursor_(block_.block, block_.deleted.get()) {}

  bool Next() { return ++next_ <= found_->size(); }
  // Of the present series.
  Result<Labels> labels() { return cursor_.LabelsOf(present()); }
  std::uint32_t ordinal() const { return present(); }
  // Of a series that the walk came to.
  Result<Labels> LabelsOf(std::uint32_t ordinal) { return cursor_.LabelsOf(ordinal); }
  Status Read(storage::SampleColumns& out);
  Status ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out);

  const LiveBlock& block() const { return block_; }

 private:
  std::uint32_t present() const { return (*found_)[next_ - 1]; }
  std::span<const storage::TimeRange> deleted() const;

  LiveBlock block_;
  std::shared_ptr<const Postings> found_;
  storage::TimeRange range_;
  BlockCursor cursor_;
  std::size_t next_ = 0;
};

class MergedSet final : public storage::SeriesSet {
 public:
  // `blocks` rise in number, the order of writing; `head` may not be null, and is written last.
  // `order` is null, or what TakeOrder gave of an earlier set over the same series of the same
  // sources.
  MergedSet(std::vector<BlockWalk> blocks, std::unique_ptr<storage::SeriesSet> head,
            std::shared_ptr<const MergeOrder> order);

  bool Next() override;
  const Labels& labels() const override;
  // Series that the head has are known by their place there, the others, with an order, by one that
  // is above all of those.
  std::uint32_t place() const override;
  const Labels& LabelsAt(std::uint32_t place) const override;
  Labels CopyLabels(std::uint32_t place) const override;
  Status ReadSamples(storage::SampleColumns& out) override;
  Status ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out) override;
  // Where the present series stands in the order, from 1; 0 without one.
  std::uint32_t slot() const override;
  std::vector<std::string> Warnings() const override { return warnings_; }

  // Walks to the end and gives the order of all series, null where some cannot be read; then the
  // set is over.
  std::shared_ptr<const MergeOrder> TakeOrder() &&;

 private:
  struct Source {
    std::optional<Labels> labels;  // of the present series, where they were read
    bool is_over = false;
  };

  // A series of blocks alone, whose labels are read when somebody asks for them.
  struct BlockPlace {
    std::uint32_t ordinal = 0;
    std::uint16_t source = 0;
    const Labels* labels = nullptr;  // in shown_; null: not asked for yet
  };

  std::size_t head_source() const { return blocks_.size(); }
  bool has_head() const;  // the present series
  void Advance(std::uint16_t source);
  void AdvanceWithLabels(std::uint16_t source);
  bool NextByLabels();
  bool NextByOrder();
  std::optional<Labels> ReadLabels(std::uint16_t source) const;
  std::optional<Labels> Readable(Result<Labels> labels) const;
  Status ReadPart(std::uint16_t source, storage::SampleColumns& out);
  // Appends what a source has of the present series, where all of it is later than `end`, which
  // moves on. False: some of it is not, and `out` may have it or not.
  Result<bool> AppendLater(std::uint16_t source, Timestamp& end, storage::SampleColumns& out);
  Result<bool> AppendSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out);
  // Appends the samples of all sources that have the present series, of equal times the later
  // written one.
  Status Merge(storage::SampleColumns& out);

  mutable std::vector<BlockWalk> blocks_;
  const std::unique_ptr<storage::SeriesSet> head_;  // a HeadSet
  const std::shared_ptr<const MergeOrder> order_;
  std::size_t next_ = 0;  // of order_
  std::vector<Source> sources_;
  bool has_begun_ = false;
  std::vector<std::uint16_t> rank_;  // of each source in time; the head's is last

  std::vector<std::uint16_t> present_;            // the sources of the present series, by rank
  mutable std::vector<BlockPlace> block_places_;  // that Next came to by the order
  mutable std::deque<Labels> shown_;              // labels() that were asked for
  mutable const Labels* labels_ = nullptr;
  mutable std::vector<std::string> warnings_;
  storage::SampleColumns merged_, part_;  // kept for their memory
};

}  // namespace skep::tsdb
