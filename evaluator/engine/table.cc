#include "evaluator/engine/table.h"

#include <algorithm>

namespace skep::engine {

std::size_t Table::AddCopy(const Table& from, std::size_t i) {
  std::copy_n(from.values(i), steps_, Add(from.row(i)));
  const std::size_t row = rows_.size() - 1;
  if (const HistogramPtr* const histograms = from.histograms(i)) {
    for (std::size_t s = 0; s < steps_; ++s) {
      if (histograms[s] != nullptr) SetHistogram(row, s, histograms[s]);
    }
  }
  return row;
}

void Table::SetHistogram(std::size_t i, std::size_t step, HistogramPtr histogram) {
  values(i)[step] = kAbsent;
  if (histograms_.size() <= i) histograms_.resize(i + 1);
  std::unique_ptr<HistogramColumn>& column = histograms_[i];
  if (column == nullptr) {
    column = std::make_unique<HistogramColumn>();
    column->at.resize(steps_);
    budget_->Charge(0, steps_ * sizeof(HistogramPtr));
  }
  HistogramPtr& place = column->at[step];
  const std::size_t before = place == nullptr ? 0 : SamplesOf(*place);
  const std::size_t after = histogram == nullptr ? 0 : SamplesOf(*histogram);
  budget_->Release(before, before * 16);
  budget_->Charge(after, after * 16);
  column->samples += after;
  column->samples -= before;
  place = std::move(histogram);
}

bool Table::HasHistograms(std::size_t i) const {
  const HistogramPtr* const row = histograms(i);
  return row != nullptr &&
         std::any_of(row, row + steps_, [](const HistogramPtr& h) { return h != nullptr; });
}

void Table::ForgetHistograms(std::size_t i) {
  if (histograms_[i] == nullptr) return;
  const std::size_t samples = histograms_[i]->samples;
  budget_->Release(samples, samples * 16 + steps_ * sizeof(HistogramPtr));
  histograms_[i].reset();
}

void Table::ShrinkHistograms(std::size_t rows) {
  for (std::size_t i = rows; i < histograms_.size(); ++i) ForgetHistograms(i);
  if (rows < histograms_.size()) histograms_.resize(rows);
}

}  // namespace skep::engine
