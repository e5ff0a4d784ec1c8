#include "common/exposition/parser.h"

#include <fast_float/fast_float.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "common/base/ascii.h"
#include "common/base/number.h"
#include "common/model/sample.h"

namespace skep::exposition {
namespace {

// How much of a bad token an error shows.
constexpr std::size_t kShown = 40;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Ends a number on a sample line.
bool EndsToken(const char* at, const char* end) { return at == end || *at == '\n' || IsBlank(*at); }

// Most values are short whole numbers; they cost a third of what fast_float's general way costs.
// Null: it is something else.
const char* ReadShortInteger(const char* at, const char* end, double& value) {
  constexpr std::ptrdiff_t kMaxDigits = 15;  // all of them are exact doubles
  const char* const first = at;
  std::uint64_t number = 0;
  while (at != end && IsDigit(*at)) number = number * 10 + static_cast<std::uint64_t>(*at++ - '0');
  if (at == first || at - first > kMaxDigits || !EndsToken(at, end)) return nullptr;
  value = static_cast<double>(number);
  return at;
}

// The number at `at`: decimal, Inf, NaN in any case; nothing hexadecimal, no underscores, as Go
// before 1.13 had it. Null: it is none, or does not end where a token ends.
const char* ReadNumber(const char* at, const char* end, double& value) {
  if (const char* after = ReadShortInteger(at, end, value)) return after;
  if (at == end) return nullptr;
  const bool negative = *at == '-';
  const bool sign = negative || *at == '+';
  if (sign) ++at;
  if (at == end || *at == '-' || *at == '+') return nullptr;
  if ((*at | 0x20) == 'n') {
    if (sign || end - at < 3 || (at[1] | 0x20) != 'a' || (at[2] | 0x20) != 'n') return nullptr;
    value = kNormalNaN;
    return EndsToken(at + 3, end) ? at + 3 : nullptr;
  }
  const auto [after, error] = fast_float::from_chars(at, end, value);
  if (error != std::errc{} || !EndsToken(after, end)) return nullptr;
  if (std::isinf(value) && (*at | 0x20) != 'i') return nullptr;  // too large for a double
  if (negative) value = -value;
  return after;
}

// Nearly all time stamps are one blank, some digits and the end of the line; the general way costs
// three times as much. Null: this one is something else. Else behind the digits.
const char* ReadPlainTime(const char* at, const char* end, double& number) {
  if (at == end || *at != ' ') return nullptr;
  const char* const after = ReadShortInteger(at + 1, end, number);
  return after != nullptr && after != end && *after == '\n' ? after : nullptr;
}

// Where the braces that open at `at` close, or null. Looks at quotes and nothing else. Neither a
// bare nor a quoted line end may come before.
const char* SkimBraces(const char* at, const char* end) {
  for (++at; at != end && *at != '\n'; ++at) {
    if (*at == '}') return at + 1;
    if (*at != '"') continue;
    for (++at; at != end && *at != '"' && *at != '\n'; ++at) {
      if (*at == '\\' && at + 1 != end && at[1] != '\n') ++at;
    }
    if (at == end || *at == '\n') return nullptr;
  }
  return nullptr;
}

// Appends `text` with \\, \n and (where `quotes`) \" resolved; other escapes stay as they are.
void AppendUnescaped(std::string& out, std::string_view text, bool quotes) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      const char next = text[i + 1];
      if (next == '\\' || next == 'n' || (quotes && next == '"')) {
        out.push_back(next == 'n' ? '\n' : next);
        ++i;
        continue;
      }
    }
    out.push_back(text[i]);
  }
}

Timestamp ClampedMillis(double seconds) {
  // Cut, not rounded: as Prometheus does it.
  constexpr double kLimit = 9.2e18;
  return FromMillis(static_cast<std::int64_t>(std::clamp(seconds * 1000, -kLimit, kLimit)));
}

}  // namespace

Error PageParser::Complain(std::string_view message) const {
  return Invalid("line " + std::to_string(line_) + ": " + std::string(message));
}

Entry PageParser::Fail(std::string_view message) {
  error_ = message;
  at_ = end_;
  return Entry::kInvalid;
}

Entry PageParser::Next(const ExpectedSeries& expected) {
  matched_ = false;
  const auto& [head, tail] = expected;
  const std::size_t n = head.size() + tail.size();
  // In text a blank may stand before the brace: then the expected bytes are only the name.
  if (n != 0 && static_cast<std::size_t>(end_ - at_) > n + 1 && at_[n] == ' ' &&
      at_[n + 1] != '{' && std::memcmp(at_ + head.size(), tail.data(), tail.size()) == 0 &&
      (head.empty() || std::memcmp(at_, head.data(), head.size()) == 0)) {
    ++line_;
    matched_ = true;
    series_ = {at_, n};
    at_ += n + 1;
    return ValueAndRest();
  }
  if (!error_.empty()) return Entry::kInvalid;
  return format_ == Format::kText ? NextText() : NextOpenMetrics();
}

