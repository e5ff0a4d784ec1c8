#include "exporter/ingest/otlp_streams.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace skep::ingest {
namespace {

// What goes, or comes back in another order, may leave a sum that was never sent.
double Finite(double total) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::isnan(total) ? 0 : std::clamp(total, -kMost, kMost);
}

// A record is a row of entries: kind, key, then what that kind remembers.
//
//   0..4  a stream: time u64, arrival i64, then
//           cumulative:  value f64
//           delta:       newest of `seen` u64 (in a unit), or all four (in Save: kAllSeen is set)
//           histogram:   value f64, bounds_hash u64, n u32, counts n * u64
//           up-down:     value f64, seen 4 * u64, n u32, target n bytes
//   kForgotten: the stream is gone; its time goes to its horizon
//   kHorizon: key.low is the place, key.high the time
constexpr std::uint8_t kForgotten = 16;
constexpr std::uint8_t kHorizon = 17;
constexpr std::uint8_t kAllSeen = 32;
constexpr std::size_t kSaveBytes = 64UL << 10;  // of one record of Save, about
constexpr std::uint32_t kMaxCounts = 1024;

template <typename T>
void Put(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// Takes what Put wrote; false where the record is too short.
template <typename T>
bool Get(std::string_view& record, T& value) {
  if (record.size() < sizeof(T)) return false;
  std::memcpy(&value, record.data(), sizeof(T));
  record.remove_prefix(sizeof(T));
  return true;
}

void PutHead(std::string& out, std::uint8_t kind, const StreamKey& key) {
  Put(out, kind);
  Put(out, key.high);
  Put(out, key.low);
}

// What nearly all streams are: in one piece, since a request has thousands.
#pragma pack(push, 1)
struct PlainEntry {
  std::uint8_t kind;
  std::uint64_t high;
  std::uint64_t low;
  UnixNanos time;
  std::int64_t arrival;
  std::uint64_t value;  // bits of the value, or the newest interval
};
#pragma pack(pop)

void PutStream(std::string& out, const StreamKey& key, const Stream& stream, bool all_seen) {
  using Kind = Stream::Kind;
  const bool is_delta = stream.kind == Kind::kDelta;
  if (stream.kind == Kind::kCumulative || (is_delta && !all_seen)) {
    return Put(out, PlainEntry{static_cast<std::uint8_t>(stream.kind), key.high, key.low,
                               stream.time, stream.arrival,
                               is_delta ? stream.seen.front()
                                        : std::bit_cast<std::uint64_t>(stream.value)});
  }
  const auto flags = static_cast<std::uint8_t>(is_delta ? kAllSeen : 0);
  PutHead(out, static_cast<std::uint8_t>(static_cast<std::uint8_t>(stream.kind) | flags), key);
  Put(out, stream.time);
  Put(out, stream.arrival);
  if (is_delta || stream.kind == Kind::kUpDown) Put(out, stream.seen);
  if (stream.kind != Kind::kGauge && !is_delta) Put(out, stream.value);
  if (stream.kind == Kind::kCumulativeHistogram) {
    Put(out, stream.bounds_hash);
    Put(out, static_cast<std::uint32_t>(stream.counts.size()));
    for (const std::uint64_t count : stream.counts) Put(out, count);
  }
  if (stream.kind == Kind::kUpDown) {
    Put(out, static_cast<std::uint32_t>(stream.target.size()));
    out.append(stream.target);
  }
}

bool GetCounts(std::string_view& record, Stream& stream) {
  std::uint32_t size = 0;
  if (!Get(record, stream.bounds_hash) || !Get(record, size) || size > kMaxCounts) return false;
  stream.counts.resize(size);
  for (std::uint64_t& count : stream.counts) {
    if (!Get(record, count)) return false;
  }
  return true;
}

bool GetTarget(std::string_view& record, Stream& stream) {
  std::uint32_t size = 0;
  if (!Get(record, size) || size > record.size()) return false;
  stream.target = record.substr(0, size);
  record.remove_prefix(size);
  return true;
}

// Behind kind and key. Of a delta stream the newest interval only, unless all_seen.
bool GetStream(std::string_view& record, Stream& stream, bool all_seen) {
  using Kind = Stream::Kind;
  if (!Get(record, stream.time) || !Get(record, stream.arrival)) return false;
  const bool is_delta = stream.kind == Kind::kDelta;
  if (is_delta && !all_seen && !Get(record, stream.seen.front())) return false;
  const bool has_seen = (is_delta && all_seen) || stream.kind == Kind::kUpDown;
  if (has_seen && !Get(record, stream.seen)) return false;
  if (stream.kind != Kind::kGauge && !is_delta && !Get(record, stream.value)) return false;
  if (stream.kind == Kind::kCumulativeHistogram && !GetCounts(record, stream)) return false;
  return stream.kind != Kind::kUpDown || GetTarget(record, stream);
}

}  // namespace

