// Reads a series of the head where summaries of its runs will do.
#include "evaluator/tsdb/series.h"

namespace skep::tsdb {
namespace {

// Decoding a shorter run costs no more than its summary.
constexpr std::uint32_t kLeastSamples = 32;

bool MayStand(const SealedChunk& chunk, storage::TimeRange range, std::span<const Timestamp> cuts) {
  return chunk.samples() >= kLeastSamples && range.min <= chunk.min_time() &&
         chunk.max_time() <= range.max && !storage::IsCut(cuts, chunk.min_time(), chunk.max_time());
}

}  // namespace

// Nothing stands beside the floats that came in order, and nothing of them is deleted.
bool Series::HasOnlyFloats() const {
  return rare_ == nullptr || (rare_->histograms.empty() && rare_->starts.empty() &&
                              rare_->late.empty() && rare_->deleted.empty());
}

Status Series::ReadSummarized(CommitNumber snapshot, storage::TimeRange range,
                              std::span<const Timestamp> cuts, storage::SummarizedSamples& out) {
  if (!HasOnlyFloats()) return Read(snapshot, range, out.samples);
  range.min = std::max(range.min, first_kept_);
  const std::uint32_t visible = VisibleCount(snapshot);
  const Place place = PlaceOf(range.min);
  std::uint32_t row = place.row;
  for (auto chunk = sealed_.begin() + place.chunk; chunk != sealed_.end(); ++chunk) {
    if (visible <= row || chunk->min_time() > range.max) return {};
    const std::uint32_t take = std::min(visible - row, chunk->samples());
    row += chunk->samples();
    if (take == chunk->samples() && MayStand(*chunk, range, cuts)) {
      const Result<std::optional<ChunkSummary>> summary = chunk->Summary();
      if (!summary) return summary.error();
      if (*summary) {
        out.summaries.push_back(
            {**summary, chunk->min_time(), chunk->max_time(), out.samples.size()});
        continue;
      }
    }
    RETURN_IF_ERROR(chunk->Read(take, range, out.samples));
  }
  if (visible <= row || open_.empty() || open_.last_time() < range.min) return {};
  open_.Read(std::min(visible - row, open_.samples()), range, out.samples);
  return {};
}

}  // namespace skep::tsdb
