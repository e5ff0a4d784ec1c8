#include "evaluator/engine/label_key.h"

#include <algorithm>

#include "common/base/hash.h"
#include "evaluator/engine/context.h"

namespace skep::engine {

LabelChoice::LabelChoice(bool only, std::vector<std::string> names)
    : only_(only), names_(std::move(names)) {
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
}

LabelChoice LabelChoice::Only(std::vector<std::string> names) { return {true, std::move(names)}; }
LabelChoice LabelChoice::AllBut(std::vector<std::string> names) {
  return {false, std::move(names)};
}

// Few names: a walk beats a search tree.
bool LabelChoice::Takes(std::string_view name) const {
  for (const std::string& candidate : names_) {
    if (candidate == name) return only_;
  }
  return !only_;
}

bool LabelChoice::TakesMetadata() const {
  return Takes(kMetricName) || Takes("__type__") || Takes("__unit__");
}

std::uint64_t LabelChoice::Hash(const Labels& labels) const {
  std::uint64_t hash = 0;
  for (const LabelView& label : labels) {
    if (!Takes(label.name)) continue;
    hash = MixHash(MixHash(hash, HashBytes(label.name)), HashBytes(label.value));
  }
  return hash;
}

bool LabelChoice::Equal(const Labels& a, const Labels& b) const {
  auto x = a.begin();
  auto y = b.begin();
  while (true) {
    while (x != a.end() && !Takes((*x).name)) ++x;
    while (y != b.end() && !Takes((*y).name)) ++y;
    if (x == a.end() || y == b.end()) return x == a.end() && y == b.end();
    if (*x != *y) return false;
    ++x;
    ++y;
  }
}

Labels LabelChoice::Pick(const Labels& labels) const {
  std::vector<LabelView> kept;
  kept.reserve(8);
  for (const LabelView& label : labels) {
    if (Takes(label.name)) kept.push_back(label);
  }
  return Labels::FromPairs(kept);
}

std::size_t LabelIndex::SlotOf(std::uint64_t hash, const Labels& labels) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].number != 0) {
    if (slots_[at].hash == hash && choice_.Equal(*first_[slots_[at].number - 1], labels)) break;
    at = (at + 1) & mask;
  }
  return at;
}

void LabelIndex::Grow() {
  slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, Slot{});
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    std::size_t at = hashes_[i] & mask;
    while (slots_[at].number != 0) at = (at + 1) & mask;
    slots_[at] = {hashes_[i], i + 1};
  }
}

std::size_t LabelIndex::Add(const Labels& labels) {
  if ((first_.size() + 1) * 2 > slots_.size()) Grow();
  const std::uint64_t hash = choice_.Hash(labels);
  Slot& slot = slots_[SlotOf(hash, labels)];
  if (slot.number == 0) {
    first_.push_back(&labels);
    hashes_.push_back(hash);
    slot = {hash, first_.size()};
  }
  return slot.number - 1;
}

std::optional<std::size_t> LabelIndex::Find(const Labels& labels) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[SlotOf(choice_.Hash(labels), labels)];
  if (slot.number == 0) return std::nullopt;
  return slot.number - 1;
}

}  // namespace skep::engine