StreamTable::StreamTable() : index_(1024, kNone), horizons_(kHorizons, 0) {}

// ---- the table ----

std::uint32_t StreamTable::Find(const StreamKey& key) const {
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = key.low & mask; index_[at] != kNone; at = (at + 1) & mask) {
    if (slots_[index_[at]].key == key) return index_[at];
  }
  return kNone;
}

std::uint32_t StreamTable::Create(const StreamKey& key) {
  if (2 * (size_ + 1) > index_.size()) GrowIndex();
  std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].key = key;
  const std::size_t mask = index_.size() - 1;
  std::size_t at = key.low & mask;
  while (index_[at] != kNone) at = (at + 1) & mask;
  index_[at] = slot;
  LinkNewest(slot);
  ++size_;
  return slot;
}

void StreamTable::Erase(std::uint32_t slot) {
  IndexErase(IndexOf(slot));
  Unlink(slot);
  slots_[slot] = {};
  free_.push_back(slot);
  --size_;
}

std::size_t StreamTable::IndexOf(std::uint32_t slot) const {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = slots_[slot].key.low & mask;
  while (index_[at] != slot) at = (at + 1) & mask;
  return at;
}

// Moves back what stands behind, so that no place needs a mark for "was taken".
void StreamTable::IndexErase(std::size_t place) {
  const std::size_t mask = index_.size() - 1;
  std::size_t hole = place;
  for (std::size_t at = (place + 1) & mask; index_[at] != kNone; at = (at + 1) & mask) {
    const std::size_t home = slots_[index_[at]].key.low & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      index_[hole] = index_[at];
      hole = at;
    }
  }
  index_[hole] = kNone;
}

void StreamTable::GrowIndex() {
  std::vector<std::uint32_t> old(index_.size() * 2, kNone);
  old.swap(index_);
  const std::size_t mask = index_.size() - 1;
  for (const std::uint32_t slot : old) {
    if (slot == kNone) continue;
    std::size_t at = slots_[slot].key.low & mask;
    while (index_[at] != kNone) at = (at + 1) & mask;
    index_[at] = slot;
  }
}

void StreamTable::Unlink(std::uint32_t slot) {
  const Slot& one = slots_[slot];
  (one.newer == kNone ? newest_ : slots_[one.newer].older) = one.older;
  (one.older == kNone ? oldest_ : slots_[one.older].newer) = one.newer;
}

void StreamTable::LinkNewest(std::uint32_t slot) {
  slots_[slot].older = newest_;
  slots_[slot].newer = kNone;
  if (newest_ != kNone) slots_[newest_].newer = slot;
  newest_ = slot;
  if (oldest_ == kNone) oldest_ = slot;
}

// ---- units ----

void StreamTable::Begin(std::size_t max_streams) {
  if (!plans_.empty()) Rollback();
  max_streams_ = max_streams;
  forgotten_ = 0;
  working_.clear();
  record_.clear();
}

void StreamTable::Rollback() {
  for (const Plan& plan : plans_) {
    slots_[plan.slot].plan = kNone;
    if (!slots_[plan.slot].is_known) Erase(plan.slot);
  }
  plans_.clear();
}

