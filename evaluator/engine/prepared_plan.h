// What a query that runs again and again keeps from run to run: the series of its selectors, and by
// series the groups of its aggregations and of its vector matching. README.md says what it saves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "evaluator/engine/label_key.h"
#include "evaluator/engine/select_pool.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// Numbers that stay for equal choices of labels, found by the series' slot without a look at its
// labels. What it keeps is its own: rows may go. Thread-compatible.
class KeptNumbers {
 public:
  explicit KeptNumbers(LabelChoice choice) : index_(std::move(choice)) {}

  // The same for rows whose chosen labels are equal. Requires: the row's slot is not 0; a series
  // has the same labels here in every run.
  std::uint32_t Of(const Row& row) {
    if (row.selector >= by_series_.size()) by_series_.resize(row.selector + 1U);
    std::vector<std::uint32_t>& numbers = by_series_[row.selector];
    if (row.slot >= numbers.size()) numbers.resize(row.slot + 1U, 0);
    if (numbers[row.slot] == 0) {
      numbers[row.slot] =
          row.labels.Show([this](const Labels& labels) { return Learn(labels); }) + 1;
    }
    return numbers[row.slot] - 1;
  }
  // Whether Of finds the row's number without a look at its labels.
  bool Knows(const Row& row) const {
    return row.selector < by_series_.size() && row.slot < by_series_[row.selector].size() &&
           by_series_[row.selector][row.slot] != 0;
  }
  // The chosen labels of a number.
  const Labels& labels(std::uint32_t number) const { return chosen_[number]; }
  // Of the heap, about. Walks nothing that grows with the series.
  std::size_t heap_bytes() const;

 private:
  std::uint32_t Learn(const Labels& labels);

  LabelIndex index_;  // of chosen_
  std::deque<Labels> chosen_;
  std::size_t chosen_bytes_ = 0;  // of the heap, with what malloc adds
  std::vector<std::vector<std::uint32_t>>
      by_series_;  // selector, slot: number plus one; 0: unknown
};

// Belongs to one Query and one store. Thread-compatible: one run at a time.
class PreparedPlan {
 public:
  struct Selector {
    std::uint16_t number = 0;                   // from 1
    std::shared_ptr<SharedSelect> series = {};  // null: not asked for yet
    std::uint64_t generation = 0;               // of the slots that this plan knows
  };

  // `pool`: where queries with an equal selector meet. Null: this one keeps its own.
  explicit PreparedPlan(std::shared_ptr<SelectPool> pool = nullptr) : pool_(std::move(pool)) {}

  // What is kept for a selector of the tree, for as long as the plan lives. Null where there are
  // more selectors than numbers.
  Selector* SelectorOf(const promql::Expr& node);
  // What the store keeps of it. `reach`: see SelectPool; only the first call's counts.
  SharedSelect& SeriesOf(Selector& selector, const promql::VectorSelector& node, SelectReach reach);
  // To be called after the store was asked, with the generation of its answer: where it gave its
  // slots out anew, all numbers are forgotten.
  void NoteGeneration(Selector& selector, std::uint64_t generation);
  // Of an aggregation or a binary operation; valid until the next NoteGeneration. `choice` is the
  // node's.
  KeptNumbers& NumbersOf(const promql::Expr& node, const LabelChoice& choice);
  // Of the heap, about; what the store keeps of the selectors is the store's. Requires: no run.
  std::size_t heap_bytes() const;

 private:
  std::shared_ptr<SelectPool> pool_;
  std::unordered_map<const promql::Expr*, Selector> selectors_;
  std::unordered_map<const promql::Expr*, KeptNumbers> numbers_;
};

}  // namespace skep::engine