Entry PageParser::NextText() {
  while (at_ != end_) {
    ++line_;
    SkipBlanks();
    if (at_ == end_) break;
    if (*at_ == '\n') {
      ++at_;
      continue;
    }
    if (*at_ != '#') return Sample();
    const std::optional<Entry> entry = TextComment();
    if (entry) return *entry;
  }
  return Entry::kEnd;
}

Entry PageParser::NextOpenMetrics() {
  if (at_ == end_ && extent_ == Extent::kPiece) return Entry::kEnd;
  ++line_;
  if (at_ == end_) return ended_ ? Entry::kEnd : Fail("the page does not end with # EOF");
  if (*at_ == '#') return OpenMetricsComment();
  if (*at_ == '\n') return Fail("empty line");
  return Sample();
}

Entry PageParser::Sample() {
  const char* const first = at_;
  while (at_ != end_ && *at_ != '{' && *at_ != '\n' && !IsBlank(*at_)) ++at_;
  const char* after = at_;
  if (format_ == Format::kText) SkipBlanks();
  if (at_ != end_ && *at_ == '{') {
    after = SkimBraces(at_, end_);
    if (after == nullptr) return Fail("labels are not closed");
  } else if (after == first) {
    return Fail("expected a metric name");
  }
  at_ = after;
  series_ = {first, static_cast<std::size_t>(after - first)};
  if (format_ == Format::kText) {
    SkipBlanks();
  } else if (at_ != end_ && *at_ == ' ') {
    ++at_;
  } else {
    return Fail("expected one space and a value after the series");
  }
  return ValueAndRest();
}

Entry PageParser::ValueAndRest() {
  if (format_ == Format::kText) SkipBlanks();
  const char* const after = ReadNumber(at_, end_, value_);
  has_timestamp_ = false;
  if (after == nullptr) {
    if (at_ == end_ || *at_ == '\n') return Fail("expected a value after the series");
    return Fail("expected a value, got \"" + std::string(TakeToken().substr(0, kShown)) + "\"");
  }
  at_ = after;
  if (at_ != end_ && *at_ == '\n') {
    exemplar_.reset();
    ++at_;
    return Entry::kSample;
  }
  return RestOfSample();
}

Entry PageParser::RestOfSample() {
  exemplar_.reset();
  if (ReadPlainTimestamp()) return Entry::kSample;
  if (format_ == Format::kText) {
    SkipBlanks();
    if (EndOfLine()) return Entry::kSample;
    if (!ReadTimestamp(TakeToken())) return Fail("expected a time stamp in milliseconds");
    SkipBlanks();
    return EndOfLine() ? Entry::kSample : Fail("unexpected text after the time stamp");
  }
  if (at_ == end_) return Entry::kSample;
  if (*at_ != ' ') return Fail("unexpected text after the value");
  ++at_;
  if (at_ == end_ || *at_ != '#') {
    if (!ReadTimestamp(TakeToken())) return Fail("expected a time stamp in seconds");
    if (EndOfLine()) return Entry::kSample;
    if (*at_ != ' ' || at_ + 1 == end_ || at_[1] != '#') {
      return Fail("unexpected text after the time stamp");
    }
    ++at_;
  }
  if (!ReadExemplar()) return Fail("bad exemplar");
  return Entry::kSample;
}

bool PageParser::ReadPlainTimestamp() {
  double number = 0;
  const char* const after = ReadPlainTime(at_, end_, number);
  if (after == nullptr) return false;
  has_timestamp_ = true;
  timestamp_text_ = {at_ + 1, after};
  timestamp_ = format_ == Format::kText ? FromMillis(static_cast<std::int64_t>(number))
                                        : ClampedMillis(number);
  at_ = after + 1;
  return true;
}

bool PageParser::ReadExemplar() {
  if (end_ - at_ < 3 || at_[1] != ' ' || at_[2] != '{') return false;
  at_ += 2;
  const char* const after = SkimBraces(at_, end_);
  if (after == nullptr || after == end_ || *after != ' ') return false;
  ExemplarView exemplar;
  exemplar.labels = {at_, static_cast<std::size_t>(after - at_)};
  at_ = ReadNumber(after + 1, end_, exemplar.value);
  if (at_ == nullptr) {
    at_ = end_;
    return false;
  }
  if (!EndOfLine()) {
    double seconds = 0;
    const char* const last = *at_ == ' ' ? ReadNumber(at_ + 1, end_, seconds) : nullptr;
    if (last == nullptr || !std::isfinite(seconds)) return false;
    exemplar.seconds = seconds;
    at_ = last;
    if (!EndOfLine()) return false;
  }
  exemplar_ = exemplar;
  return true;
}

