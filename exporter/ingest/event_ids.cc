#include "exporter/ingest/event_ids.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace skep::ingest {
namespace {

constexpr std::size_t kFirstRing = 1024;
constexpr std::size_t kIdsPerRecord = 4096;
constexpr std::int64_t kKeptSeconds = EventIds::kKeptFor / std::chrono::seconds(1);

// SipHash-2-4 with 128 bits of output, fed piece by piece. HashBytes would be faster but may change
// with the program, and these hashes stand in files.
class SipHash {
 public:
  SipHash() {
    constexpr std::uint64_t k0 = 0x0706050403020100ULL;
    constexpr std::uint64_t k1 = 0x0f0e0d0c0b0a0908ULL;
    v_[0] = 0x736f6d6570736575ULL ^ k0;
    v_[1] = 0x646f72616e646f6dULL ^ k1 ^ 0xee;
    v_[2] = 0x6c7967656e657261ULL ^ k0;
    v_[3] = 0x7465646279746573ULL ^ k1;
  }

  void Add(std::string_view text) {
    total_ += text.size();
    while (!text.empty()) {
      const std::size_t take = std::min(text.size(), 8 - filled_);
      std::memcpy(reinterpret_cast<char*>(&word_) + filled_, text.data(), take);
      text.remove_prefix(take);
      filled_ += take;
      if (filled_ == 8) Compress();
    }
  }

  std::pair<std::uint64_t, std::uint64_t> Finish() {
    word_ |= static_cast<std::uint64_t>(total_ & 0xFF) << 56;
    Compress();
    v_[2] ^= 0xee;
    for (int i = 0; i < 4; ++i) Round();
    const std::uint64_t first = v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
    v_[1] ^= 0xdd;
    for (int i = 0; i < 4; ++i) Round();
    return {first, v_[0] ^ v_[1] ^ v_[2] ^ v_[3]};
  }

 private:
  void Compress() {
    v_[3] ^= word_;
    Round();
    Round();
    v_[0] ^= word_;
    word_ = 0;
    filled_ = 0;
  }

  void Round() {
    v_[0] += v_[1];
    v_[2] += v_[3];
    v_[1] = std::rotl(v_[1], 13) ^ v_[0];
    v_[3] = std::rotl(v_[3], 16) ^ v_[2];
    v_[0] = std::rotl(v_[0], 32);
    v_[2] += v_[1];
    v_[0] += v_[3];
    v_[1] = std::rotl(v_[1], 17) ^ v_[2];
    v_[3] = std::rotl(v_[3], 21) ^ v_[0];
    v_[2] = std::rotl(v_[2], 32);
  }

  std::array<std::uint64_t, 4> v_{};
  std::uint64_t word_ = 0;  // little-endian, as the machine is
  std::size_t filled_ = 0;
  std::size_t total_ = 0;
};

bool Same(const RememberedId& a, const RememberedId& b) {
  return a.high == b.high && a.low == b.low;
}

std::uint32_t Seconds(Timestamp time) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(ToMillis(time) / 1000, 0, std::int64_t{UINT32_MAX}));
}

}  // namespace

RememberedId HashEventId(std::string_view kind, std::string_view id, Timestamp now) {
  SipHash hash;
  hash.Add(kind);
  hash.Add(std::string_view("\0", 1));
  hash.Add(id);
  const auto [first, second] = hash.Finish();
  return {first, static_cast<std::uint32_t>(second), Seconds(now)};
}

std::size_t EventIds::SlotOf(const RememberedId& id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = id.high & mask;
  while (slots_[slot] != 0 && !Same(ring_[slots_[slot] - 1], id)) slot = (slot + 1) & mask;
  return slot;
}

bool EventIds::Has(const RememberedId& id) const {
  if (size_ == 0) return false;
  const std::uint32_t place = slots_[SlotOf(id)];
  return place != 0 && std::int64_t{ring_[place - 1].seconds} + kKeptSeconds >= id.seconds;
}

void EventIds::Add(std::span<const RememberedId> ids, Timestamp now) {
  const std::uint32_t oldest = Seconds(now - kKeptFor);
  while (size_ > 0 && At(0).seconds < oldest) DropFirst();
  for (const RememberedId& id : ids) PutIn(id);
}

void EventIds::PutIn(const RememberedId& id) {
  if (size_ == max_ids_) {
    forgotten_until_ = std::max(forgotten_until_, At(0).seconds);
    ++forgotten_early_;
    DropFirst();
  }
  if (size_ == ring_.size()) Grow();
  const std::size_t place = (first_ + size_) & (ring_.size() - 1);
  ring_[place] = id;
  ++size_;
  slots_[SlotOf(id)] = static_cast<std::uint32_t>(place + 1);
}

// Takes the oldest out, and moves up what stands behind it in its run of slots. After the clock was
// set back an expired id may have come again: then the slot is that of the younger one.
void EventIds::DropFirst() {
  const std::size_t mask = slots_.size() - 1;
  const std::size_t gone = first_;
  std::size_t hole = SlotOf(At(0));
  first_ = (first_ + 1) & (ring_.size() - 1);
  --size_;
  if (slots_[hole] != gone + 1) return;
  for (std::size_t slot = (hole + 1) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::size_t home = ring_[slots_[slot] - 1].high & mask;
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    slots_[hole] = slots_[slot];
    hole = slot;
  }
  slots_[hole] = 0;
}

void EventIds::Grow() {
  std::vector<RememberedId> larger(std::max(kFirstRing, ring_.size() * 2));
  for (std::size_t i = 0; i < size_; ++i) larger[i] = At(i);
  ring_ = std::move(larger);
  first_ = 0;
  slots_.assign(ring_.size() * 2, 0);
  for (std::size_t i = 0; i < size_; ++i)
    slots_[SlotOf(ring_[i])] = static_cast<std::uint32_t>(i + 1);
}

Timestamp EventIds::CoveredSince(Timestamp now) const {
  const Timestamp forgotten = FromMillis(std::int64_t{forgotten_until_} * 1000 + 999);
  return std::max(now - kKeptFor, forgotten_until_ == 0 ? kMinTimestamp : forgotten);
}

std::string_view EventIds::Bytes(std::span<const RememberedId> ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size_bytes()};
}

Status EventIds::Restore(std::string_view record) {
  if (record.size() % sizeof(RememberedId) != 0) return Corrupt("ids that are cut short");
  for (; !record.empty(); record.remove_prefix(sizeof(RememberedId))) {
    RememberedId id{};
    std::memcpy(&id, record.data(), sizeof(id));
    if (!Has(id)) PutIn(id);
  }
  return {};
}

void EventIds::Save(const std::function<void(std::string_view record)>& write) const {
  std::vector<RememberedId> some;
  some.reserve(std::min(size_, kIdsPerRecord));
  for (std::size_t i = 0; i < size_; ++i) {
    some.push_back(At(i));
    if (some.size() < kIdsPerRecord && i + 1 < size_) continue;
    write(Bytes(some));
    some.clear();
  }
}

}  // namespace skep::ingest
