// One family in memory: its series by label text, and what of it counts against its caps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/state/store.h"

namespace skep::state {

// Of one family, from 0; numbers of erased series are used again.
using SeriesId = std::uint32_t;

struct Series {
  std::string text;           // of its labels; see label_text.h
  std::uint64_t hash = 0;     // of `text`
  double value = 0;           // of a histogram: the sum
  std::int64_t changed = 0;   // milliseconds of the steady clock; kept where the family expires
  std::uint32_t touched = 0;  // by the running unit: its entry there, from 1
  bool exists = false;
  bool is_born = false;      // shown, and known to the file; not before the unit that made it is
  bool is_overflow = false;  // made beyond the cap: an "other"
};

// Thread-compatible.
class Family {
 public:
  explicit Family(FamilySpec spec);

  const FamilySpec& spec() const { return spec_; }
  bool is_histogram() const { return spec_.type == exposition::MetricType::kHistogram; }
  // How many counts a histogram's series has: one more than bounds.
  std::size_t buckets() const { return spec_.bounds.size() + 1; }
  // Lines of one series on a page: what a scrape calls series.
  std::size_t lines_per_series() const { return is_histogram() ? buckets() + 2 : 1; }
  bool HasShapeOf(const FamilySpec& other) const;
  // All but type and bounds. Requires: HasShapeOf(spec).
  void Replace(FamilySpec spec);

  std::optional<SeriesId> Find(std::string_view text, std::uint64_t hash) const;
  // Requires: no series has the text.
  SeriesId Create(std::string_view text, std::uint64_t hash);
  // The same under a number that the file gave it. Requires: no series has the number either.
  void CreateAt(SeriesId id, std::string_view text, std::uint64_t hash);
  void Erase(SeriesId id);
  // Erases what expired and is not part of the running unit. How many.
  std::size_t EraseExpired(std::int64_t now);
  bool IsExpired(const Series& series, std::int64_t now) const {
    return spec_.expiry.count() > 0 && now - series.changed > spec_.expiry.count();
  }

  bool Has(SeriesId id) const { return id < series_.size() && series_[id].exists; }
  Series& at(SeriesId id) { return series_[id]; }
  const Series& at(SeriesId id) const { return series_[id]; }
  std::span<std::uint64_t> counts(SeriesId id);
  std::span<const std::uint64_t> counts(SeriesId id) const;
  // Numbers that exist are below it; some of them may be free.
  SeriesId end_id() const { return static_cast<SeriesId>(series_.size()); }

  std::size_t size() const { return size_; }
  std::size_t overflow_size() const { return overflow_size_; }
  bool is_full() const { return size_ - overflow_size_ >= spec_.max_series; }
  void MarkOverflow(SeriesId id);
  // Whether `value` (escaped) would be one too many of the label.
  bool IsValueBeyondCap(std::string_view label, std::string_view value, std::size_t max) const;

  int users = 0;            // Defines less Releases
  bool is_in_file = false;  // the file knows it under its number
  bool is_exempt = false;   // from caps: it counts what they do
  bool was_capped = false;  // told in the log

 private:
  struct Slot {
    std::uint32_t tag = 0;     // upper half of the hash
    std::uint32_t number = 0;  // SeriesId + 1; 0: empty
  };
  struct ValueSet {
    std::string label;
    std::map<std::string, std::size_t, std::less<>> series;  // of each value
  };

  void Occupy(SeriesId id, std::string_view text, std::uint64_t hash);
  void Grow();
  void Insert(SeriesId id);
  void RemoveSlot(SeriesId id);
  void CountValues(std::string_view text, bool add);
  void RecountValues();

  FamilySpec spec_;
  std::vector<Series> series_;
  std::vector<std::uint64_t> counts_;  // buckets() of each series; histograms only
  std::vector<SeriesId> free_;
  std::vector<Slot> slots_;       // open addressing; a power of two, at most half full
  std::vector<ValueSet> values_;  // of labels in max_values
  std::size_t size_ = 0;
  std::size_t overflow_size_ = 0;
};

}  // namespace skep::state