StreamTable::Plan& StreamTable::PlanOf(std::uint32_t slot) {
  if (slots_[slot].plan == kNone) {
    slots_[slot].plan = static_cast<std::uint32_t>(plans_.size());
    plans_.push_back({slot, slots_[slot].stream, false, false});
  }
  return plans_[slots_[slot].plan];
}

StreamTable::Touched StreamTable::Touch(const StreamKey& key, Stream::Kind kind) {
  std::uint32_t slot = Find(key);
  const bool is_new = slot == kNone;
  if (is_new) slot = Create(key);
  Plan& plan = PlanOf(slot);
  if (is_new) plan.stream.kind = kind;
  return {plan.stream, is_new};
}

StreamTable::Target& StreamTable::Working(const std::string& target) {
  const auto [found, added] = working_.try_emplace(target);
  if (added) {
    const auto known = targets_.find(target);
    if (known != targets_.end()) found->second = known->second;
  }
  return found->second;
}

std::optional<double> StreamTable::Contribute(Stream& stream, const std::string& target,
                                              double value) {
  Target& sum = Working(target);
  const bool is_first = stream.target.empty();
  const double before = is_first ? 0 : stream.value;
  const std::size_t streams = sum.streams + (is_first ? 1 : 0);
  // Alone it is exact, and what rounding has left is gone.
  const double total = streams == 1 ? value : sum.total + (value - before);
  if (!std::isfinite(total)) return std::nullopt;
  if (is_first) stream.target = target;
  sum = {streams, total};
  stream.value = value;
  return total;
}

void StreamTable::ForgetSlot(std::uint32_t slot, const TargetChanged& changed) {
  Plan& plan = PlanOf(slot);
  plan.is_forgotten = true;
  ++forgotten_;
  const Stream& stream = plan.stream;
  if (stream.target.empty()) return;
  Target& sum = Working(stream.target);
  sum.total = Finite(sum.total - stream.value);
  if (sum.streams > 0) --sum.streams;
  changed(stream.target, sum.streams == 0 ? std::nullopt : std::optional(sum.total));
}

void StreamTable::Evict(const TargetChanged& changed) {
  std::uint32_t slot = oldest_;
  while (size_ - forgotten_ > max_streams_ && slot != kNone) {
    const std::uint32_t next = slots_[slot].newer;
    if (slots_[slot].plan == kNone) {
      ForgetSlot(slot, changed);
      plans_.back().is_evicted = true;
    }
    slot = next;
  }
}

void StreamTable::Expire(std::int64_t before, const TargetChanged& changed) {
  if (targets_.empty()) return;
  for (std::uint32_t slot = oldest_; slot != kNone; slot = slots_[slot].newer) {
    const Stream& stream = slots_[slot].stream;
    // The list is in order of arrival.
    if (stream.arrival >= before) return;
    if (!stream.target.empty() && slots_[slot].plan == kNone) ForgetSlot(slot, changed);
  }
}

const std::string& StreamTable::Record() {
  for (const Plan& plan : plans_) {
    const StreamKey& key = slots_[plan.slot].key;
    if (plan.is_forgotten) {
      PutHead(record_, kForgotten, key);
    } else {
      const bool one_more = plan.stream.seen[1] == slots_[plan.slot].stream.seen[0];
      PutStream(record_, key, plan.stream, !one_more);
    }
  }
  return record_;
}

void StreamTable::Commit() {
  for (Plan& plan : plans_) CommitOne(plan);
  plans_.clear();
  for (auto& [target, sum] : working_) {
    if (sum.streams == 0) {
      targets_.erase(target);
    } else {
      targets_[target] = sum;
    }
  }
  working_.clear();
}

