// Families that are collected from several sources before they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/exposition/writer.h"

namespace skep::swarm {

// How values under the same labels become one.
enum class Combine : std::uint8_t { kSum, kMin, kMax, kMean };

struct GaugeFamily {
  std::string_view name;
  std::string_view help;
  Combine combine = Combine::kSum;
  exposition::MetricType type = exposition::MetricType::kGauge;
};

// Thread-compatible; made anew for each page. Families must outlive it.
class GaugeSheet {
 public:
  // No family gets more series than that.
  explicit GaugeSheet(std::size_t max_series) : max_series_(max_series) {}

  // `labels` as exposition::RenderLabels has them.
  void Add(const GaugeFamily& family, const std::string& labels, double value);
  // For a family of type summary.
  void AddSummary(const GaugeFamily& family, const std::string& labels, double sum, double count);

  // All families in order of their names.
  void Write(exposition::PageWriter& page) const;

  // Series that were not made because a family was full.
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Cell {
    double value = 0;
    double count = 0;
  };
  struct Rows {
    const GaugeFamily* family = nullptr;
    std::map<std::string, Cell> cells;
  };

  // Null: the family is full. New cells have no count yet.
  Cell* At(const GaugeFamily& family, const std::string& labels);

  std::size_t max_series_;
  std::map<std::string_view, Rows> rows_;
  std::uint64_t dropped_ = 0;
};

}  // namespace skep::swarm