bool PageParser::ReadTimestamp(std::string_view text) {
  has_timestamp_ = true;
  timestamp_text_ = text;
  const char* const last = text.data() + text.size();
  if (format_ == Format::kText) {
    std::int64_t millis = 0;
    const auto [after, error] = std::from_chars(text.data(), last, millis);
    timestamp_ = FromMillis(millis);
    return error == std::errc{} && after == last;
  }
  double seconds = 0;
  if (ReadNumber(text.data(), last, seconds) != last || !std::isfinite(seconds)) return false;
  timestamp_ = ClampedMillis(seconds);
  return true;
}

std::optional<Entry> PageParser::TextComment() {
  ++at_;
  SkipBlanks();
  const std::string_view key = TakeToken();
  if ((key != "HELP" && key != "TYPE") || at_ == end_ || !IsBlank(*at_)) {
    (void)TakeLine();  // a comment
    return std::nullopt;
  }
  SkipBlanks();
  if (!ReadFamily()) return Fail("expected a metric name after " + std::string(key));
  SkipBlanks();
  return Metadata(key, TakeLine());
}

Entry PageParser::OpenMetricsComment() {
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  if (extent_ == Extent::kPage && (rest == "# EOF" || rest == "# EOF\n")) {
    at_ = end_;
    ended_ = true;
    return Entry::kEnd;
  }
  if (rest.starts_with("# EOF")) return Fail("text after # EOF");
  if (!rest.starts_with("# ")) return Fail("expected HELP, TYPE, UNIT or EOF after \"# \"");
  at_ += 2;
  const std::string_view key = TakeToken();
  if (key != "HELP" && key != "TYPE" && key != "UNIT") {
    return Fail("expected HELP, TYPE, UNIT or EOF after \"# \"");
  }
  const auto take_space = [this] { return at_ != end_ && *at_++ == ' '; };
  if (!take_space() || !ReadFamily()) {
    return Fail("expected a metric name after " + std::string(key));
  }
  if (!take_space()) return Fail("expected a space after the metric name");
  return Metadata(key, TakeLine());
}

Entry PageParser::Metadata(std::string_view key, std::string_view text) {
  if (key == "HELP") {
    help_ = text;
    if (!IsUtf8(text)) return Fail("HELP is not UTF-8");
    if (text.find('\\') != std::string_view::npos) {
      help_buffer_.clear();
      AppendUnescaped(help_buffer_, text, format_ == Format::kOpenMetrics);
      help_ = help_buffer_;
    }
    return Entry::kHelp;
  }
  if (key == "UNIT") {
    help_ = text;
    if (!IsUtf8(text)) return Fail("UNIT is not UTF-8");
    return Entry::kUnit;
  }
  if (format_ == Format::kText) {
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  }
  const std::optional<MetricType> type = ParseMetricType(text);
  if (!type || (text == "untyped" && format_ == Format::kOpenMetrics)) {
    return Fail("unknown metric type \"" + std::string(text.substr(0, kShown)) + "\"");
  }
  type_ = *type;
  return Entry::kType;
}

// At the first byte of a name, bare or quoted. Afterwards behind it.
bool PageParser::ReadFamily() {
  if (at_ == end_ || *at_ != '"') {
    family_ = TakeToken();
    return IsLegacyMetricName(family_);
  }
  const char* const first = ++at_;
  while (at_ != end_ && *at_ != '"' && *at_ != '\n') {
    if (*at_ == '\\' && at_ + 1 != end_ && at_[1] != '\n') ++at_;
    ++at_;
  }
  if (at_ == end_ || *at_ != '"') return false;
  family_buffer_.clear();
  AppendUnescaped(family_buffer_, {first, static_cast<std::size_t>(at_ - first)}, true);
  ++at_;
  family_ = family_buffer_;
  return IsUtf8Name(family_);
}

std::string_view PageParser::TakeToken() {
  const char* const first = at_;
  while (!EndsToken(at_, end_)) ++at_;
  return {first, static_cast<std::size_t>(at_ - first)};
}

std::string_view PageParser::TakeLine() {
  const char* const first = at_;
  const auto left = static_cast<std::size_t>(end_ - at_);
  const void* const newline = left == 0 ? nullptr : std::memchr(at_, '\n', left);
  const char* const last = newline == nullptr ? end_ : static_cast<const char*>(newline);
  at_ = newline == nullptr ? end_ : last + 1;
  return {first, static_cast<std::size_t>(last - first)};
}

void PageParser::SkipBlanks() {
  while (at_ != end_ && IsBlank(*at_)) ++at_;
}

bool PageParser::EndOfLine() {
  if (at_ == end_) return true;
  if (*at_ != '\n') return false;
  ++at_;
  return true;
}

std::optional<std::string> NormalizedBound(std::string_view value) {
  double number = 0;
  const char* const last = value.data() + value.size();
  if (value.empty() || ReadNumber(value.data(), last, number) != last) return std::nullopt;
  std::string text = number == 0 ? "0" : FormatDouble(number);
  if (text.find_first_of("e.nN") == std::string::npos) text += ".0";
  if (text == value) return std::nullopt;
  return text;
}

}  // namespace skep::exposition
