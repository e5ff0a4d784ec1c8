// Places in the text of a query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skep::promql {

// Bytes [start, end) of the text that was parsed.
struct PosRange {
  std::uint32_t start = 0;
  std::uint32_t end = 0;
  bool operator==(const PosRange&) const = default;
};

// "LINE:COLUMN" of a byte, both from 1, columns in bytes: as Prometheus prints places of errors and
// annotations. A place behind the end counts as the end.
std::string FormatPosition(std::string_view text, std::uint32_t offset);

}  // namespace skep::promql
