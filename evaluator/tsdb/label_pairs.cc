#include "evaluator/tsdb/label_pairs.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/hash.h"
#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {
namespace {

std::uint32_t HashOf(NameId name, std::string_view value) {
  return static_cast<std::uint32_t>(MixHash(name, HashBytes(value)));
}

}  // namespace

template <typename IsBelow>
std::pair<std::size_t, std::size_t> PairOrder::Find(IsBelow is_below) const {
  const auto block = std::partition_point(
      blocks_.begin(), blocks_.end(),
      [&is_below](const auto& candidate) { return is_below(candidate.back()); });
  if (block == blocks_.end()) return {blocks_.size(), 0};
  const auto at = std::partition_point(block->begin(), block->end(), is_below);
  return {static_cast<std::size_t>(block - blocks_.begin()),
          static_cast<std::size_t>(at - block->begin())};
}

template <typename Take>
void PairOrder::Walk(std::pair<std::size_t, std::size_t> from, Take take) const {
  auto [block, at] = from;
  for (; block < blocks_.size(); ++block, at = 0) {
    for (; at < blocks_[block].size(); ++at) {
      if (!take(blocks_[block][at])) return;
    }
  }
}

void PairOrder::Insert(std::pair<std::size_t, std::size_t> at, PairId pair) {
  ++size_;
  auto [block, place] = at;
  const bool behind_all = block == blocks_.size();
  if (behind_all && (block == 0 || blocks_[block - 1].size() == kBlock)) {
    blocks_.emplace_back(1, pair);  // rising values leave full blocks
    return;
  }
  if (behind_all) place = blocks_[--block].size();
  if (blocks_[block].size() == kBlock) {
    std::vector<PairId> upper(blocks_[block].begin() + kBlock / 2, blocks_[block].end());
    blocks_[block].resize(kBlock / 2);
    blocks_[block].shrink_to_fit();
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(block) + 1, std::move(upper));
    if (place > kBlock / 2) {
      ++block;
      place -= kBlock / 2;
    }
  }
  std::vector<PairId>& list = blocks_[block];
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(place), pair);
}

void PairOrder::Erase(std::pair<std::size_t, std::size_t> at) {
  --size_;
  std::vector<PairId>& list = blocks_[at.first];
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(at.second));
  if (list.empty()) {
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(at.first));
  } else if (list.size() * 4 < list.capacity()) {
    list.shrink_to_fit();
  }
}

std::size_t PairOrder::heap_bytes() const {
  std::size_t bytes = HeapSize(blocks_.capacity() * sizeof(decltype(blocks_)::value_type));
  for (const auto& block : blocks_) bytes += HeapSize(block.capacity() * sizeof(PairId));
  return bytes;
}

LabelPairs::~LabelPairs() {
  for (const Pair& pair : pairs_) {
    if (pair.length > kInline) delete[] Heap(pair);
  }
}

const char* LabelPairs::Heap(const Pair& pair) {
  const char* heap = nullptr;
  std::memcpy(&heap, pair.text, sizeof(heap));
  return heap;
}

std::optional<NameId> LabelPairs::FindName(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? std::nullopt : std::optional(at->second);
}

NameId LabelPairs::InternName(std::string_view name) {
  if (const auto known = FindName(name)) return *known;
  auto id = static_cast<NameId>(names_.size());
  if (free_names_.empty()) {
    names_.emplace_back();
  } else {
    id = free_names_.back();
    free_names_.pop_back();
  }
  names_[id].text = name;
  by_name_.emplace(names_[id].text, id);
  return id;
}

std::size_t LabelPairs::SlotOf(NameId name, std::string_view value, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    const Pair& pair = pairs_[slots_[at] - 1];
    if (pair.hash == hash && pair.name == name && Text(pair) == value) break;
  }
  return at;
}

