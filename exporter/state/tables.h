// All families in memory, and which series a change lands in once the caps have had their say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "common/exposition/writer.h"
#include "exporter/state/family.h"
#include "exporter/state/store.h"

namespace skep::state {

inline constexpr std::string_view kDroppedFamily = "swarm_series_dropped_total";

// Beyond its cap a family has so many series for the values of its closed labels; then these become
// "other" as well. So the bounds hold whatever is sent.
inline constexpr std::size_t kMaxOverflowSeries = 100;

// Where a change goes.
struct Place {
  SeriesId series = 0;
  bool is_good = false;    // false: the labels are none that a series can have
  bool is_capped = false;  // a cap put it into "other"
};

// Thread-compatible.
class Tables {
 public:
  struct Limits {
    std::size_t max_series;  // lines of a page
    std::size_t max_families;
    std::vector<std::string> reserved_prefixes;
  };

  explicit Tables(Limits limits);

  // As Store::Define. A family of another shape that nobody uses makes room; its series are gone.
  Result<FamilyId> Define(FamilySpec spec);
  void Release(FamilyId id);

  // Null: no such family.
  Family* Get(FamilyId id) { return id < families_.size() ? families_[id].get() : nullptr; }
  const Family* Get(FamilyId id) const {
    return id < families_.size() ? families_[id].get() : nullptr;
  }
  FamilyId end_id() const { return static_cast<FamilyId>(families_.size()); }

  // The series of the labels, made if it is new. `now`: milliseconds of the steady clock.
  Place Locate(FamilyId id, LabelsView labels, std::int64_t now);
  std::optional<SeriesId> Find(FamilyId id, LabelsView labels);
  void Erase(FamilyId id, SeriesId series);
  void EraseExpired(std::int64_t now);

  // What the file says. An unknown number is made, a known one replaced, and nothing capped.
  // kCorrupt: what no store writes.
  Status RestoreFamily(FamilyId id, FamilySpec spec);
  Status RestoreSeries(FamilyId id, SeriesId series, std::string_view text);

  std::size_t lines() const { return lines_; }
  std::size_t families() const;
  // Those that have series, in order of their names.
  std::vector<FamilyId> Sorted() const;

 private:
  Status CheckName(const FamilySpec& spec) const;
  Status CheckClaims(const FamilySpec& spec) const;
  void Claim(FamilyId id);
  void Drop(FamilyId id);
  bool MakeRoom();
  FamilyId FreeId() const;
  Place LocateNew(Family& family, LabelsView labels, std::int64_t now);
  Place FindOrCreate(Family& family, bool is_overflow);
  void CapValues(const Family& family);
  void CapSeries(const Family& family);
  void SetLabels(LabelsView labels);
  bool HasRoom(Family& family, std::int64_t now);

  Limits limits_;
  std::vector<std::unique_ptr<Family>> families_;  // by FamilyId; null: free
  // Every name that lines or metadata of a family have, so that no two share one.
  std::unordered_map<std::string, FamilyId> claims_;
  std::size_t lines_ = 0;

  // Of the change at hand; reused.
  std::string text_;
  std::uint64_t hash_ = 0;
  std::vector<LabelView> labels_;
  std::vector<std::string> cleaned_;
};

}  // namespace skep::state
