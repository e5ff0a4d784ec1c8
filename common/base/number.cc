#include "common/base/number.h"

#include <fast_float/fast_float.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace skep {
namespace {

// Appends `value` shortest, with an exponent where its absolute value is not in [least, end). Both
// are powers of ten, so the digits of what is below one are below it, too.
void AppendShortest(std::string& out, double value, double least, double end) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  const double size = std::fabs(value);
  const bool is_fixed = value == 0 || (size >= least && size < end);
  char digits[64];
  const auto last =
      std::to_chars(digits, digits + sizeof digits, value,
                    is_fixed ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  out.append(digits, last);
}

template <typename T>
std::optional<T> ParseWhole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseHexadecimal(std::string_view digits, bool negative) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::hex);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace

void AppendDouble(std::string& out, double value) { AppendShortest(out, value, 1e-4, 1e6); }

std::string FormatDouble(double value) {
  std::string out;
  AppendDouble(out, value);
  return out;
}

void AppendPlainDouble(std::string& out, double value) {
  // Most values are small integers: they need no shortest-digits search.
  if (std::fabs(value) < 1e15 && value == std::trunc(value) &&
      !(value == 0 && std::signbit(value))) {
    char buffer[24];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(value)).ptr;
    out.append(buffer, end);
    return;
  }
  AppendShortest(out, value, 1e-6, 1e21);
}

std::string FormatPlainDouble(double value) {
  std::string out;
  AppendPlainDouble(out, value);
  return out;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  if (text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
    text.remove_prefix(2);
    if (text.front() == '-') return std::nullopt;
    return ParseHexadecimal(text, negative);
  }
  // fast_float also reads "nan(chars)", which is no number here.
  if (text.back() == ')') return std::nullopt;
  double value = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return negative ? -value : value;
}

std::optional<std::int64_t> ParseInt(std::string_view text) {
  return ParseWhole<std::int64_t>(text);
}

std::optional<std::uint64_t> ParseUint(std::string_view text) {
  return ParseWhole<std::uint64_t>(text);
}

}  // namespace skep
