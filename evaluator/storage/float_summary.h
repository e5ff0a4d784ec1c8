// What a run of floats comes to, so that functions over a long time need not look at each of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace skep::storage {

// Every value of the run is finite, and so are all of these. A plain value.
struct FloatSummary {
  std::uint32_t count = 0;    // at least 1
  std::uint32_t resets = 0;   // values below the one before
  std::uint32_t changes = 0;  // values unequal to the one before
  double first = 0;
  double last = 0;
  double min = 0;            // of equal ones (0 and -0) the earlier
  double max = 0;            // the same
  double sum = 0;            // rounded once: exact where a double holds it
  double squares = 0;        // squared distances from the mean, added up
  double before_resets = 0;  // the value before each reset, added up from first to last

  bool operator==(const FloatSummary&) const = default;
};

// None where a summary may not stand for the values: some of them, or a sum of them, is no finite
// number. Requires: not empty.
std::optional<FloatSummary> Summarize(std::span<const double> values);

// The summary of `earlier` and then `later`; the step between them is judged like any other.
FloatSummary Joined(const FloatSummary& earlier, const FloatSummary& later);

}  // namespace skep::storage
