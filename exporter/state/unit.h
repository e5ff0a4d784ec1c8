// What one Update collects. Equal series are merged as they come, so that a thousand changes of one
// series are one line of the journal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/state/store.h"
#include "exporter/state/tables.h"

namespace skep::state {

// Thread-compatible; buffers are kept from one unit to the next. New series stand in the tables
// from the first change on, unborn, until Apply or Rollback.
class Unit final : public Changes {
 public:
  // Values as they will be, not differences: so a journal may be read onto anything older.
  struct Touched {
    FamilyId family = 0;
    SeriesId series = 0;
    bool is_removed = false;
    bool is_anew = false;    // removed, then changed again: buckets not named are 0
    double value = 0;        // of a histogram: the sum
    std::size_t counts = 0;  // where a histogram's counts begin
  };
  struct SectionRecord {
    std::size_t section;  // its place among `section_names`
    std::size_t offset;
    std::size_t length;
  };
  struct Refused {
    std::uint64_t values = 0;
    std::uint64_t labels = 0;
    std::uint64_t families = 0;  // unknown, or of another type than the change
    std::uint64_t sections = 0;  // unknown
    std::uint64_t total() const { return values + labels + families + sections; }
    Refused& operator+=(const Refused& other);
  };

  // `tables` must outlive it; `dropped` is the family that counts what caps put into "other".
  Unit(Tables& tables, FamilyId dropped, std::vector<std::string> section_names);

  // `now`: milliseconds of the steady clock.
  void Begin(std::int64_t now);
  void Apply();
  void Rollback();

  void Add(FamilyId family, LabelsView labels, double value) override;
  void Set(FamilyId family, LabelsView labels, double value) override;
  void Observe(FamilyId family, LabelsView labels, double value, std::uint64_t times) override;
  void AddBuckets(FamilyId family, LabelsView labels, std::span<const std::uint64_t> counts,
                  double sum) override;
  void Remove(FamilyId family, LabelsView labels) override;
  std::uint64_t refused_changes() const override {
    return refused_.values + refused_.labels + refused_.families;
  }
  void Record(std::string_view section, std::string_view bytes) override;
  void OnCommitted(std::function<void()> apply) override;

  const std::vector<Touched>& touched() const { return touched_; }
  std::span<const std::uint64_t> counts(const Touched& touched) const;
  const std::vector<SectionRecord>& records() const { return records_; }
  std::string_view bytes(const SectionRecord& record) const {
    return std::string_view(bytes_).substr(record.offset, record.length);
  }
  const Refused& refused() const { return refused_; }
  // The family that a cap struck first in this unit, or `end_id()` of the tables.
  FamilyId first_capped() const { return first_capped_; }

 private:
  // Null: the change is of a kind that the family does not take.
  Family* Check(FamilyId family, bool wants_histogram);
  // The entry of the series, made if need be; null: refused.
  Touched* Touch(FamilyId family, LabelsView labels);
  Touched* TouchAt(FamilyId family, SeriesId series);
  // False: the sum would not be finite, and is refused.
  bool AddTo(Touched& touched, double value);
  Touched& Enter(FamilyId family, SeriesId series);
  void CountCapped(FamilyId family);
  void ApplyOne(const Touched& touched);
  void Clear();

  Tables& tables_;
  const FamilyId dropped_;
  const std::vector<std::string> section_names_;
  std::int64_t now_ = 0;
  std::vector<Touched> touched_;
  std::vector<std::uint64_t> counts_;
  std::vector<SectionRecord> records_;
  std::string bytes_;
  std::vector<std::function<void()>> callbacks_;
  Refused refused_;
  FamilyId first_capped_ = 0;
};

}  // namespace skep::state