void StreamTable::CommitOne(Plan& plan) {
  Slot& slot = slots_[plan.slot];
  slot.plan = kNone;
  if (plan.is_forgotten) {
    evictions_ += plan.is_evicted ? 1 : 0;
    RaiseHorizon(slot.key, slot.stream);
    return Erase(plan.slot);
  }
  slot.stream = std::move(plan.stream);
  slot.is_known = true;
  Unlink(plan.slot);
  LinkNewest(plan.slot);
}

void StreamTable::RaiseHorizon(const StreamKey& key, const Stream& stream) {
  if (stream.kind != Stream::Kind::kCumulative &&
      stream.kind != Stream::Kind::kCumulativeHistogram) {
    return;
  }
  UnixNanos& horizon = horizons_[key.high % kHorizons];
  horizon = std::max(horizon, stream.time);
}

bool StreamTable::MayHaveBeenForgotten(const StreamKey& key, UnixNanos start) const {
  const UnixNanos horizon = horizons_[key.high % kHorizons];
  return horizon != 0 && start <= horizon;
}

// ---- the file ----

void StreamTable::RestoreStream(const StreamKey& key, Stream stream, bool all_seen) {
  std::uint32_t slot = Find(key);
  if (slot == kNone) slot = Create(key);
  Stream& known = slots_[slot].stream;
  if (stream.kind == Stream::Kind::kDelta && !all_seen) {
    for (std::size_t i = stream.seen.size() - 1; i > 0; --i) stream.seen[i] = known.seen[i - 1];
  }
  if (!stream.target.empty()) {
    Target& sum = targets_[stream.target];
    if (known.target.empty()) ++sum.streams;
    sum.total = Finite(sum.total + (stream.value - (known.target.empty() ? 0 : known.value)));
  }
  known = std::move(stream);
  slots_[slot].is_known = true;
  Unlink(slot);
  LinkNewest(slot);
}

void StreamTable::RestoreForgotten(const StreamKey& key) {
  const std::uint32_t slot = Find(key);
  if (slot == kNone) return;
  const Stream& stream = slots_[slot].stream;
  if (const auto sum = targets_.find(stream.target); sum != targets_.end()) {
    sum->second.total = Finite(sum->second.total - stream.value);
    if (--sum->second.streams == 0) targets_.erase(sum);
  }
  RaiseHorizon(key, stream);
  Erase(slot);
}

Status StreamTable::Restore(std::string_view record) {
  while (!record.empty()) {
    std::uint8_t kind = 0;
    StreamKey key;
    if (!Get(record, kind) || !Get(record, key.high) || !Get(record, key.low)) {
      return Corrupt("otlp_streams: an entry is cut short");
    }
    const bool all_seen = (kind & kAllSeen) != 0;
    if (kind == kForgotten) {
      RestoreForgotten(key);
    } else if (kind == kHorizon) {
      UnixNanos& horizon = horizons_[key.low % kHorizons];
      horizon = std::max(horizon, key.high);
    } else if (const auto plain = kind & ~kAllSeen; plain <= 4) {
      Stream stream;
      stream.kind = static_cast<Stream::Kind>(plain);
      if (!GetStream(record, stream, all_seen)) {
        return Corrupt("otlp_streams: an entry is cut short");
      }
      RestoreStream(key, std::move(stream), all_seen);
    } else {
      return Corrupt("otlp_streams: unknown kind of entry");
    }
  }
  return {};
}

void StreamTable::Save(const std::function<void(std::string_view record)>& write) const {
  std::string record;
  const auto flush = [&](std::size_t from) {
    if (record.size() <= from) return;
    write(record);
    record.clear();
  };
  for (std::size_t bucket = 0; bucket < kHorizons; ++bucket) {
    if (horizons_[bucket] != 0) PutHead(record, kHorizon, {horizons_[bucket], bucket});
    flush(kSaveBytes);
  }
  for (std::uint32_t slot = oldest_; slot != kNone; slot = slots_[slot].newer) {
    if (slots_[slot].is_known) PutStream(record, slots_[slot].key, slots_[slot].stream, true);
    flush(kSaveBytes);
  }
  flush(0);
}

}  // namespace skep::ingest
