// What operators hand to each other: series as rows, steps as columns, values contiguous.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/sample.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// Stands in a column where the series has no sample at that step. The bits are those of the
// staleness marker: selectors never let one through, and being a signalling NaN it cannot come out
// of arithmetic, so presence costs no second column. Never do arithmetic with it.
inline const double kAbsent = kStaleNaN;
inline bool IsPresent(double value) { return !IsStaleNaN(value); }

// The points in time at which an expression is evaluated, in milliseconds.
struct Steps {
  std::int64_t start = 0;
  std::int64_t interval = 1;
  std::size_t count = 1;

  std::int64_t At(std::size_t i) const { return start + static_cast<std::int64_t>(i) * interval; }
  std::int64_t end() const { return At(count - 1); }
  // A single evaluation at `time`.
  static Steps Once(std::int64_t time) { return {time, 1, 1}; }
};

// What a query holds at this moment. Thread-compatible.
class Budget {
 public:
  // 0: no limit.
  Budget(std::size_t max_samples, std::size_t max_bytes)
      : max_samples_(max_samples), max_bytes_(max_bytes) {}

  void Charge(std::size_t samples, std::size_t bytes) {
    samples_ += samples;
    bytes_ += bytes;
    if (samples_ > peak_samples_) peak_samples_ = samples_;
    if (max_samples_ != 0 && samples_ > max_samples_) exceeded_ = true;
    if (max_bytes_ != 0 && bytes_ > max_bytes_) exceeded_ = true;
  }
  void Release(std::size_t samples, std::size_t bytes) {
    samples_ -= samples;
    bytes_ -= bytes;
  }

  // Stays true once a limit was passed.
  bool exceeded() const { return exceeded_; }
  // Whether `samples` could be taken at all.
  bool Fits(std::size_t samples) const { return max_samples_ == 0 || samples <= max_samples_; }
  std::size_t peak_samples() const { return peak_samples_; }

 private:
  const std::size_t max_samples_;
  const std::size_t max_bytes_;
  std::size_t samples_ = 0;
  std::size_t bytes_ = 0;
  std::size_t peak_samples_ = 0;
  bool exceeded_ = false;
};

// The labels of a row, which belong to the query and live as long as it does: ones that stand
// somewhere, or those of a series in a store's answer, made at the first look. A plan that knows
// the series by its slot never looks.
class RowLabels {
 public:
  RowLabels() = default;
  RowLabels(const Labels* labels) : labels_(labels) {}  // NOLINT: rows are written with a pointer
  // Of the present series.
  explicit RowLabels(const storage::SeriesSet& set) : place_(set.place()) {
    if (place_ == storage::SeriesSet::kNoPlace) {
      labels_ = &set.labels();
    } else {
      set_ = &set;
    }
  }

  const Labels& operator*() const {
    return place_ == storage::SeriesSet::kNoPlace ? *labels_ : set_->LabelsAt(place_);
  }
  const Labels* operator->() const { return &**this; }
  // Gives them to `look`, and keeps nothing of what had to be made for that.
  template <typename Look>
  auto Show(Look look) const {
    return place_ == storage::SeriesSet::kNoPlace ? look(*labels_) : look(set_->CopyLabels(place_));
  }

 private:
  union {
    const Labels* labels_ = nullptr;
    const storage::SeriesSet* set_;  // where there is a place
  };
  std::uint32_t place_ = storage::SeriesSet::kNoPlace;
};

// One series of a table.
struct Row {
  RowLabels labels;
  // The name is no longer true of the values. With delayed name removal it stays in `labels` until
  // the end of the query; without, it is treated as gone (QueryContext::Settle makes it so).
  bool drop_name = false;
  // The series whose labels these are, or from whose labels alone this part of the tree made them:
  // its selector's number and its slot there (prepared_plan.h). Slot 0: not known.
  std::uint16_t selector = 0;
  std::uint32_t slot = 0;
};

// A vector over all steps. Rows have no given order; two rows may have equal labels only where no
// step has both. A step has a float, a histogram or neither: histograms stand in a second column,
// which most rows do not have, and the float is kAbsent there. So what looks at floats alone passes
// histograms over without knowing of them. Move-only: it holds its share of the budget.
class Table {
 public:
  Table(Budget& budget, std::size_t steps) : budget_(&budget), steps_(steps) {}
  Table(Table&& other) noexcept { *this = std::move(other); }
  Table& operator=(Table&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(steps_, other.steps_);
    std::swap(rows_, other.rows_);
    std::swap(values_, other.values_);
    std::swap(histograms_, other.histograms_);
    std::swap(distinct_without_name, other.distinct_without_name);
    return *this;
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() {
    if (budget_ == nullptr) return;
    DropHistograms();
    Forget(rows_.size());
  }

  std::size_t steps() const { return steps_; }
  std::size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }

