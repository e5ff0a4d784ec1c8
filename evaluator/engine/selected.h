// What the store answers to a selector, and what is done with each series' samples before they
// become columns. Internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "common/model/matcher.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// An answer of the store, which the context owns.
struct Selected {
  storage::SeriesSet* set = nullptr;
  std::uint16_t selector = 0;  // its number in the plan; 0: it has none

  Row row() const { return {RowLabels(*set), false, selector, selector == 0 ? 0 : set->slot()}; }
};

// A selector of the tree, by what the plan kept where there is one.
Result<Selected> Select(QueryContext& context, const promql::VectorSelector& node,
                        storage::TimeRange range);
// The same of matchers that no node has.
Result<Selected> Select(QueryContext& context, const std::vector<Matcher>& matchers,
                        storage::TimeRange range);
// Milliseconds; both ends included.
storage::TimeRange Between(std::int64_t first, std::int64_t last);

// To be called at the end of the answer.
void CollectWarnings(QueryContext& context, const storage::SeriesSet& set);

// Gives all histograms but the first hints that say whether the counter was reset.
void FindResets(storage::SampleColumns& samples);
// Takes the staleness markers out of the floats; `runs` stay at their places.
void DropStale(storage::SampleColumns& samples, std::span<storage::SummarizedSamples::Run> runs);

// Holds the read buffer's share of the budget.
class BufferCharge {
 public:
  explicit BufferCharge(Budget& budget) : budget_(budget) {}
  BufferCharge(const BufferCharge&) = delete;
  BufferCharge& operator=(const BufferCharge&) = delete;
  ~BufferCharge() { Set(0); }
  void Hold(const storage::SampleColumns& columns, std::size_t runs = 0);

 private:
  void Set(std::size_t samples) {
    budget_.Release(held_, held_ * 16);
    budget_.Charge(samples, samples * 16);
    held_ = samples;
  }

  Budget& budget_;
  std::size_t held_ = 0;
};

}  // namespace skep::engine
