// Numbers as logs write them, without copies.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace skep::logs {

// The decimal number at the front of `text`; `text` then begins behind it. Nothing where none
// stands there, and for more than 18 digits, which count or measure nothing. No sign, no exponent:
// logs have neither where we look.
inline std::optional<double> TakeDecimal(std::string_view& text) {
  constexpr double kScale[] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9};
  double value = 0;
  std::size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    value = value * 10 + (text[at] - '0');
  }
  if (at == 0 || at > 18) return std::nullopt;
  if (at + 1 < text.size() && text[at] == '.' && text[at + 1] >= '0' && text[at + 1] <= '9') {
    ++at;
    double fraction = 0;
    std::size_t digits = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      if (digits == 9) continue;  // what comes then is below a nanosecond
      fraction = fraction * 10 + (text[at] - '0');
      ++digits;
    }
    value += fraction * kScale[digits];
  }
  text.remove_prefix(at);
  return value;
}

// The whole text as decimal number.
inline std::optional<double> ParseDecimal(std::string_view text) {
  const std::optional<double> value = TakeDecimal(text);
  return value && text.empty() ? value : std::nullopt;
}

// A status of HTTP: three digits, 100 to 599; 0 for anything else.
inline int ParseHttpStatus(std::string_view text) {
  if (text.size() != 3) return 0;
  int status = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status >= 100 && status <= 599 ? status : 0;
}

}  // namespace skep::logs
