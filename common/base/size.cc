#include "common/base/size.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "common/base/number.h"

namespace skep {
namespace {

constexpr std::string_view kPrefixes = "KMGTPE";

// 2^10 for "K", 2^20 for "M", ...; 0 for a unit that is none.
double UnitFactor(std::string_view unit) {
  if (unit.empty() || unit == "B") return 1;
  const std::size_t prefix = kPrefixes.find(unit[0]);
  const std::string_view rest = unit.substr(1);
  if (prefix == std::string_view::npos || (rest != "B" && rest != "iB")) return 0;
  return std::pow(1024.0, static_cast<double>(prefix + 1));
}

}  // namespace

std::optional<std::uint64_t> ParseSizeBytes(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::optional<double> number = ParseDouble(text.substr(0, digits));
  const double factor = UnitFactor(text.substr(digits));
  if (!number || factor == 0) return std::nullopt;
  if (factor == 1) return ParseUint(text.substr(0, digits));
  const double bytes = *number * factor;
  if (!(bytes < 18446744073709551616.0)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::string FormatSizeBytes(std::uint64_t bytes) {
  std::size_t unit = 0;
  auto number = static_cast<double>(bytes);
  for (; number >= 1024 && unit < kPrefixes.size(); ++unit) number /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", number);
  std::string shown = text.data();
  while (shown.back() == '0') shown.pop_back();
  if (shown.back() == '.') shown.pop_back();
  if (unit == 0) return shown + "B";
  return shown + kPrefixes[unit - 1] + "iB";
}

}  // namespace skep
