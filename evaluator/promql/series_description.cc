// The values behind a series in test scripts and rule unit tests.

#include <algorithm>
#include <array>
#include <cmath>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/model/histogram_math.h"
#include "common/model/sample.h"
#include "evaluator/promql/parser.h"

namespace skep::promql {
namespace {

constexpr std::uint64_t kMaxValues = 10'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsNameByte(char c) {
  return c == '_' || c == ':' || IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Where the name and its braces end. Unclosed braces end with the text: ParseMetric complains.
std::size_t EndOfMetric(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && IsNameByte(text[at])) ++at;
  if (at == text.size() || text[at] != '{') return at;
  for (; at < text.size() && text[at] != '}'; ++at) {
    const char quote = text[at];
    if (quote != '"' && quote != '\'' && quote != '`') continue;
    for (++at; at < text.size() && text[at] != quote; ++at) {
      if (text[at] == '\\' && quote != '`') ++at;
    }
  }
  return std::min(at + 1, text.size());
}

class SeriesParser {
 public:
  explicit SeriesParser(std::string_view text) : text_(text) {}

  Result<SeriesDescription> Run() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    const std::string_view rest = text_.substr(at_);
    const std::size_t end = EndOfMetric(rest);
    Result<Labels> labels = ParseMetric(rest.substr(0, end));
    if (!labels) return labels.error();
    at_ += end;
    SeriesDescription series{*std::move(labels), {}};
    while (at_ < text_.size()) {
      if (!IsBlank(text_[at_])) return Complain("unexpected " + Here() + " in series values");
      while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
      if (at_ < text_.size()) RETURN_IF_ERROR(ParseItem(series.values));
    }
    return series;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool TakeIf(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Error Complain(std::string_view message) const {
    return Invalid(FormatPosition(text_, static_cast<std::uint32_t>(at_)) +
                   ": parse error: " + std::string(message));
  }
  std::string Here() const {
    return at_ < text_.size() ? "character " + Quote(text_.substr(at_, 1)) : "end of input";
  }

  // The run of bytes of a number; "" where there is none.
  std::string_view TakeNumberText() {
    const std::size_t start = at_;
    const auto word = [this](std::string_view name) {
      if (text_.size() - at_ < name.size()) return false;
      for (std::size_t i = 0; i < name.size(); ++i) {
        if ((text_[at_ + i] | 0x20) != name[i]) return false;
      }
      at_ += name.size();
      return true;
    };
    if (word("inf") || word("nan")) return text_.substr(start, at_ - start);
    while (IsDigit(Peek()) || Peek() == '.' || Peek() == '_') ++at_;
    if (at_ > start && (Peek() | 0x20) == 'e') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    return text_.substr(start, at_ - start);
  }

  // A number, or a duration in seconds, with a sign or not.
  Result<double> ParseNumber() {
    const bool negative = Peek() == '-';
    if (negative || Peek() == '+') ++at_;
    const std::size_t start = at_;
    std::string digits(TakeNumberText());
    std::erase(digits, '_');
    double value = 0;
    if (!digits.empty() && std::string_view("smhdwy").find(Peek()) != std::string_view::npos &&
        Peek() != '\0') {
      while (IsDigit(Peek()) || (Peek() >= 'a' && Peek() <= 'z' && Peek() != 'x')) ++at_;
      const Result<Duration> duration = ParseDuration(text_.substr(start, at_ - start));
      if (!duration) return Complain(duration.error().message());
      value = ToSeconds(*duration);
    } else {
      const std::optional<double> number = ParseDouble(digits);
      if (!number) return Complain("unexpected " + Here() + " in series values, expected number");
      value = *number;
    }
    return negative ? -value : value;
  }

  // Behind an `x`.
  Result<std::uint64_t> ParseTimes() {
    const std::size_t start = at_;
    while (IsDigit(Peek())) ++at_;
    const auto times = ParseUint(text_.substr(start, at_ - start));
    if (!times) return Complain("invalid repetition in series values");
    return *times;
  }

  Status CheckRoom(const std::vector<SequenceValue>& values, std::uint64_t more) const {
    if (more <= kMaxValues && values.size() + more <= kMaxValues) return {};
    return Complain("more than " + std::to_string(kMaxValues) + " values in a series");
  }

  Status ParseItem(std::vector<SequenceValue>& values) {
    if (TakeIf("{{")) return ParseHistogramItem(values);
    if (Peek() == '_') return ParseBlanks(values);
    SequenceValue value;
    value.kind = SequenceValue::Kind::kFloat;
    double step = 0;
    if (TakeIf("stale")) {
      value.value = kStaleNaN;
    } else {
      const Result<double> number = ParseNumber();
      if (!number) return number.error();
      value.value = *number;
      if (Peek() == '+' || Peek() == '-') {
        const Result<double> increment = ParseNumber();
        if (!increment) return increment.error();
        step = *increment;
        if (Peek() != 'x') return Complain("unexpected " + Here() + " in series values");
      }
    }
    return Repeat(values, value, step);
  }

  Status ParseBlanks(std::vector<SequenceValue>& values) {
    ++at_;
    std::uint64_t count = 1;
    if (TakeIf("x")) {
      const Result<std::uint64_t> times = ParseTimes();
      if (!times) return times.error();
      count = *times;
    }
    RETURN_IF_ERROR(CheckRoom(values, count));
    values.resize(values.size() + count);
    return {};
  }

  // `x3` gives the value itself and three more, each `step` further.
  Status Repeat(std::vector<SequenceValue>& values, SequenceValue value, double step) {
    std::uint64_t times = 0;
    if (TakeIf("x")) {
      const Result<std::uint64_t> parsed = ParseTimes();
      if (!parsed) return parsed.error();
      times = *parsed;
    }
    RETURN_IF_ERROR(CheckRoom(values, times + 1));
    for (std::uint64_t i = 0; i <= times; ++i) {
      values.push_back(value);
      if (step != 0) value.value += step;  // adding would quiet the staleness marker
    }
    return {};
  }

  // Behind "{{".
  Status ParseHistogramItem(std::vector<SequenceValue>& values) {
    Result<HistogramLiteral> base = ParseHistogram();
    if (!base) return base.error();
    SequenceValue value;
    value.kind = SequenceValue::Kind::kHistogram;
    value.histogram = std::make_shared<const Histogram>(ToHistogram(*base));
    value.has_reset_hint = base->reset_hint.has_value();
    if (Peek() != '+' && Peek() != '-') return Repeat(values, std::move(value), 0);
    const bool down = Peek() == '-';
    ++at_;
    if (!TakeIf("{{")) return Complain("unexpected " + Here() + " in series values");
    const Result<HistogramLiteral> increment = ParseHistogram();
    if (!increment) return increment.error();
    if (Peek() != 'x') return Complain("unexpected " + Here() + " in series values");
    return RepeatHistogram(values, value, ToHistogram(*increment), down);
  }

  // Each is the one before with `increment` added (or taken away).
  Status RepeatHistogram(std::vector<SequenceValue>& values, const SequenceValue& value,
                         const Histogram& increment, bool down) {
    const std::size_t first = values.size();
    RETURN_IF_ERROR(Repeat(values, value, 0));
    Histogram sum = *value.histogram;
    for (std::size_t i = first + 1; i < values.size(); ++i) {
      const auto added = down ? Subtract(sum, increment) : Add(sum, increment);
      if (!added) return Complain("histograms with exponential and custom buckets cannot be added");
      values[i].histogram = std::make_shared<const Histogram>(sum);
    }
    return {};
  }

  std::string_view TakeWord() {
    const std::size_t start = at_;
    while (IsNameByte(Peek()) && Peek() != ':') ++at_;
    return text_.substr(start, at_ - start);
  }

  // Up to and with "}}".
  Result<HistogramLiteral> ParseHistogram() {
    HistogramLiteral histogram;
    std::vector<std::string_view> seen;
    while (true) {
      while (Peek() == ' ') ++at_;
      if (TakeIf("}}")) return histogram;
      const std::string_view key = TakeWord();
      if (key.empty() || !TakeIf(":")) {
        return Complain("unexpected " + Here() +
                        " in histogram description, expected histogram description key, e.g. "
                        "buckets:[5 10 7]");
      }
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        return Complain("duplicate key " + Quote(key) + " in histogram");
      }
      seen.push_back(key);
      RETURN_IF_ERROR(ParseField(key, histogram));
    }
  }

