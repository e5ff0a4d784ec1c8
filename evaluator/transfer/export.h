// Samples as text with time stamps, which other programs read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/exposition/format.h"
#include "common/model/matcher.h"
#include "evaluator/storage/querier.h"

namespace skep::transfer {

struct ExportOptions {
  // What any of them accepts; none: everything.
  std::vector<std::vector<Matcher>> selectors;
  storage::TimeRange range;
  exposition::Format format = exposition::Format::kOpenMetrics;
  // Called with what is damaged, by series and place; that series is left out. Null: damage ends
  // the export (kCorrupt).
  std::function<void(const std::string& message)> on_damage;
};

struct ExportSummary {
  std::uint64_t series = 0;
  std::uint64_t samples = 0;
  // What text cannot say, and is left out: native histograms, and markers that a series ended.
  std::uint64_t histograms = 0;
  std::uint64_t stale_markers = 0;
};

// Writes a line for each sample: series by series in the order of their labels, each in the order
// of time. OpenMetrics ends with # EOF. `write` gets pieces of whole lines; where it gives false
// the export ends (kCanceled). Holds one series at a time.
Result<ExportSummary> Export(storage::Queryable& store, const ExportOptions& options,
                             const std::function<bool(std::string_view piece)>& write);

}  // namespace skep::transfer
