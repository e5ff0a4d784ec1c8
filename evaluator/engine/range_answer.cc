#include "evaluator/engine/range_answer.h"

#include <algorithm>

#include "evaluator/engine/range_content.h"

namespace skep::engine {

Labels FinalLabels(const Row& row) {
  return row.drop_name ? WithoutMetadata(*row.labels) : *row.labels;
}

RangeAnswer::Content::Content(std::unique_ptr<QueryContext> query, Table values, const Steps& times)
    : context(std::move(query)), table(std::move(values)), steps(times) {
  series.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.HasAny(i)) series.emplace_back(FinalLabels(table.row(i)), i);
  }
  std::sort(series.begin(), series.end());
  context->ReleaseStorage();
}

RangeAnswer::RangeAnswer(std::unique_ptr<const Content> content)
    : content_(std::move(content)), size_(content_->series.size()) {}
RangeAnswer::RangeAnswer(RangeAnswer&&) noexcept = default;
RangeAnswer& RangeAnswer::operator=(RangeAnswer&&) noexcept = default;
RangeAnswer::~RangeAnswer() = default;

std::size_t RangeAnswer::size() const { return size_; }

std::size_t RangeAnswer::values() const {
  constexpr std::size_t kOfHistogram = 20;
  std::size_t count = size_ * content_->steps.count;
  if (!content_->table.has_histograms()) return count;
  for (std::size_t i = 0; i < size_; ++i) {
    if (content_->table.histograms(content_->series[i].second) == nullptr) continue;
    count += content_->steps.count * (kOfHistogram - 1);
  }
  return count;
}

void RangeAnswer::Truncate(std::size_t count) { size_ = std::min(size_, count); }

void RangeAnswer::Read(std::size_t i, promql::MatrixSeries& out) const {
  const auto& [labels, row] = content_->series[i];
  const Steps& steps = content_->steps;
  const double* const values = content_->table.values(row);
  const HistogramPtr* const histograms = content_->table.histograms(row);
  out.labels = labels;
  out.samples.clear();
  out.histograms.clear();
  for (std::size_t s = 0; s < steps.count; ++s) {
    if (IsPresent(values[s])) out.samples.push_back({FromMillis(steps.At(s)), values[s]});
  }
  for (std::size_t s = 0; histograms != nullptr && s < steps.count; ++s) {
    if (histograms[s] != nullptr) {
      out.histograms.push_back({FromMillis(steps.At(s)), histograms[s]});
    }
  }
}

}  // namespace skep::engine
