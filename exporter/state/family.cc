#include "exporter/state/family.h"

#include <algorithm>

#include "exporter/state/label_text.h"

namespace skep::state {
namespace {

std::uint32_t Tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

Family::Family(FamilySpec spec) : spec_(std::move(spec)) {
  slots_.resize(8);
  RecountValues();
}

bool Family::HasShapeOf(const FamilySpec& other) const {
  return spec_.type == other.type && spec_.bounds == other.bounds;
}

void Family::Replace(FamilySpec spec) {
  if (spec.help != spec_.help || spec.expiry != spec_.expiry) is_in_file = false;
  spec_ = std::move(spec);
  RecountValues();
}

std::optional<SeriesId> Family::Find(std::string_view text, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].number != 0; i = (i + 1) & mask) {
    const SeriesId id = slots_[i].number - 1;
    if (slots_[i].tag == Tag(hash) && series_[id].text == text) return id;
  }
  return std::nullopt;
}

SeriesId Family::Create(std::string_view text, std::uint64_t hash) {
  while (!free_.empty() && series_[free_.back()].exists) free_.pop_back();
  const SeriesId id = free_.empty() ? end_id() : free_.back();
  if (!free_.empty()) free_.pop_back();
  Occupy(id, text, hash);
  return id;
}

void Family::CreateAt(SeriesId id, std::string_view text, std::uint64_t hash) {
  for (SeriesId skipped = end_id(); skipped < id; ++skipped) free_.push_back(skipped);
  Occupy(id, text, hash);
}

void Family::Occupy(SeriesId id, std::string_view text, std::uint64_t hash) {
  if (id >= series_.size()) series_.resize(id + 1UL);
  if (is_histogram()) {
    if (counts_.size() < series_.size() * buckets()) counts_.resize(series_.size() * buckets());
    std::ranges::fill(counts(id), 0);
  }
  Series& series = series_[id];
  series = Series{};
  series.text = text;
  series.hash = hash;
  series.exists = true;
  ++size_;
  if (size_ * 2 > slots_.size()) Grow();
  Insert(id);
  CountValues(text, true);
}

void Family::Grow() {
  slots_.assign(slots_.size() * 2, {});
  for (SeriesId id = 0; id < end_id(); ++id) {
    // The newest one is inserted by the caller.
    if (series_[id].exists) Insert(id);
  }
}

void Family::Insert(SeriesId id) {
  const std::uint64_t hash = series_[id].hash;
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].number != 0) {
    if (slots_[i].number == id + 1) return;
    i = (i + 1) & mask;
  }
  slots_[i] = {Tag(hash), id + 1};
}

// Entries behind the hole that may move up into it do, so that no search ends early.
void Family::RemoveSlot(SeriesId id) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = series_[id].hash & mask;
  while (slots_[hole].number != id + 1) hole = (hole + 1) & mask;
  for (std::size_t i = (hole + 1) & mask; slots_[i].number != 0; i = (i + 1) & mask) {
    const std::size_t home = series_[slots_[i].number - 1].hash & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = {};
}

void Family::Erase(SeriesId id) {
  Series& series = series_[id];
  RemoveSlot(id);
  CountValues(series.text, false);
  if (series.is_overflow) --overflow_size_;
  series = Series{};
  --size_;
  free_.push_back(id);
}

std::size_t Family::EraseExpired(std::int64_t now) {
  if (spec_.expiry.count() == 0) return 0;
  std::size_t erased = 0;
  for (SeriesId id = 0; id < end_id(); ++id) {
    const Series& series = series_[id];
    if (!series.exists || !series.is_born || series.touched != 0) continue;
    if (!IsExpired(series, now)) continue;
    Erase(id);
    ++erased;
  }
  return erased;
}

std::span<std::uint64_t> Family::counts(SeriesId id) {
  return std::span(counts_).subspan(id * buckets(), buckets());
}

std::span<const std::uint64_t> Family::counts(SeriesId id) const {
  return std::span(counts_).subspan(id * buckets(), buckets());
}

void Family::MarkOverflow(SeriesId id) {
  series_[id].is_overflow = true;
  ++overflow_size_;
}

bool Family::IsValueBeyondCap(std::string_view label, std::string_view value,
                              std::size_t max) const {
  for (const ValueSet& set : values_) {
    if (set.label != label) continue;
    const bool has_other = set.series.find("other") != set.series.end();
    return set.series.size() - (has_other ? 1 : 0) >= max &&
           set.series.find(value) == set.series.end();
  }
  return false;
}

void Family::CountValues(std::string_view text, bool add) {
  if (values_.empty()) return;
  std::vector<TextLabel> labels;
  SplitLabelText(text, labels);
  for (const auto& [name, value] : labels) {
    for (ValueSet& set : values_) {
      if (set.label != name) continue;
      if (add) {
        ++set.series[std::string(value)];
      } else if (const auto found = set.series.find(value);
                 found != set.series.end() && --found->second == 0) {
        set.series.erase(found);
      }
    }
  }
}

void Family::RecountValues() {
  values_.clear();
  for (const auto& [label, max] : spec_.max_values) values_.push_back({label, {}});
  for (const Series& series : series_) {
    if (series.exists) CountValues(series.text, true);
  }
}

}  // namespace skep::state
