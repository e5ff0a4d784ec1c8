// Series found by a part of their labels: groups of aggregations, partners of vector matching.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/labels.h"

namespace skep::engine {

// Which labels count: the named ones, or all but those.
class LabelChoice {
 public:
  static LabelChoice Only(std::vector<std::string> names);
  static LabelChoice AllBut(std::vector<std::string> names);

  bool Takes(std::string_view name) const;
  std::uint64_t Hash(const Labels& labels) const;
  bool Equal(const Labels& a, const Labels& b) const;
  // The chosen labels alone.
  Labels Pick(const Labels& labels) const;
  // Whether the choice could depend on metadata labels such as the name.
  bool TakesMetadata() const;

 private:
  LabelChoice(bool only, std::vector<std::string> names);

  bool only_;
  std::vector<std::string> names_;  // sorted, distinct
};

// Numbers label sets so that equal choices get equal numbers, in the order of their first
// appearance. Keeps pointers to the label sets. Thread-compatible.
class LabelIndex {
 public:
  explicit LabelIndex(LabelChoice choice) : choice_(std::move(choice)) {}

  // The number of `labels`, a new one if not seen before.
  std::size_t Add(const Labels& labels);
  std::optional<std::size_t> Find(const Labels& labels) const;
  std::size_t size() const { return first_.size(); }
  // The label set that got the number first.
  const Labels& first(std::size_t number) const { return *first_[number]; }
  const LabelChoice& choice() const { return choice_; }
  // Of the heap, without the label sets.
  std::size_t heap_bytes() const {
    return first_.capacity() * sizeof(void*) + hashes_.capacity() * sizeof(hashes_[0]) +
           slots_.capacity() * sizeof(slots_[0]);
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::size_t number = 0;  // plus one; 0: free
  };

  std::size_t SlotOf(std::uint64_t hash, const Labels& labels) const;
  void Grow();

  LabelChoice choice_;
  std::vector<const Labels*> first_;
  std::vector<std::uint64_t> hashes_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
};

}  // namespace skep::engine
