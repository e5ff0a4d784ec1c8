#include "evaluator/tsdb/merged_set.h"

#include <algorithm>
#include <compare>
#include <numeric>
#include <utility>

#include "evaluator/tsdb/chunk.h"
#include "evaluator/tsdb/column_sizes.h"
#include "evaluator/tsdb/sample_merge.h"

namespace skep::tsdb {
namespace {

// Set in the place of a series of blocks alone.
constexpr std::uint32_t kOfBlocks = 0x80000000;

// Whether a chunk may come as its summary.
bool MayStand(const BlockChunk& chunk, storage::TimeRange range, std::span<const Timestamp> cuts) {
  return chunk.parts.kind != ChunkKind::kHistogram && chunk.parts.starts.empty() &&
         range.min <= chunk.min_time && chunk.max_time <= range.max &&
         !storage::IsCut(cuts, chunk.min_time, chunk.max_time);
}

}  // namespace

std::span<const storage::TimeRange> BlockWalk::deleted() const {
  if (block_.deleted == nullptr) return {};
  return block_.deleted->Of(present());
}

Status BlockWalk::Read(storage::SampleColumns& out) {
  return cursor_.ReadSamples(present(), range_, out);
}

Status BlockWalk::ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out) {
  thread_local std::vector<BlockChunk> chunks;
  chunks.clear();
  RETURN_IF_ERROR(block_.block->ReadChunks(present(), range_, chunks));
  const bool has_histograms = std::ranges::any_of(
      chunks, [](const BlockChunk& chunk) { return chunk.parts.kind == ChunkKind::kHistogram; });
  if (has_histograms || !deleted().empty()) return Read(out.samples);
  for (const BlockChunk& chunk : chunks) {
    if (MayStand(chunk, range_, cuts)) {
      const Result<std::optional<ChunkSummary>> summary = block_.block->SummaryOf(chunk);
      if (!summary) return summary.error();
      if (*summary) {
        out.summaries.push_back({**summary, chunk.min_time, chunk.max_time, out.samples.size()});
        continue;
      }
    }
    RETURN_IF_ERROR(cursor_.Decode(chunk, range_, out.samples));
  }
  return {};
}

MergedSet::MergedSet(std::vector<BlockWalk> blocks, std::unique_ptr<storage::SeriesSet> head,
                     std::shared_ptr<const MergeOrder> order)
    : blocks_(std::move(blocks)),
      head_(std::move(head)),
      order_(std::move(order)),
      sources_(blocks_.size() + 1),
      rank_(blocks_.size() + 1) {
  std::vector<std::uint16_t> by_time(blocks_.size());
  std::iota(by_time.begin(), by_time.end(), std::uint16_t{0});
  std::ranges::stable_sort(
      by_time, {}, [this](std::uint16_t source) { return blocks_[source].block().span().min; });
  rank_.back() = static_cast<std::uint16_t>(blocks_.size());
  for (std::size_t i = 0; i < by_time.size(); ++i)
    rank_[by_time[i]] = static_cast<std::uint16_t>(i);
}

bool MergedSet::Next() {
  labels_ = nullptr;
  return order_ != nullptr ? NextByOrder() : NextByLabels();
}

bool MergedSet::NextByOrder() {
  if (next_ == order_->ends.size()) return false;
  const std::size_t begin = next_ == 0 ? 0 : order_->ends[next_ - 1];
  const auto sources = order_->sources.begin();
  present_.assign(sources + static_cast<std::ptrdiff_t>(begin),
                  sources + static_cast<std::ptrdiff_t>(order_->ends[next_]));
  ++next_;
  for (const std::uint16_t source : present_) Advance(source);
  if (!has_head()) {
    const std::uint16_t source = present_.front();
    block_places_.push_back({blocks_[source].ordinal(), source});
  }
  return true;
}

bool MergedSet::NextByLabels() {
  if (!std::exchange(has_begun_, true)) {
    present_.resize(sources_.size());
    std::iota(present_.begin(), present_.end(), std::uint16_t{0});
  }
  for (const std::uint16_t source : present_) AdvanceWithLabels(source);
  present_.clear();
  const Labels* least = nullptr;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto source = static_cast<std::uint16_t>(i);
    if (sources_[source].is_over) continue;
    const Labels& labels = *sources_[source].labels;
    const auto order = least == nullptr ? std::strong_ordering::less : labels <=> *least;
    if (std::is_gt(order)) continue;
    if (std::is_lt(order)) present_.clear();
    least = &labels;
    present_.push_back(source);
  }
  std::ranges::sort(present_, {}, [this](std::uint16_t source) { return rank_[source]; });
  return least != nullptr;
}

void MergedSet::Advance(std::uint16_t source) {
  sources_[source].labels.reset();
  const bool has_more = source == head_source() ? head_->Next() : blocks_[source].Next();
  sources_[source].is_over = !has_more;
}

// A block whose labels cannot be read has no further series; the others go on.
void MergedSet::AdvanceWithLabels(std::uint16_t source) {
  Advance(source);
  if (sources_[source].is_over) return;
  sources_[source].labels = ReadLabels(source);
  sources_[source].is_over = !sources_[source].labels;
}

std::optional<Labels> MergedSet::ReadLabels(std::uint16_t source) const {
  if (source == head_source()) return head_->CopyLabels(head_->place());
  return Readable(blocks_[source].labels());
}

