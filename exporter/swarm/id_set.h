// A bounded set of 64-bit ids: the youngest are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace skep::swarm {

// Holds at least half of `capacity` ids, the last ones inserted: when the younger half is full, the
// older one is dropped and they change places. Open addressing, at most 16 bytes an id.
// Thread-compatible.
class IdSet {
 public:
  explicit IdSet(std::size_t capacity) : half_(capacity / 2 + 1) {}

  bool Contains(std::uint64_t id) const { return young_.Contains(id) || old_.Contains(id); }

  void Insert(std::uint64_t id) {
    if (Contains(id)) return;
    if (young_.size() >= half_) {
      old_ = std::move(young_);
      young_ = Table();
    }
    young_.Insert(id);
  }

  std::size_t size() const { return young_.size() + old_.size(); }
  // The older half first.
  void ForEach(const std::function<void(std::uint64_t id)>& visit) const {
    old_.ForEach(visit);
    young_.ForEach(visit);
  }

 private:
  // 0 marks an empty slot; the id 0 is kept as 1, which costs a false "contains" once in 2^64.
  class Table {
   public:
    bool Contains(std::uint64_t id) const {
      if (slots_.empty()) return false;
      return slots_[SlotOf(id)] != 0;
    }
    void Insert(std::uint64_t id) {
      if ((size_ + 1) * 4 > slots_.size() * 3) Grow();
      const std::size_t slot = SlotOf(id);
      slots_[slot] = id == 0 ? 1 : id;
      ++size_;
    }
    std::size_t size() const { return size_; }
    void ForEach(const std::function<void(std::uint64_t id)>& visit) const {
      for (const std::uint64_t id : slots_) {
        if (id != 0) visit(id);
      }
    }

   private:
    // Where the id is or would be. Ids are hashes: their low bits are as good as any.
    std::size_t SlotOf(std::uint64_t id) const {
      const std::uint64_t wanted = id == 0 ? 1 : id;
      std::size_t slot = wanted & (slots_.size() - 1);
      while (slots_[slot] != 0 && slots_[slot] != wanted) slot = (slot + 1) & (slots_.size() - 1);
      return slot;
    }
    void Grow() {
      std::vector<std::uint64_t> before(slots_.empty() ? 64 : slots_.size() * 2, 0);
      before.swap(slots_);
      for (const std::uint64_t id : before) {
        if (id != 0) slots_[SlotOf(id)] = id;
      }
    }

    std::vector<std::uint64_t> slots_;  // a power of two
    std::size_t size_ = 0;
  };

  std::size_t half_;
  Table young_;
  Table old_;
};

}  // namespace skep::swarm
