#include "common/base/number.h"

#include <fast_float/fast_float.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace skep {
namespace {

// Appends `value` shortest, with an exponent where its decimal exponent is outside [lowest, limit).
void AppendShortest(std::string& out, double value, int lowest, int limit) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  char scientific[32];
  const auto end = std::to_chars(scientific, scientific + sizeof scientific, value,
                                 std::chars_format::scientific)
                       .ptr;
  const char* e = static_cast<const char*>(
      std::memchr(scientific, 'e', static_cast<std::size_t>(end - scientific)));
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
  if (value == 0 || (exponent >= lowest && exponent < limit)) {
    char fixed[64];
    const auto last =
        std::to_chars(fixed, fixed + sizeof fixed, value, std::chars_format::fixed).ptr;
    out.append(fixed, last);
  } else {
    out.append(scientific, end);
  }
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

void AppendDouble(std::string& out, double value) { AppendShortest(out, value, -4, 6); }

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
  AppendShortest(out, value, -6, 21);
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
