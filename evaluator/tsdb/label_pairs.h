// Label strings, once each: every (name, value) that some series has is a number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/labels.h"

namespace skep::tsdb {

// Of a pair, or of a name. One that is released is given to another later.
using PairId = std::uint32_t;
using NameId = std::uint32_t;

// Pairs in the order of their values, which the caller compares. Blocks of some hundred: a pair
// comes and goes without moving all that follow. Thread-compatible.
class PairOrder {
 public:
  // The place of the first pair whose value is not below: `is_below` is true of a beginning.
  template <typename IsBelow>
  std::pair<std::size_t, std::size_t> Find(IsBelow is_below) const;
  // Gives every pair from `from` on to `take` until that says false.
  template <typename Take>
  void Walk(std::pair<std::size_t, std::size_t> from, Take take) const;
  void Insert(std::pair<std::size_t, std::size_t> at, PairId pair);
  void Erase(std::pair<std::size_t, std::size_t> at);

  std::size_t size() const { return size_; }
  std::size_t heap_bytes() const;

 private:
  static constexpr std::size_t kBlock = 256;

  std::vector<std::vector<PairId>> blocks_;  // none is empty
  std::size_t size_ = 0;
};

// Thread-compatible: reading at once is fine, changes need it alone. Views into it live until their
// pair is released.
class LabelPairs {
 public:
  LabelPairs() = default;
  LabelPairs(const LabelPairs&) = delete;
  LabelPairs& operator=(const LabelPairs&) = delete;
  ~LabelPairs();

  // The pair's number, a new one if need be.
  PairId Intern(std::string_view name, std::string_view value);
  std::optional<PairId> Find(std::string_view name, std::string_view value) const;
  std::optional<NameId> FindName(std::string_view name) const;
  // Nobody has the pair any more. Its name goes with the last of its pairs.
  void Release(PairId pair);

  NameId name_id(PairId pair) const { return pairs_[pair].name; }
  std::string_view name(PairId pair) const { return names_[pairs_[pair].name].text; }
  std::string_view value(PairId pair) const { return Text(pairs_[pair]); }
  // "" where no pair of the set has the name.
  std::string_view ValueOf(std::span<const PairId> set, NameId name) const;

  // A label set as numbers (in the order of names), and back.
  void InternAll(const Labels& labels, std::vector<PairId>& out);
  Labels Make(std::span<const PairId> set) const;
  bool Equal(std::span<const PairId> set, const Labels& labels) const;
  // The order of Labels.
  bool Less(std::span<const PairId> a, std::span<const PairId> b) const;

  // Names that some pair has, sorted.
  const std::map<std::string_view, NameId>& names() const { return by_name_; }
  // How many values a name has; the pairs of those that begin with `prefix` in the order of values,
  // until `take` says false.
  std::size_t CountValues(NameId name) const { return names_[name].order.size(); }
  void WalkValues(NameId name, std::string_view prefix,
                  const std::function<bool(PairId)>& take) const;

  std::size_t size() const { return size_; }
  // Numbers are below it.
  PairId end() const { return static_cast<PairId>(pairs_.size()); }
  bool Lives(PairId pair) const { return pairs_[pair].name != kNoName; }
  // Of the heap.
  std::size_t heap_bytes() const;

 private:
  static constexpr NameId kNoName = 0xffffffff;
  static constexpr std::uint32_t kInline = 12;

  struct Pair {
    NameId name = kNoName;
    std::uint32_t hash = 0;
    std::uint32_t length = 0;
    char text[kInline] = {};  // the value where it is no longer, else where it stands
  };
  struct Name {
    std::string text;
    PairOrder order;
  };

  static const char* Heap(const Pair& pair);
  static std::string_view Text(const Pair& pair) {
    return {pair.length <= kInline ? pair.text : Heap(pair), pair.length};
  }
  NameId InternName(std::string_view name);
  PairId New(NameId name, std::string_view value, std::uint32_t hash);
  // The slot that has the pair, or that is free for it.
  std::size_t SlotOf(NameId name, std::string_view value, std::uint32_t hash) const;
  void Grow();
  void Unslot(PairId pair);

  std::deque<Pair> pairs_;
  std::deque<Name> names_;
  std::vector<PairId> free_pairs_;
  std::vector<NameId> free_names_;
  std::map<std::string_view, NameId> by_name_;  // of names_
  std::vector<PairId> slots_;  // open addressing, a power of two, at most 3/4 full; plus one
  std::size_t size_ = 0;
  std::size_t text_bytes_ = 0;  // on the heap
};

}  // namespace skep::tsdb