void LabelPairs::Grow() {
  std::vector<PairId> old(slots_.empty() ? 64 : slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const PairId slot : old) {
    if (slot == 0) continue;
    std::size_t at = pairs_[slot - 1].hash & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

std::optional<PairId> LabelPairs::Find(std::string_view name, std::string_view value) const {
  const auto id = FindName(name);
  if (!id) return std::nullopt;
  const PairId slot = slots_[SlotOf(*id, value, HashOf(*id, value))];
  return slot == 0 ? std::nullopt : std::optional(slot - 1);
}

PairId LabelPairs::Intern(std::string_view name, std::string_view value) {
  const NameId id = InternName(name);
  if ((size_ + 1) * 4 > slots_.size() * 3) Grow();
  const std::uint32_t hash = HashOf(id, value);
  PairId& slot = slots_[SlotOf(id, value, hash)];
  if (slot == 0) slot = New(id, value, hash) + 1;
  return slot - 1;
}

PairId LabelPairs::New(NameId name, std::string_view value, std::uint32_t hash) {
  auto id = static_cast<PairId>(pairs_.size());
  if (free_pairs_.empty()) {
    pairs_.emplace_back();
  } else {
    id = free_pairs_.back();
    free_pairs_.pop_back();
  }
  Pair& pair = pairs_[id];
  pair.name = name;
  pair.hash = hash;
  pair.length = static_cast<std::uint32_t>(value.size());
  char* text = pair.text;
  if (value.size() > kInline) {
    text = new char[value.size()];
    std::memcpy(pair.text, &text, sizeof(text));
    text_bytes_ += HeapSize(value.size());
  }
  value.copy(text, value.size());
  PairOrder& order = names_[name].order;
  order.Insert(order.Find([this, value](PairId other) { return Text(pairs_[other]) < value; }), id);
  ++size_;
  return id;
}

void LabelPairs::Unslot(PairId pair) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = pairs_[pair].hash & mask;
  while (slots_[hole] != pair + 1) hole = (hole + 1) & mask;
  // Later entries of the run move up unless they stand at or behind their own place.
  for (std::size_t at = (hole + 1) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = pairs_[slots_[at] - 1].hash & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = 0;
}

void LabelPairs::Release(PairId id) {
  Unslot(id);
  Pair& pair = pairs_[id];
  Name& name = names_[pair.name];
  const std::string_view value = Text(pair);
  name.order.Erase(
      name.order.Find([this, value](PairId other) { return Text(pairs_[other]) < value; }));
  if (name.order.size() == 0) {
    by_name_.erase(name.text);
    free_names_.push_back(pair.name);
    name = {};
  }
  if (pair.length > kInline) {
    text_bytes_ -= HeapSize(pair.length);
    delete[] Heap(pair);
  }
  pair = {};
  free_pairs_.push_back(id);
  --size_;
}

std::string_view LabelPairs::ValueOf(std::span<const PairId> set, NameId name) const {
  const auto at = std::find_if(set.begin(), set.end(),
                               [this, name](PairId pair) { return pairs_[pair].name == name; });
  return at == set.end() ? std::string_view() : value(*at);
}

void LabelPairs::InternAll(const Labels& labels, std::vector<PairId>& out) {
  out.clear();
  for (const auto& [name, value] : labels) out.push_back(Intern(name, value));
}

Labels LabelPairs::Make(std::span<const PairId> set) const {
  std::vector<LabelView> views;
  views.reserve(set.size());
  for (const PairId pair : set) views.push_back({name(pair), value(pair)});
  return Labels::WithEmptyValues(views);
}

bool LabelPairs::Equal(std::span<const PairId> set, const Labels& labels) const {
  auto at = labels.begin();
  for (const PairId pair : set) {
    if (at == labels.end() || *at != LabelView{name(pair), value(pair)}) return false;
    ++at;
  }
  return at == labels.end();
}

bool LabelPairs::Less(std::span<const PairId> a, std::span<const PairId> b) const {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return y != b.end();
  const Pair& p = pairs_[*x];
  const Pair& q = pairs_[*y];
  if (p.name != q.name) return names_[p.name].text < names_[q.name].text;
  return Text(p) < Text(q);
}

void LabelPairs::WalkValues(NameId name, std::string_view prefix,
                            const std::function<bool(PairId)>& take) const {
  const PairOrder& order = names_[name].order;
  const auto from =
      order.Find([this, prefix](PairId other) { return Text(pairs_[other]) < prefix; });
  order.Walk(from, [this, prefix, &take](PairId pair) {
    return Text(pairs_[pair]).starts_with(prefix) && take(pair);
  });
}

std::size_t LabelPairs::heap_bytes() const {
  constexpr std::size_t kMapNode = 80;
  constexpr std::size_t kDequeBlock = 512;  // what libstdc++ takes at a time
  const auto deque_bytes = [](std::size_t bytes) {
    return bytes / kDequeBlock * (HeapSize(kDequeBlock) + sizeof(void*));
  };
  std::size_t bytes = deque_bytes(pairs_.size() * sizeof(Pair) + kDequeBlock) +
                      deque_bytes(names_.size() * sizeof(Name) + kDequeBlock) + text_bytes_ +
                      HeapSize(slots_.capacity() * sizeof(PairId)) +
                      HeapSize(free_pairs_.capacity() * sizeof(PairId));
  for (const auto& [text, id] : by_name_) {
    const Name& name = names_[id];
    bytes += kMapNode + name.order.heap_bytes();
    if (name.text.capacity() > 15) bytes += HeapSize(name.text.capacity() + 1);
  }
  return bytes;
}

}  // namespace skep::tsdb
