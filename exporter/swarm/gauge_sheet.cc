#include "exporter/swarm/gauge_sheet.h"

#include <algorithm>

namespace skep::swarm {

GaugeSheet::Cell* GaugeSheet::At(const GaugeFamily& family, const std::string& labels) {
  Rows& rows = rows_[family.name];
  rows.family = &family;
  const auto at = rows.cells.find(labels);
  if (at != rows.cells.end()) return &at->second;
  if (rows.cells.size() >= max_series_) {
    ++dropped_;
    return nullptr;
  }
  return &rows.cells[labels];
}

void GaugeSheet::Add(const GaugeFamily& family, const std::string& labels, double value) {
  Cell* cell = At(family, labels);
  if (cell == nullptr) return;
  const bool is_first = cell->count == 0;
  cell->count += 1;
  switch (family.combine) {
    case Combine::kSum:
    case Combine::kMean:
      cell->value += value;
      return;
    case Combine::kMin:
      cell->value = is_first ? value : std::min(cell->value, value);
      return;
    case Combine::kMax:
      cell->value = is_first ? value : std::max(cell->value, value);
      return;
  }
}

void GaugeSheet::AddSummary(const GaugeFamily& family, const std::string& labels, double sum,
                            double count) {
  Cell* cell = At(family, labels);
  if (cell == nullptr) return;
  cell->value += sum;
  cell->count += count;
}

void GaugeSheet::Write(exposition::PageWriter& page) const {
  for (const auto& [name, rows] : rows_) {
    if (rows.cells.empty()) continue;
    page.Family(name, rows.family->help, rows.family->type);
    for (const auto& [labels, cell] : rows.cells) {
      if (rows.family->type == exposition::MetricType::kSummary) {
        page.SuffixedSample("_sum", labels, cell.value);
        page.SuffixedSample("_count", labels, cell.count);
      } else if (rows.family->combine == Combine::kMean) {
        page.RenderedSample(labels, cell.value / cell.count);
      } else {
        page.RenderedSample(labels, cell.value);
      }
    }
  }
}

}  // namespace skep::swarm
