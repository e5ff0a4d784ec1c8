#include "evaluator/tsdb/series.h"

#include <algorithm>
#include <chrono>

namespace skep::tsdb {
namespace {

// 120 samples cost about 1 µs to decode and take a few hundred bytes.
constexpr std::uint32_t kChunkSamples = 120;
// Rare samples must not keep a chunk open for days: retention forgets whole chunks.
constexpr Duration kChunkSpan = std::chrono::hours(2);

}  // namespace

std::optional<Sample> Series::last() const {
  if (!open_.empty()) return Sample{open_.last_time(), open_.last_value()};
  // A writer that was just sealed still knows its last sample.
  if (!sealed_.empty()) return Sample{open_.last_time(), open_.last_value()};
  return std::nullopt;
}

void Series::Append(Sample sample, CommitNumber commit, CommitNumber oldest_reader) {
  NoteCommit(commit, oldest_reader);
  if (open_.samples() == kChunkSamples ||
      (!open_.empty() && sample.time - kChunkSpan > open_.first_time())) {
    sealed_.push_back(open_.Seal());
  }
  open_.Append(sample.time, sample.value);
  ++appended_;
}

void Series::NoteCommit(CommitNumber commit, CommitNumber oldest_reader) {
  if (newest_.commit == commit) return;  // a further sample of the same batch
  // Commit n is needed by readers of a snapshot below n. New readers see at least commit - 1.
  if (newest_.commit > oldest_reader) {
    if (!older_) older_ = std::make_unique<std::vector<Version>>();
    older_->push_back(newest_);
  }
  if (older_) {
    const auto needed = [oldest_reader](const Version& v) { return v.commit > oldest_reader; };
    older_->erase(older_->begin(), std::find_if(older_->begin(), older_->end(), needed));
    if (older_->empty()) older_.reset();
  }
  newest_ = {commit, appended_};
}

std::uint64_t Series::VisibleCount(CommitNumber snapshot) const {
  if (newest_.commit <= snapshot) return appended_;
  if (older_) {
    for (const Version& version : *older_) {
      if (version.commit > snapshot) return version.count;
    }
  }
  return newest_.count;
}

void Series::Read(CommitNumber snapshot, storage::TimeRange range,
                  storage::SampleColumns& out) const {
  const std::uint64_t visible = VisibleCount(snapshot);
  if (visible <= forgotten_) return;
  std::uint64_t left = visible - forgotten_;
  for (const XorChunk& chunk : sealed_) {
    if (left == 0 || chunk.min_time > range.max) return;
    const auto take = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, chunk.samples));
    if (chunk.max_time >= range.min) {
      DecodeXor(chunk.words.get(), chunk.samples, take, range, out);
    }
    left -= take;
  }
  if (left == 0 || open_.empty() || open_.last_time() < range.min) return;
  DecodeXor(open_.words(), open_.samples(), static_cast<std::uint32_t>(left), range, out);
}

bool Series::Overlaps(storage::TimeRange range) const {
  return !empty() && min_time() <= range.max && open_.last_time() >= range.min;
}

Timestamp Series::min_time() const {
  return sealed_.empty() ? open_.first_time() : sealed_.front().min_time;
}

std::size_t Series::chunk_bytes() const {
  std::size_t bytes = open_.size_bytes();
  for (const XorChunk& chunk : sealed_) bytes += chunk.word_count * sizeof(std::uint64_t);
  return bytes;
}

void Series::DropBefore(Timestamp time) {
  const auto keep = std::find_if(sealed_.begin(), sealed_.end(),
                                 [time](const XorChunk& chunk) { return chunk.max_time >= time; });
  for (auto chunk = sealed_.begin(); chunk != keep; ++chunk) forgotten_ += chunk->samples;
  sealed_.erase(sealed_.begin(), keep);
  if (sealed_.empty() && !open_.empty() && open_.last_time() < time) {
    forgotten_ += open_.samples();
    open_ = XorWriter();
  }
}

}  // namespace skep::tsdb