  Status ParseField(std::string_view key, HistogramLiteral& histogram) {
    if (key == "counter_reset_hint") return ParseHint(histogram);
    if (key == "buckets") return ParseList(histogram.buckets);
    if (key == "n_buckets") return ParseList(histogram.negative_buckets);
    if (key == "custom_values") return ParseList(histogram.custom_values);
    const Result<double> number = ParseNumber();
    if (!number) return number.error();
    if (key == "schema") return SetSchema(*number, histogram.schema);
    if (key == "offset") return SetInteger(*number, histogram.offset);
    if (key == "n_offset") return SetInteger(*number, histogram.negative_offset);
    if (key == "sum") {
      histogram.sum = *number;
    } else if (key == "count") {
      histogram.count = *number;
    } else if (key == "z_bucket") {
      histogram.zero_count = *number;
    } else if (key == "z_bucket_w") {
      histogram.zero_threshold = *number;
    } else {
      return Complain("bad histogram descriptor found: " + Quote(key));
    }
    return {};
  }

  Status SetSchema(double number, std::int64_t& out) const {
    RETURN_IF_ERROR(SetInteger(number, out));
    if (out == kCustomBucketsSchema || (out >= kMinSchema && out <= kMaxSchema)) return {};
    return Complain("schema " + std::to_string(out) + " of a histogram, expected -4 to 8 or -53");
  }

