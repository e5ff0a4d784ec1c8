#include "evaluator/engine/prepared_plan.h"

#include <limits>

namespace skep::engine {

std::uint32_t KeptNumbers::Learn(const Labels& labels) {
  if (const auto number = index_.Find(labels)) return static_cast<std::uint32_t>(*number);
  constexpr std::size_t kOfMalloc = 16;
  chosen_.push_back(index_.choice().Pick(labels));
  chosen_bytes_ += sizeof(Labels) + chosen_.back().size_bytes() + kOfMalloc;
  return static_cast<std::uint32_t>(index_.Add(chosen_.back()));
}

std::size_t KeptNumbers::heap_bytes() const {
  std::size_t bytes = index_.heap_bytes() + chosen_bytes_;
  for (const auto& numbers : by_series_) bytes += numbers.capacity() * sizeof(numbers[0]);
  return bytes;
}

std::size_t PreparedPlan::heap_bytes() const {
  std::size_t bytes =
      selectors_.size() * sizeof(*selectors_.begin()) + numbers_.size() * sizeof(*numbers_.begin());
  for (const auto& [node, numbers] : numbers_) bytes += numbers.heap_bytes();
  return bytes;
}

PreparedPlan::Selector* PreparedPlan::SelectorOf(const promql::Expr& node) {
  const auto known = selectors_.find(&node);
  if (known != selectors_.end()) return &known->second;
  if (selectors_.size() == std::numeric_limits<std::uint16_t>::max()) return nullptr;
  Selector& made = selectors_[&node];
  made.number = static_cast<std::uint16_t>(selectors_.size());
  return &made;
}

SharedSelect& PreparedPlan::SeriesOf(Selector& selector, const promql::VectorSelector& node,
                                     SelectReach reach) {
  if (selector.series == nullptr) {
    selector.series =
        pool_ == nullptr ? std::make_shared<SharedSelect>() : pool_->Of(node.matchers, reach);
  }
  return *selector.series;
}

void PreparedPlan::NoteGeneration(Selector& selector, std::uint64_t generation) {
  if (generation == selector.generation) return;
  selector.generation = generation;
  numbers_.clear();
}

KeptNumbers& PreparedPlan::NumbersOf(const promql::Expr& node, const LabelChoice& choice) {
  return numbers_.try_emplace(&node, choice).first->second;
}

}  // namespace skep::engine