  Row& row(std::size_t i) { return rows_[i]; }
  const Row& row(std::size_t i) const { return rows_[i]; }
  // `steps()` values. Valid until the next Add.
  double* values(std::size_t i) { return values_.data() + i * steps_; }
  const double* values(std::size_t i) const { return values_.data() + i * steps_; }

  void Reserve(std::size_t rows) {
    rows_.reserve(rows);
    values_.reserve(rows * steps_);
  }
  // A new last row, absent at every step; its values, valid until the next Add.
  double* Add(Row row) {
    rows_.push_back(row);
    values_.resize(rows_.size() * steps_, kAbsent);
    budget_->Charge(steps_, steps_ * sizeof(double) + sizeof(Row));
    return values(rows_.size() - 1);
  }
  // A new last row with what row `i` of `from` has; its index. Requires: as many steps.
  std::size_t AddCopy(const Table& from, std::size_t i);
  void RemoveLast() {
    ShrinkHistograms(rows_.size() - 1);
    Forget(1);
    rows_.pop_back();
    values_.resize(rows_.size() * steps_);
  }

  // Whether some row ever got a histogram.
  bool has_histograms() const { return !histograms_.empty(); }
  // Of row `i` at each step, null where it has none. Null: the row has no histograms.
  const HistogramPtr* histograms(std::size_t i) const {
    return i < histograms_.size() && histograms_[i] != nullptr ? histograms_[i]->at.data()
                                                               : nullptr;
  }
  // Null where there is none.
  const Histogram* histogram(std::size_t i, std::size_t step) const {
    const HistogramPtr* const row = histograms(i);
    return row == nullptr ? nullptr : row[step].get();
  }
  HistogramPtr SharedHistogram(std::size_t i, std::size_t step) const {
    const HistogramPtr* const row = histograms(i);
    return row == nullptr ? nullptr : row[step];
  }
  // Puts a histogram (null: none) in the place of what the row has at the step.
  void SetHistogram(std::size_t i, std::size_t step, HistogramPtr histogram);
  // Makes the row absent at the step.
  void Clear(std::size_t i, std::size_t step) {
    values(i)[step] = kAbsent;
    if (histogram(i, step) != nullptr) SetHistogram(i, step, nullptr);
  }
  // Leaves the floats.
  void DropHistograms() { ShrinkHistograms(0); }

  bool PresentAt(std::size_t i, std::size_t step) const {
    return IsPresent(values(i)[step]) || histogram(i, step) != nullptr;
  }
  bool HasFloats(std::size_t i) const {
    const double* v = values(i);
    for (std::size_t s = 0; s < steps_; ++s) {
      if (IsPresent(v[s])) return true;
    }
    return false;
  }
  // Whether the series is present at any step.
  bool HasAny(std::size_t i) const { return HasFloats(i) || HasHistograms(i); }

  // Keeps the rows that `keep(index)` wants, in order.
  template <typename Keep>
  void Filter(Keep keep) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!keep(i)) continue;
      if (kept != i) MoveRow(i, kept);
      ++kept;
    }
    ShrinkHistograms(kept);
    Forget(rows_.size() - kept);
    rows_.resize(kept);
    values_.resize(kept * steps_);
  }
  void RemoveEmpty() {
    Filter([this](std::size_t i) { return HasAny(i); });
  }

  // No two rows become equal by losing their names: nobody need look for duplicates.
  bool distinct_without_name = false;

 private:
  struct HistogramColumn {
    std::vector<HistogramPtr> at;  // a place per step
    std::size_t samples = 0;       // charged to the budget
  };
  // What a histogram counts for: Prometheus takes one of 16 bytes for one sample.
  static std::size_t SamplesOf(const Histogram& histogram) { return SizeBytes(histogram) / 16; }

  bool HasHistograms(std::size_t i) const;
  // Forgets the column of row `i`. Requires: i < histograms_.size().
  void ForgetHistograms(std::size_t i);
  // The same of rows from `rows` on.
  void ShrinkHistograms(std::size_t rows);

  void MoveRow(std::size_t from, std::size_t to) {
    if (from < histograms_.size()) {
      std::swap(histograms_[from], histograms_[to]);
    } else if (to < histograms_.size()) {
      ForgetHistograms(to);
    }
    rows_[to] = rows_[from];
    for (std::size_t s = 0; s < steps_; ++s) {
      values_[to * steps_ + s] = values_[from * steps_ + s];
    }
  }
  void Forget(std::size_t rows) {
    budget_->Release(rows * steps_, rows * (steps_ * sizeof(double) + sizeof(Row)));
  }

  Budget* budget_ = nullptr;
  std::size_t steps_ = 0;
  std::vector<Row> rows_;
  std::vector<double> values_;
  std::vector<std::unique_ptr<HistogramColumn>> histograms_;  // by row; may be shorter than rows_
};

// A scalar: one value per step, always present.
using Column = std::vector<double>;

}  // namespace skep::engine
