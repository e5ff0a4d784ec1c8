// The ids of events that were seen: 24 hours, at most 1,000,000 of them, 16 bytes each and as much
// again for finding them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// What is kept of an id: 96 bits of a hash that never changes (SipHash-2-4 with a fixed key) and
// when it came, in seconds since 1970.
struct RememberedId {
  std::uint64_t high;
  std::uint32_t low;
  std::uint32_t seconds;
};
static_assert(sizeof(RememberedId) == 16);

// Of `id` within `kind`: two kinds may use the same ids.
RememberedId HashEventId(std::string_view kind, std::string_view id, Timestamp now);

// A Section: guarded by the store's lock, as state/store.h has it.
class EventIds : public state::Section {
 public:
  static constexpr Duration kKeptFor = std::chrono::hours(24);

  explicit EventIds(std::size_t max_ids = 1'000'000) : max_ids_(max_ids) {}

  // Whether it came within 24 hours before the time that `id` carries.
  bool Has(const RememberedId& id) const;
  // Puts them in, and what is too old or too much out. Requires: Has none of them, none twice.
  void Add(std::span<const RememberedId> ids, Timestamp now);

  std::size_t size() const { return size_; }
  std::size_t max_size() const { return max_ids_; }
  // Ids that had to go before their 24 hours were over, since the start.
  std::uint64_t forgotten_early() const { return forgotten_early_; }
  // What happened before it may have been seen and forgotten: when the last id went early, or 24
  // hours before `now`.
  Timestamp CoveredSince(Timestamp now) const;

  // As records have them, for Changes::Record.
  static std::string_view Bytes(std::span<const RememberedId> ids);

  std::string_view name() const override { return "event_ids"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

 private:
  // In order of arrival: a ring whose size is a power of 2.
  RememberedId& At(std::size_t index) { return ring_[(first_ + index) & (ring_.size() - 1)]; }
  const RememberedId& At(std::size_t index) const {
    return ring_[(first_ + index) & (ring_.size() - 1)];
  }
  // Where `id` stands in slots_, or the free slot where it belongs.
  std::size_t SlotOf(const RememberedId& id) const;
  void PutIn(const RememberedId& id);
  void DropFirst();
  void Grow();

  std::size_t max_ids_;
  std::vector<RememberedId> ring_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> slots_;  // place in ring_ + 1; 0: free. Twice as many as ring_ has
  std::uint64_t forgotten_early_ = 0;
  std::uint32_t forgotten_until_ = 0;  // the latest time of those, in seconds
};

}  // namespace skep::ingest