  Status SetInteger(double number, std::int64_t& out) const {
    if (number != std::trunc(number) || std::abs(number) > 1e9) {
      return Complain("expected an integer in histogram description");
    }
    out = static_cast<std::int64_t>(number);
    return {};
  }

  Status ParseList(std::vector<double>& list) {
    if (!TakeIf("[")) return Complain("unexpected " + Here() + ", expected \"[\"");
    while (true) {
      while (Peek() == ' ') ++at_;
      if (TakeIf("]")) return {};
      const Result<double> number = ParseNumber();
      if (!number) return number.error();
      list.push_back(*number);
    }
  }

  Status ParseHint(HistogramLiteral& histogram) {
    static constexpr std::array<std::string_view, 4> kHints = {"unknown", "reset", "not_reset",
                                                               "gauge"};
    const std::string_view word = TakeWord();
    const auto* const hint = std::find(kHints.begin(), kHints.end(), word);
    if (hint == kHints.end()) {
      return Complain("error parsing counter_reset_hint: unknown value " + Quote(word));
    }
    histogram.reset_hint = static_cast<CounterResetHint>(hint - kHints.begin());
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

BucketRuns ToRuns(std::int64_t offset, const std::vector<double>& counts) {
  BucketRuns runs;
  if (counts.empty()) return runs;
  runs.spans.push_back(
      {static_cast<std::int32_t>(offset), static_cast<std::uint32_t>(counts.size())});
  runs.counts = counts;
  return runs;
}

}  // namespace

Histogram ToHistogram(const HistogramLiteral& literal) {
  Histogram histogram;
  histogram.reset_hint = literal.reset_hint.value_or(CounterResetHint::kUnknown);
  histogram.schema = static_cast<int>(literal.schema);
  histogram.zero_threshold = literal.zero_threshold;
  histogram.zero_count = literal.zero_count;
  histogram.count = literal.count;
  histogram.sum = literal.sum;
  histogram.positive = ToRuns(literal.offset, literal.buckets);
  histogram.negative = ToRuns(literal.negative_offset, literal.negative_buckets);
  if (!literal.custom_values.empty()) {
    histogram.bounds = std::make_shared<const std::vector<double>>(literal.custom_values);
  }
  return histogram;
}

Result<SeriesDescription> ParseSeriesDescription(std::string_view text) {
  return SeriesParser(text).Run();
}

}  // namespace skep::promql
