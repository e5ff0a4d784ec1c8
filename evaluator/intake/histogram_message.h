// Native histograms as remote write 1.0 sends them.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "common/base/time.h"
#include "common/model/histogram.h"

namespace skep::intake {

struct HistogramMessage {
  Timestamp time;
  // Null: the marker of a series' end, or numbers that do not fit together.
  std::shared_ptr<const Histogram> histogram;
  std::string_view problem;  // what does not fit; "": all does
};

// Nothing: the bytes are no such message.
std::optional<HistogramMessage> ReadHistogramMessage(std::string_view message);

}  // namespace skep::intake
