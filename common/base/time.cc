#include "common/base/time.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "common/base/number.h"
#include "common/base/quote.h"

namespace skep {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct Unit {
  std::string_view name;
  std::int64_t millis;
};

// Falling order. A year has 365 days and a week 7, always.
constexpr Unit kUnits[] = {
    {"y", 365LL * 86'400'000},
    {"w", 7LL * 86'400'000},
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1'000},
    {"ms", 1},
};

// Prometheus counts nanoseconds in 64 bits: about 292 years.
constexpr std::int64_t kLongestMillis = std::numeric_limits<std::int64_t>::max() / 1'000'000;

Error BadDuration(std::string_view text) {
  return Invalid("not a valid duration string: " + Quote(text));
}

// Reads digits at the front of `text` and removes them.
bool TakeNumber(std::string_view& text, std::int64_t& number) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool TakeUnit(std::string_view& text, std::size_t& index) {
  std::size_t length = 0;
  while (length < text.size() && text[length] >= 'a' && text[length] <= 'z') ++length;
  for (std::size_t i = 0; i < std::size(kUnits); ++i) {
    if (kUnits[i].name == text.substr(0, length)) {
      index = i;
      text.remove_prefix(length);
      return true;
    }
  }
  return false;
}

// Fixed-width decimal digits.
bool TakeDigits(std::string_view& text, std::size_t width, int& value) {
  if (text.size() < width) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc{} || end != text.data() + width || text.front() == '-') return false;
  text.remove_prefix(width);
  return true;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// ".5" is 500 ms; digits beyond the third are cut.
bool TakeFraction(std::string_view& text, Duration& fraction) {
  fraction = Duration{0};
  if (!Take(text, '.')) return true;
  std::int64_t scale = 100;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    fraction += Duration{(text.front() - '0') * scale};
    scale /= 10;
    text.remove_prefix(1);
    ++digits;
  }
  return digits > 0;
}

bool TakeOffset(std::string_view& text, minutes& offset) {
  offset = minutes{0};
  if (Take(text, 'Z') || Take(text, 'z')) return true;
  const bool negative = !text.empty() && text.front() == '-';
  if (!Take(text, '-') && !Take(text, '+')) return false;
  int hour = 0;
  int minute = 0;
  if (!TakeDigits(text, 2, hour) || !Take(text, ':') || !TakeDigits(text, 2, minute)) return false;
  if (hour > 23 || minute > 59) return false;
  offset = hours{hour} + minutes{minute};
  if (negative) offset = -offset;
  return true;
}

std::optional<Timestamp> ParseRfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  Duration fraction{0};
  minutes offset{0};
  const bool ok = TakeDigits(text, 4, year) && Take(text, '-') && TakeDigits(text, 2, month) &&
                  Take(text, '-') && TakeDigits(text, 2, day) &&
                  (Take(text, 'T') || Take(text, 't')) && TakeDigits(text, 2, hour) &&
                  Take(text, ':') && TakeDigits(text, 2, minute) && Take(text, ':') &&
                  TakeDigits(text, 2, second) && TakeFraction(text, fraction) &&
                  TakeOffset(text, offset) && text.empty();
  if (!ok) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return Timestamp{std::chrono::sys_days{date}} + hours{hour} + minutes{minute} + seconds{second} +
         fraction - offset;
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  if (text == "0") return Duration{0};
  if (text.empty()) return BadDuration(text);
  std::string_view rest = text;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!rest.empty()) {
    std::int64_t number = 0;
    std::size_t unit = 0;
    if (!TakeNumber(rest, number) || !TakeUnit(rest, unit) || unit < next_unit)
      return BadDuration(text);
    next_unit = unit + 1;
    std::int64_t part = 0;
    if (__builtin_mul_overflow(number, kUnits[unit].millis, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return Invalid("duration out of range: " + Quote(text));
    }
  }
  if (total > kLongestMillis) return Invalid("duration out of range: " + Quote(text));
  return Duration{total};
}

std::string FormatDuration(Duration d) {
  std::int64_t rest = d.count();
  if (rest == 0) return "0s";
  std::string out;
  if (rest < 0) {
    out = "-";
    rest = rest == std::numeric_limits<std::int64_t>::min()
               ? std::numeric_limits<std::int64_t>::max()
               : -rest;
  }
  for (std::size_t i = 0; i < std::size(kUnits); ++i) {
    const std::int64_t unit = kUnits[i].millis;
    // As Prometheus: years, weeks and days only where nothing is left over, so that 90d is not
    // 12w6d.
    const bool exact_only = i < 3;
    if (rest == 0 || rest < unit || (exact_only && rest % unit != 0)) continue;
    out += std::to_string(rest / unit);
    out += kUnits[i].name;
    rest %= unit;
  }
  return out;
}

Result<Timestamp> ParseTimestamp(std::string_view text) {
  if (const std::optional<double> number = ParseDouble(text)) {
    // Beyond this a millisecond count does not fit 64 bits; NaN fails the comparison too.
    if (std::fabs(*number) < 9.2e15) {
      return FromMillis(static_cast<std::int64_t>(std::round(*number * 1e3)));
    }
  } else if (const std::optional<Timestamp> time = ParseRfc3339(text)) {
    return *time;
  }
  return Invalid("cannot parse \"" + std::string(text) +
                 "\" to a valid timestamp: expected unix seconds or RFC 3339");
}

std::string FormatTimestamp(Timestamp t) {
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss<Duration> clock{t - day};
  char buffer[48];
  int length = std::snprintf(
      buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  std::string out(buffer, static_cast<std::size_t>(length));
  if (const auto millis = clock.subseconds().count(); millis != 0) {
    length = std::snprintf(buffer, sizeof buffer, ".%03d", static_cast<int>(millis));
    out.append(buffer, static_cast<std::size_t>(length));
    while (out.back() == '0') out.pop_back();
  }
  out.push_back('Z');
  return out;
}

}  // namespace skep
