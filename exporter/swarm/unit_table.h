// A bounded table whose entries change in units: what a unit has changed it sees itself, and nobody
// else does before the unit is committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace skep::swarm {

// Entries under 64-bit keys in the order in which they were last put or touched. When there are
// more than `capacity`, the oldest leave. Thread-compatible.
template <typename Entry>
class UnitTable {
 public:
  explicit UnitTable(std::size_t capacity) : capacity_(capacity) {}

  // Null where there is none. Valid until the next change of the table.
  const Entry* Find(std::uint64_t key) const {
    const auto at = index_.find(key);
    return at == index_.end() ? nullptr : &at->second->second;
  }

  // Puts `entry` as the youngest. What leaves for it goes to `evicted(key, entry)`.
  template <typename Evicted>
  void Put(std::uint64_t key, Entry entry, const Evicted& evicted) {
    Erase(key);
    entries_.emplace_back(key, std::move(entry));
    index_[key] = std::prev(entries_.end());
    while (entries_.size() > capacity_) {
      auto oldest = std::move(entries_.front());
      Erase(oldest.first);
      evicted(oldest.first, oldest.second);
    }
  }
  void Put(std::uint64_t key, Entry entry) {
    Put(key, std::move(entry), [](std::uint64_t, const Entry&) {});
  }

  // Makes it the youngest, where it is there.
  void Touch(std::uint64_t key) {
    const auto at = index_.find(key);
    if (at != index_.end()) entries_.splice(entries_.end(), entries_, at->second);
  }

  void Erase(std::uint64_t key) {
    const auto at = index_.find(key);
    if (at == index_.end()) return;
    entries_.erase(at->second);
    index_.erase(at);
  }

  // From the oldest to the youngest: pairs of key and entry.
  const std::list<std::pair<std::uint64_t, Entry>>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  std::size_t capacity() const { return capacity_; }
  // Takes effect with the next Put.
  void SetCapacity(std::size_t capacity) { capacity_ = capacity; }

  // What one unit wants to change. Reads through to the table. Must not outlive it.
  class Changes {
   public:
    explicit Changes(const UnitTable& table) : table_(table) {}

    const Entry* Find(std::uint64_t key) const {
      const auto at = changed_.find(key);
      if (at == changed_.end()) return table_.Find(key);
      return at->second ? &*at->second : nullptr;
    }
    void Put(std::uint64_t key, Entry entry) { changed_[key] = std::move(entry); }
    void Erase(std::uint64_t key) { changed_[key] = std::nullopt; }
    // Of an entry that stays as it is.
    void Touch(std::uint64_t key) { touched_.insert(key); }

    // Nothing: the entry goes.
    const std::unordered_map<std::uint64_t, std::optional<Entry>>& all() const { return changed_; }
    const std::unordered_set<std::uint64_t>& touched() const { return touched_; }

   private:
    const UnitTable& table_;
    std::unordered_map<std::uint64_t, std::optional<Entry>> changed_;
    std::unordered_set<std::uint64_t> touched_;
  };

 private:
  std::size_t capacity_;
  std::list<std::pair<std::uint64_t, Entry>> entries_;
  std::unordered_map<std::uint64_t, typename std::list<std::pair<std::uint64_t, Entry>>::iterator>
      index_;
};

}  // namespace skep::swarm