std::optional<Labels> MergedSet::Readable(Result<Labels> labels) const {
  if (labels) return std::move(*labels);
  warnings_.push_back(labels.error().message());
  return std::nullopt;
}

const Labels& MergedSet::labels() const {
  if (labels_ != nullptr) return *labels_;
  if (has_head()) return *(labels_ = &head_->labels());
  if (order_ != nullptr) return *(labels_ = &LabelsAt(place()));
  shown_.push_back(*sources_[present_.front()].labels);
  return *(labels_ = &shown_.back());
}

std::uint32_t MergedSet::place() const {
  if (has_head()) return head_->place();
  if (order_ == nullptr) return kNoPlace;
  return kOfBlocks | static_cast<std::uint32_t>(block_places_.size() - 1);
}

const Labels& MergedSet::LabelsAt(std::uint32_t place) const {
  if ((place & kOfBlocks) == 0) return head_->LabelsAt(place);
  BlockPlace& at = block_places_[place & ~kOfBlocks];
  if (at.labels == nullptr) at.labels = &shown_.emplace_back(CopyLabels(place));
  return *at.labels;
}

Labels MergedSet::CopyLabels(std::uint32_t place) const {
  if ((place & kOfBlocks) == 0) return head_->CopyLabels(place);
  const BlockPlace& at = block_places_[place & ~kOfBlocks];
  return Readable(blocks_[at.source].LabelsOf(at.ordinal)).value_or(Labels());
}

bool MergedSet::has_head() const {
  return std::ranges::find(present_, head_source()) != present_.end();
}

std::uint32_t MergedSet::slot() const {
  return order_ == nullptr ? 0 : static_cast<std::uint32_t>(next_);
}

Status MergedSet::ReadPart(std::uint16_t source, storage::SampleColumns& out) {
  return source == head_source() ? head_->ReadSamples(out) : blocks_[source].Read(out);
}

// Blocks mostly follow each other in time, and the head follows them: then each part is read to its
// place. Blocks may overlap by a few seconds where a flush cut a batch in two, so each series is
// looked at by itself.
Status MergedSet::ReadSamples(storage::SampleColumns& out) {
  if (present_.size() == 1) return ReadPart(present_.front(), out);
  const ColumnSizes before(out);
  Timestamp end = kMinTimestamp;
  for (const std::uint16_t source : present_) {
    const Result<bool> is_later = AppendLater(source, end, out);
    if (is_later && *is_later) continue;
    before.Restore(out);
    return is_later ? Merge(out) : Status(is_later.error());
  }
  return {};
}

Result<bool> MergedSet::AppendLater(std::uint16_t source, Timestamp& end,
                                    storage::SampleColumns& out) {
  const ColumnSizes before(out);
  // What the head has stands alone as for who reads nothing else: it may have no starts where
  // blocks have some.
  const bool is_plain = out.starts.empty() && out.histograms.empty();
  if (source == head_source() && !is_plain) {
    part_.clear();
    RETURN_IF_ERROR(ReadPart(source, part_));
    AppendSamples(out, part_);
  } else {
    RETURN_IF_ERROR(ReadPart(source, out));
  }
  const storage::TimeRange added = before.AddedTo(out);
  if (added.min <= end) return false;
  end = std::max(end, added.max);
  return true;
}

Status MergedSet::Merge(storage::SampleColumns& out) {
  std::vector<std::uint16_t> by_writing = present_;
  std::ranges::sort(by_writing);
  merged_.clear();
  for (const std::uint16_t source : by_writing) {
    part_.clear();
    RETURN_IF_ERROR(ReadPart(source, part_));
    MergeSamples(merged_, part_);
  }
  AppendSamples(out, merged_);
  return {};
}

Status MergedSet::ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out) {
  const Result<bool> is_good = AppendSummarized(cuts, out);
  if (!is_good) return is_good.error();
  if (*is_good) return {};
  out.clear();
  return ReadSamples(out.samples);
}

// False: the sources have samples among each other's, or histograms.
Result<bool> MergedSet::AppendSummarized(std::span<const Timestamp> cuts,
                                         storage::SummarizedSamples& out) {
  Timestamp end = kMinTimestamp;
  for (const std::uint16_t source : present_) {
    const ColumnSizes before(out.samples);
    const std::size_t runs_before = out.summaries.size();
    RETURN_IF_ERROR(source == head_source() ? head_->ReadSummarized(cuts, out)
                                            : blocks_[source].ReadSummarized(cuts, out));
    if (present_.size() > 1 && !out.samples.histograms.empty()) return false;
    storage::TimeRange added = before.AddedTo(out.samples);
    if (out.summaries.size() > runs_before) {
      added.min = std::min(added.min, out.summaries[runs_before].first_time);
      added.max = std::max(added.max, out.summaries.back().last_time);
    }
    if (added.min <= end) return false;
    end = std::max(end, added.max);
  }
  if (!out.samples.starts.empty()) out.samples.starts.resize(out.samples.size(), kNoStart);
  return true;
}

std::shared_ptr<const MergeOrder> MergedSet::TakeOrder() && {
  auto order = std::make_shared<MergeOrder>();
  while (Next()) {
    order->sources.insert(order->sources.end(), present_.begin(), present_.end());
    order->ends.push_back(static_cast<std::uint32_t>(order->sources.size()));
  }
  return warnings_.empty() ? std::move(order) : nullptr;
}

}  // namespace skep::tsdb
