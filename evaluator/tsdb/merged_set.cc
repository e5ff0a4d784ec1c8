#include "evaluator/tsdb/merged_set.h"

#include <algorithm>
#include <compare>
#include <numeric>
#include <utility>

#include "evaluator/tsdb/chunk.h"
#include "evaluator/tsdb/sample_merge.h"

namespace skep::tsdb {
namespace {

// Whether blocks follow each other in the order `by_time`, so that nothing must be merged.
bool Overlap(const std::vector<BlockWalk>& blocks, const std::vector<std::uint16_t>& by_time) {
  for (std::size_t i = 1; i < by_time.size(); ++i) {
    const storage::TimeRange before = blocks[by_time[i - 1]].block().span();
    if (blocks[by_time[i]].block().span().min <= before.max) return true;
  }
  return false;
}

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
  overlaps_ = Overlap(blocks_, by_time);
  std::iota(rank_.begin(), rank_.end(), std::uint16_t{0});
  if (overlaps_) return;
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
  Result<Labels> labels = blocks_[source].labels();
  if (labels) return std::move(*labels);
  warnings_.push_back(labels.error().message());
  return std::nullopt;
}

const Labels& MergedSet::labels() const {
  if (labels_ != nullptr) return *labels_;
  if (has_head()) return *(labels_ = &head_->labels());
  const std::uint16_t source = present_.front();
  const std::optional<Labels>& known = sources_[source].labels;
  shown_.push_back(known ? *known : ReadLabels(source).value_or(Labels()));
  return *(labels_ = &shown_.back());
}

std::uint32_t MergedSet::place() const { return has_head() ? head_->place() : kNoPlace; }

bool MergedSet::has_head() const {
  return std::ranges::find(present_, head_source()) != present_.end();
}

std::uint32_t MergedSet::slot() const { return has_head() ? head_->slot() : 0; }

Status MergedSet::ReadPart(std::uint16_t source, storage::SampleColumns& out) {
  return source == head_source() ? head_->ReadSamples(out) : blocks_[source].Read(out);
}

Status MergedSet::ReadSamples(storage::SampleColumns& out) {
  if (present_.size() == 1) return ReadPart(present_.front(), out);
  merged_.clear();
  for (const std::uint16_t source : present_) {
    part_.clear();
    RETURN_IF_ERROR(ReadPart(source, part_));
    MergeSamples(merged_, part_);
  }
  AppendSamples(out, merged_);
  return {};
}

Status MergedSet::ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out) {
  if (overlaps_) return ReadSamples(out.samples);
  Timestamp end = kMinTimestamp;  // of the blocks
  for (const std::uint16_t source : present_) {
    if (source == head_source()) break;
    RETURN_IF_ERROR(blocks_[source].ReadSummarized(cuts, out));
    end = blocks_[source].block().span().max;
  }
  if (!has_head()) return {};
  if (end == kMinTimestamp) return head_->ReadSummarized(cuts, out);
  part_.clear();
  RETURN_IF_ERROR(head_->ReadSamples(part_));
  if (part_.empty()) return {};
  if (FirstTime(part_) > end && (part_.histograms.empty() || out.summaries.empty())) {
    AppendSamples(out.samples, part_);
    return {};
  }
  out.clear();
  return ReadSamples(out.samples);
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
