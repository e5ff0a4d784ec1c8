#include "evaluator/promql/position.h"

#include <algorithm>

namespace skep::promql {

std::string FormatPosition(std::string_view text, std::uint32_t offset) {
  if (text.empty()) return "unknown position";  // as Prometheus says of an empty query
  const std::string_view before = text.substr(0, std::min<std::size_t>(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column =
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace skep::promql
