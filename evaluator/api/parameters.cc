#include "evaluator/api/parameters.h"

#include <cmath>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "evaluator/api/envelope.h"
#include "evaluator/promql/parser.h"

namespace skep::api {
namespace {

// What a client may send as the smallest and the largest time (Prometheus's minTime and maxTime and
// their RFC 3339 forms).
constexpr std::string_view kSmallest = "-292273086-05-16T16:47:06Z";
constexpr std::string_view kLargest = "292277025-08-18T07:12:54.999999999Z";

Result<Timestamp> ReadTime(std::string_view text) {
  if (text == kSmallest) return kMinTimestamp;
  if (text == kLargest) return kMaxTimestamp;
  return ParseTimestamp(text);
}

Result<Duration> ReadSpan(std::string_view text) {
  if (const std::optional<double> seconds = ParseDouble(text)) {
    if (!(std::fabs(*seconds) < 9.2e15)) {
      return Invalid("cannot parse \"" + std::string(text) +
                     "\" to a valid duration. It overflows int64");
    }
    return Duration{static_cast<std::int64_t>(std::round(*seconds * 1e3))};
  }
  if (Result<Duration> duration = ParseDuration(text)) return duration;
  return Invalid("cannot parse \"" + std::string(text) + "\" to a valid duration");
}

// "_2e_" at the front: its code point, and moves behind it.
std::optional<char32_t> TakeEscape(std::string_view& rest) {
  const std::size_t end = rest.find('_', 1);
  if (end == std::string_view::npos || end < 2 || end > 7) return std::nullopt;
  char32_t code = 0;
  for (const char c : rest.substr(1, end - 1)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    code = code * 16 + static_cast<char32_t>(digit);
  }
  rest.remove_prefix(end + 1);
  return code;
}

}  // namespace

void Parameters::Refuse(std::string_view name, std::string_view message) {
  if (!refusal_) refusal_ = BadParameter(name, message);
}

Timestamp Parameters::Time(std::string_view name, Timestamp absent) {
  const std::optional<std::string_view> text = request_.Parameter(name);
  if (!text || text->empty()) return absent;
  Result<Timestamp> time = ReadTime(*text);
  if (time) return *time;
  Refuse(name, "cannot parse \"" + std::string(*text) + "\" to a valid timestamp");
  return absent;
}

Timestamp Parameters::RequiredTime(std::string_view name) {
  const std::optional<std::string_view> text = request_.Parameter(name);
  if (!text || text->empty()) {
    Refuse(name, "cannot parse \"\" to a valid timestamp");
    return {};
  }
  return Time(name, {});
}

Duration Parameters::Span(std::string_view name, Duration absent) {
  const std::optional<std::string_view> text = request_.Parameter(name);
  if (!text || text->empty()) return absent;
  Result<Duration> span = ReadSpan(*text);
  if (span) return *span;
  Refuse(name, span.error().message());
  return absent;
}

std::size_t Parameters::Limit() {
  const std::optional<std::string_view> text = request_.Parameter("limit");
  if (!text || text->empty()) return 0;
  const std::optional<std::int64_t> limit = ParseInt(*text);
  if (!limit) {
    Refuse("limit", "cannot parse \"" + std::string(*text) + "\" to a number");
  } else if (*limit < 0) {
    Refuse("limit", "limit must be non-negative");
  } else {
    return static_cast<std::size_t>(*limit);
  }
  return 0;
}

bool Parameters::Flag(std::string_view name) {
  const std::string_view text = request_.Parameter(name).value_or("");
  if (text.empty() || text == "false" || text == "0" || text == "f" || text == "F" ||
      text == "FALSE" || text == "False")
    return false;
  if (text == "true" || text == "1" || text == "t" || text == "T" || text == "TRUE" ||
      text == "True")
    return true;
  Refuse(name, "expected true or false, got \"" + std::string(text) + "\"");
  return false;
}

std::string Parameters::Text(std::string_view name) {
  return std::string(request_.Parameter(name).value_or(""));
}

std::vector<std::string> Parameters::List(std::string_view name) {
  std::vector<std::string> out;
  for (const std::string& spelling : {std::string(name) + "[]", std::string(name)}) {
    for (const std::string_view value : request_.ParameterValues(spelling)) out.emplace_back(value);
  }
  return out;
}

std::vector<std::vector<Matcher>> Parameters::Selectors(std::string_view name) {
  std::vector<std::vector<Matcher>> out;
  for (const std::string_view text : request_.ParameterValues(name)) {
    Result<std::vector<Matcher>> matchers = promql::ParseMetricSelector(text);
    if (matchers) {
      out.push_back(*std::move(matchers));
    } else {
      Refuse(name, matchers.error().message());
    }
  }
  return out;
}

storage::TimeRange Parameters::Range() {
  storage::TimeRange range;
  range.min = Time("start", kMinTimestamp);
  range.max = Time("end", kMaxTimestamp);
  if (range.max < range.min) Refuse("end", "end timestamp must not be before start time");
  return range;
}

std::string UnescapeName(std::string_view name) {
  constexpr std::string_view kPrefix = "U__";
  if (!name.starts_with(kPrefix)) return std::string(name);
  std::string out;
  std::string_view rest = name.substr(kPrefix.size());
  while (!rest.empty()) {
    if (rest.front() != '_') {
      out.push_back(rest.front());
      rest.remove_prefix(1);
    } else if (rest.starts_with("__")) {
      out.push_back('_');
      rest.remove_prefix(2);
    } else if (const std::optional<char32_t> code = TakeEscape(rest)) {
      AppendUtf8(out, *code);
    } else {
      return std::string(name);
    }
  }
  return out;
}

}  // namespace skep::api
