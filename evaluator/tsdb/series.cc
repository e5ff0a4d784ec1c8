#include "evaluator/tsdb/series.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "common/model/histogram_math.h"
#include "evaluator/tsdb/sample_merge.h"

namespace skep::tsdb {
namespace {

// Short chunks take more bytes a sample, so sealed runs are joined once there are enough of them.
constexpr std::uint32_t kChunkSamples = 480;
static_assert(kChunkSamples <= SealedChunk::kMaxSamples);
// Rare samples must not keep a chunk open for days: retention forgets whole chunks.
constexpr Duration kChunkSpan = std::chrono::hours(2);
// What libstdc++ takes for two of them that are empty: a map and one block each.
constexpr std::size_t kEmptyDeques = 2 * (HeapSize(64) + HeapSize(512));

// Whether some reader sees the commit `before` but not `commit`, hence asks for what was there
// before `commit`.
bool IsNeeded(LivingSnapshots living, CommitNumber before, CommitNumber commit) {
  const auto first = std::lower_bound(living.begin(), living.end(), before);
  return first != living.end() && *first < commit;
}

}  // namespace

Series* Series::New(std::span<const PairId> pairs, std::uint32_t hash, std::uint32_t number) {
  void* const memory = ::operator new(sizeof(Series) + pairs.size_bytes());
  static_assert(sizeof(Series) % alignof(PairId) == 0);
  auto* const series = new (memory) Series(static_cast<std::uint32_t>(pairs.size()), hash, number);
  std::uninitialized_copy(pairs.begin(), pairs.end(), reinterpret_cast<PairId*>(series + 1));
  return series;
}

void Series::Destroy() {
  this->~Series();
  ::operator delete(this);
}

void Series::Depart(Labels labels) {
  rare().labels = std::move(labels);
  departed_ = true;
}

std::optional<FullSample> Series::last() const {
  if (has_histograms()) {
    const Rare::Entry& entry = rare_->histograms.back();
    // A writer that was just sealed still knows its last sample.
    if (!has_floats() || open_.last_time() < entry.time) {
      return FullSample{.time = entry.time, .histogram = entry.histogram};
    }
  }
  if (has_floats()) return FullSample{.time = open_.last_time(), .value = open_.last_value()};
  return std::nullopt;
}

// Requires: there are histograms.
Timestamp Series::LastTimeOfBoth() const {
  const Timestamp newest = rare_->histograms.back().time;
  return has_floats() ? std::max(open_.last_time(), newest) : newest;
}

Series::Rare& Series::rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void Series::AppendFull(const FullSample& sample, CommitNumber commit, LivingSnapshots living) {
  if (sample.histogram == nullptr) {
    Append({sample.time, sample.value}, commit, living);
    if (sample.start == kNoStart) return;
    rare().starts.push_back({sample.time, sample.start, nullptr, commit});
    return;
  }
  const std::optional<FullSample> before = last();
  const Histogram* const previous = before ? before->histogram.get() : nullptr;
  const CounterResetHint hint = StoredHint(*sample.histogram, previous);
  HistogramPtr kept = sample.histogram;
  if (kept->reset_hint != hint) {
    auto hinted = std::make_shared<Histogram>(*kept);
    hinted->reset_hint = hint;
    kept = std::move(hinted);
  }
  rare().histograms.push_back({sample.time, sample.start, std::move(kept), commit});
}

void Series::Append(Sample sample, CommitNumber commit, LivingSnapshots living) {
  NoteCommit(commit, living);
  if (!open_.empty() && IsFull(sample.time)) Seal();
  open_.Append(sample.time, sample.value);
  ++appended_;
}

bool Series::IsFull(Timestamp next) const {
  return open_.samples() >= kRunSamples || next - kChunkSpan > open_.first_time();
}

void Series::Seal() {
  JoinRuns();
  sealed_.push_back(SealedChunk::Of(open_));
  open_.Clear();
}

void Series::JoinRuns() {
  // The first chunk of a series may take less, so that not all of a large page's are joined at one
  // scrape. Neighbours of one target still begin and end together.
  const std::uint32_t most =
      appended_ > kChunkSamples ? kChunkSamples : kChunkSamples - number_ / 128 % 7 * kRunSamples;
  const auto begins_late = [](const SealedChunk& run, Timestamp end) {
    return end - kChunkSpan <= run.min_time();
  };
  std::uint32_t samples = 0;
  auto first = sealed_.end();
  while (first != sealed_.begin()) {
    const SealedChunk& run = *std::prev(first);
    if (run.samples() > kRunSamples || samples + run.samples() > most) break;
    if (!begins_late(run, sealed_.back().max_time())) break;
    samples += run.samples();
    --first;
  }
  if (sealed_.end() - first < 2) return;
  if (samples + open_.samples() <= most && begins_late(*first, open_.last_time())) return;
  Result<SealedChunk> joined = SealedChunk::Joined({first, sealed_.end()});
  if (!joined) return;  // restored from bytes that were none: who reads the runs is told
  *first = std::move(*joined);
  sealed_.erase(first + 1, sealed_.end());
}

void Series::NoteCommit(CommitNumber commit, LivingSnapshots living) {
  if (newest_.commit == commit) return;  // a further sample of the same batch
  const CommitNumber before = older_ ? ForgetVersions(living) : 0;
  if (IsNeeded(living, before, newest_.commit)) {
    if (!older_) older_ = std::make_unique<std::vector<Version>>();
    older_->push_back(newest_);
  }
  if (older_ && older_->empty()) older_.reset();
  newest_ = {commit, appended_};
}

CommitNumber Series::ForgetVersions(LivingSnapshots living) {
  CommitNumber before = 0;
  auto kept = older_->begin();
  for (const Version& version : *older_) {
    if (IsNeeded(living, before, version.commit)) *kept++ = version;
    before = version.commit;
  }
  older_->erase(kept, older_->end());
  return before;
}

std::uint32_t Series::VisibleCount(CommitNumber snapshot) const {
  if (newest_.commit <= snapshot) return appended_;
  if (older_) {
    for (const Version& version : *older_) {
      if (version.commit > snapshot) return version.count;
    }
  }
  return newest_.count;
}

bool Series::AppendLate(const FullSample& sample, CommitNumber commit) {
  std::vector<Rare::Entry>& late = rare().late;
  const auto later =
      std::lower_bound(late.begin(), late.end(), sample.time,
                       [](const Rare::Entry& entry, Timestamp time) { return entry.time < time; });
  if (later != late.end() && later->time == sample.time) return false;
  late.insert(later, {sample.time, sample.start, sample.histogram, commit, sample.value});
  return true;
}

Status Series::Read(CommitNumber snapshot, storage::TimeRange range,
                    storage::SampleColumns& out) const {
  const storage::TimeRange kept{std::max(range.min, first_kept_), range.max};
  if (rare_ == nullptr || (rare_->late.empty() && rare_->deleted.empty())) {
    return ReadInOrder(snapshot, kept, out);
  }
  storage::SampleColumns samples;
  RETURN_IF_ERROR(ReadInOrder(snapshot, kept, samples));
  DropSpans(rare_->deleted, samples);
  storage::SampleColumns late = Late(snapshot, range);
  MergeSamples(samples, late);
  AppendSamples(out, samples);
  return {};
}

storage::SampleColumns Series::Late(CommitNumber snapshot, storage::TimeRange range) const {
  storage::SampleColumns columns;
  for (const Rare::Entry& entry : rare_->late) {
    if (entry.commit > snapshot || entry.time < range.min || entry.time > range.max) continue;
    if (entry.histogram != nullptr) {
      columns.histograms.times.push_back(entry.time);
      columns.histograms.values.push_back(entry.histogram);
      columns.histograms.starts.push_back(entry.start);
      continue;
    }
    columns.times.push_back(entry.time);
    columns.values.push_back(entry.value);
    if (entry.start == kNoStart && columns.starts.empty()) continue;
    columns.starts.resize(columns.times.size(), kNoStart);
    columns.starts.back() = entry.start;
  }
  if (!columns.starts.empty()) columns.starts.resize(columns.times.size(), kNoStart);
  return columns;
}

Status Series::ReadInOrder(CommitNumber snapshot, storage::TimeRange range,
                           storage::SampleColumns& out) const {
  const std::size_t first_float = out.size();
  RETURN_IF_ERROR(ReadFloats(snapshot, range, out));
  if (rare_) ReadRare(snapshot, range, first_float, out);
  return {};
}

void Series::ReadRare(CommitNumber snapshot, storage::TimeRange range, std::size_t first_float,
                      storage::SampleColumns& out) const {
  const auto visible = [&](const Rare::Entry& entry) {
    return entry.commit <= snapshot && entry.time >= range.min && entry.time <= range.max;
  };
  for (const Rare::Entry& entry : rare_->histograms) {
    if (!visible(entry)) continue;
    out.histograms.times.push_back(entry.time);
    out.histograms.values.push_back(entry.histogram);
    out.histograms.starts.push_back(entry.start);
  }
  if (rare_->starts.empty()) return;
  out.starts.resize(out.times.size(), kNoStart);
  std::size_t at = first_float;
  for (const Rare::Entry& entry : rare_->starts) {
    if (!visible(entry)) continue;
    while (at < out.times.size() && out.times[at] < entry.time) ++at;
    if (at < out.times.size() && out.times[at] == entry.time) out.starts[at] = entry.start;
  }
}

// From the newest one back: most ranges end now.
Series::Place Series::PlaceOf(Timestamp time) const {
  std::uint32_t row = appended_ - open_.samples();
  auto chunk = sealed_.end();
  while (chunk != sealed_.begin() && std::prev(chunk)->max_time() >= time) {
    row -= (--chunk)->samples();
  }
  return {static_cast<std::size_t>(chunk - sealed_.begin()), row};
}

Status Series::ReadFloats(CommitNumber snapshot, storage::TimeRange range,
                          storage::SampleColumns& out) const {
  const std::uint32_t visible = VisibleCount(snapshot);
  const Place place = PlaceOf(range.min);
  std::uint32_t row = place.row;
  auto chunk = sealed_.begin() + place.chunk;
  const auto take = [&](std::uint32_t samples) { return std::min(visible - row, samples); };
  for (; chunk != sealed_.end(); ++chunk) {
    if (visible <= row || chunk->min_time() > range.max) return {};
    RETURN_IF_ERROR(chunk->Read(take(chunk->samples()), range, out));
    row += chunk->samples();
  }
  if (visible <= row || open_.empty() || open_.last_time() < range.min) return {};
  open_.Read(take(open_.samples()), range, out);
  return {};
}

bool Series::Overlaps(storage::TimeRange range) const {
  return !empty() && min_time() <= range.max && max_time() >= range.min;
}

// kMaxTimestamp where there is none.
Timestamp Series::oldest_in_order() const {
  Timestamp first = kMaxTimestamp;
  if (!open_.empty()) first = open_.first_time();
  if (!sealed_.empty()) first = sealed_.front().min_time();
  if (has_histograms()) first = std::min(first, rare_->histograms.front().time);
  return std::max(first, first_kept_);
}

Timestamp Series::min_time() const {
  const Timestamp first = oldest_in_order();
  return has_late() ? std::min(first, rare_->late.front().time) : first;
}

Timestamp Series::max_time() const {
  const Timestamp last = last_time().value_or(kMinTimestamp);
  return has_late() ? std::max(last, rare_->late.back().time) : last;
}

std::size_t Series::chunk_bytes() const {
  std::size_t bytes = open_.size_bytes();
  for (const SealedChunk& chunk : sealed_) bytes += chunk.size_bytes();
  if (rare_) {
    bytes += rare_->starts.size() * sizeof(Rare::Entry);
    for (const Rare::Entry& entry : rare_->histograms) {
      bytes += sizeof(entry) + SizeBytes(*entry.histogram);
    }
    bytes += rare_->late.size() * sizeof(Rare::Entry);
    for (const Rare::Entry& entry : rare_->late) {
      if (entry.histogram != nullptr) bytes += SizeBytes(*entry.histogram);
    }
  }
  return bytes;
}

void Series::AddMemory(HeadMemory& memory) const {
  memory.series += HeapSize(sizeof(Series) + pairs().size_bytes());
  memory.open_runs += open_.heap_bytes();
  memory.sealed_chunks += sealed_.heap_bytes();
  if (older_)
    memory.rare +=
        HeapSize(sizeof(std::vector<Version>)) + HeapSize(older_->capacity() * sizeof(Version));
  if (rare_ == nullptr) return;
  const auto list_bytes = [](const auto& list) {
    return HeapSize(list.size() * sizeof(typename std::decay_t<decltype(list)>::value_type));
  };
  memory.rare += HeapSize(sizeof(Rare)) + kEmptyDeques + list_bytes(rare_->histograms) +
                 list_bytes(rare_->starts) + list_bytes(rare_->late) + list_bytes(rare_->deleted);
  for (const auto& entry : rare_->histograms) memory.rare += SizeBytes(*entry.histogram);
  for (const auto& entry : rare_->late) {
    if (entry.histogram != nullptr) memory.rare += SizeBytes(*entry.histogram);
  }
}

void Series::DropBefore(Timestamp time) {
  const auto keep = std::find_if(sealed_.begin(), sealed_.end(), [time](const SealedChunk& chunk) {
    return chunk.max_time() >= time;
  });
  for (auto chunk = sealed_.begin(); chunk != keep; ++chunk) forgotten_ += chunk->samples();
  sealed_.erase(sealed_.begin(), keep);
  if (sealed_.empty() && !open_.empty() && open_.last_time() < time) {
    forgotten_ += open_.samples();
    open_ = XorWriter();
  }
  if (rare_) DropRare(time);
  ForgetDeletions();
  // New samples may then be of any time.
  if (!has_floats() && !has_histograms()) first_kept_ = kMinTimestamp;
}

void Series::DropRare(Timestamp time) {
  for (std::deque<Rare::Entry>* list : {&rare_->histograms, &rare_->starts}) {
    // A start is needed as long as its float is there, which goes with its chunk.
    const Timestamp oldest =
        list == &rare_->starts && has_floats()
            ? (sealed_.empty() ? open_.first_time() : sealed_.front().min_time())
            : time;
    while (!list->empty() && list->front().time < oldest) list->pop_front();
  }
}

void Series::DropThrough(Timestamp time) {
  first_kept_ = std::max(first_kept_, time + Duration(1));
  DropBefore(time + Duration(1));
}

void Series::DropLate(Timestamp time, CommitNumber newest) {
  if (!has_late()) return;
  std::erase_if(rare_->late, [time, newest](const Rare::Entry& entry) {
    return entry.time < time && entry.commit <= newest;
  });
}

void Series::Delete(storage::TimeRange span) {
  if (!Overlaps(span)) return;
  if (has_late()) {
    std::erase_if(rare_->late, [span](const Rare::Entry& entry) {
      return span.min <= entry.time && entry.time <= span.max;
    });
  }
  const std::optional<Timestamp> last = last_time();
  if (!last) return;
  if (span.min <= oldest_in_order() && *last <= span.max) return DropThrough(*last);
  // Later samples are not meant.
  rare().deleted.push_back({span.min, std::min(span.max, *last)});
  ForgetDeletions();
}

// Those of which nothing is left.
void Series::ForgetDeletions() {
  if (rare_ == nullptr || rare_->deleted.empty()) return;
  const Timestamp oldest = oldest_in_order();
  std::erase_if(rare_->deleted, [oldest](const storage::TimeRange& span) {
    return span.max < oldest || span.max < span.min;
  });
}

}  // namespace skep::tsdb
