#include "evaluator/template/alert_template.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/model/regex.h"
#include "evaluator/template/format.h"

namespace skep::templates {
namespace {

using Arguments = std::span<const Value>;
using Kind = Value::Kind;

// As Prometheus writes it in front of every text: columns of its messages count it in.
constexpr std::string_view kPrelude =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"
    "{{$externalURL := .ExternalURL}}{{$value := .Value}}";

const PrometheusContext& Of(const Context* context) {
  return static_cast<const PrometheusContext&>(*context);
}

Result<std::string> TextAt(Arguments arguments, std::size_t i) {
  if (arguments[i].kind() == Kind::kString) return arguments[i].AsString();
  return Invalid("wrong type for value; expected string; got " +
                 std::string(arguments[i].TypeName()));
}

// What Prometheus takes as a number: numbers, durations (in seconds), and text that is one.
Result<double> NumberOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kInt:
      return static_cast<double>(value.AsInt());
    case Kind::kFloat:
      return value.AsFloat();
    case Kind::kDuration:
      return static_cast<double>(value.AsDuration().count()) / 1e9;
    case Kind::kString:
      if (const auto number = ParseDouble(value.AsString())) return *number;
      return Invalid("strconv.ParseFloat: parsing " + Quote(value.AsString()) + ": invalid syntax");
    case Kind::kNil:
    case Kind::kBool:
    case Kind::kTime:
    case Kind::kList:
    case Kind::kMap:
      break;
  }
  return Invalid("can't convert " + std::string(value.TypeName()) + " to float");
}

const Methods kSampleType = {{}, "*template.sample"};
const Methods kAlertType = {{},
                            "struct { Labels map[string]string; ExternalLabels map[string]string; "
                            "ExternalURL string; Value interface {} }"};

Value SampleValue(const QuerySample& sample) {
  return Value::Of(Entries{{"Labels", Value::Of(sample.labels)}, {"Value", sample.value}},
                   MapKind::kStruct, &kSampleType);
}

// A member of a sample, which must be one.
Result<Value> Member(const Value& sample, std::string_view name) {
  if (sample.kind() == Kind::kMap && sample.map_kind() == MapKind::kStruct) {
    const auto found = sample.AsMap().find(name);
    if (found != sample.AsMap().end()) return found->second;
  }
  return Invalid("wrong type for value; expected *template.sample; got " +
                 std::string(sample.TypeName()));
}

Result<Value> LabelOf(const Value& sample, const std::string& label) {
  Result<Value> labels = Member(sample, "Labels");
  if (!labels) return labels;
  const auto found = labels->AsMap().find(label);
  return found == labels->AsMap().end() ? Value("") : found->second;
}

Result<Value> Query(const Context* context, Arguments arguments) {
  Result<std::string> expr = TextAt(arguments, 0);
  if (!expr) return expr.error();
  Result<std::vector<QuerySample>> samples = Of(context).query(*expr);
  if (!samples) return samples.error();
  List list;
  list.reserve(samples->size());
  for (const QuerySample& sample : *samples) list.push_back(SampleValue(sample));
  return Value::Of(std::move(list));
}

Result<Value> First(const Context*, Arguments arguments) {
  if (arguments[0].kind() != Kind::kList) {
    return Invalid("wrong type for value; expected template.queryResult; got " +
                   std::string(arguments[0].TypeName()));
  }
  const List& list = arguments[0].AsList();
  if (list.empty()) return Invalid("first() called on vector with no elements");
  return list.front();
}

Result<Value> SortByLabel(const Context*, Arguments arguments) {
  Result<std::string> label = TextAt(arguments, 0);
  if (!label) return label.error();
  if (arguments[1].kind() != Kind::kList) {
    return Invalid("wrong type for value; expected template.queryResult; got " +
                   std::string(arguments[1].TypeName()));
  }
  std::vector<std::pair<std::string, Value>> keyed;
  for (const Value& sample : arguments[1].AsList()) {
    Result<Value> key = LabelOf(sample, *label);
    if (!key) return key;
    keyed.emplace_back(key->AsString(), sample);
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  List sorted;
  for (auto& [key, sample] : keyed) sorted.push_back(std::move(sample));
  return Value::Of(std::move(sorted));
}

Result<Value> Args(const Context*, Arguments arguments) {
  Entries entries;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    entries["arg" + std::to_string(i)] = arguments[i];
  }
  return Value::Of(std::move(entries), MapKind::kAny);
}

// Go's `.` stops at newlines, which that of Prometheus's matchers no longer does.
Result<Regex> GoRegex(std::string_view pattern) {
  return Regex::Create(std::string("(?-s)").append(pattern));
}

Result<Value> Match(const Context*, Arguments arguments) {
  Result<std::string> pattern = TextAt(arguments, 0);
  if (!pattern) return pattern.error();
  Result<std::string> text = TextAt(arguments, 1);
  if (!text) return text.error();
  Result<Regex> regex = GoRegex(*pattern);
  if (!regex) return regex.error();
  return Value(regex->PartialMatch(*text));
}

Result<Value> ReplaceAll(const Context*, Arguments arguments) {
  std::array<std::string, 3> texts;
  for (std::size_t i = 0; i < 3; ++i) {
    Result<std::string> text = TextAt(arguments, i);
    if (!text) return text.error();
    texts[i] = std::move(*text);
  }
  Result<Regex> regex = GoRegex(texts[0]);
  if (!regex) return regex.error();
  return Value(regex->ReplaceAll(texts[2], texts[1]));
}

struct CaseRange {
  char32_t first, last;  // lower case
  int step;              // 1: every letter; 2: every other one
  int to_upper;          // what to add
};
// The alphabets of Europe; the rest stays as it is.
constexpr CaseRange kCases[] = {
    {'a', 'z', 1, -32},     {0xe0, 0xf6, 1, -32},   {0xf8, 0xfe, 1, -32},   {0xff, 0xff, 1, 121},
    {0x101, 0x12f, 2, -1},  {0x133, 0x137, 2, -1},  {0x13a, 0x148, 2, -1},  {0x14b, 0x177, 2, -1},
    {0x17a, 0x17e, 2, -1},  {0x3ac, 0x3ac, 1, -38}, {0x3ad, 0x3af, 1, -37}, {0x3b1, 0x3c1, 1, -32},
    {0x3c3, 0x3cb, 1, -32}, {0x3cc, 0x3cc, 1, -64}, {0x3cd, 0x3ce, 1, -63}, {0x430, 0x44f, 1, -32},
    {0x450, 0x45f, 1, -80}, {0x461, 0x481, 2, -1},
};

char32_t ToUpper(char32_t code) {
  for (const CaseRange& range : kCases) {
    const bool within = code >= range.first && code <= range.last;
    if (within && (code - range.first) % static_cast<char32_t>(range.step) == 0) {
      return code + static_cast<char32_t>(range.to_upper);
    }
  }
  return code;
}

char32_t ToLower(char32_t code) {
  for (const CaseRange& range : kCases) {
    const char32_t lower = code - static_cast<char32_t>(range.to_upper);
    const bool within = lower >= range.first && lower <= range.last;
    if (within && (lower - range.first) % static_cast<char32_t>(range.step) == 0) return lower;
  }
  return code;
}

template <typename F>
std::string MapRunes(std::string_view text, F change) {
  std::string out;
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    AppendUtf8(out, change(rune.code));
    text.remove_prefix(rune.size);
  }
  return out;
}

// What a character does to the word it stands in or behind, as Unicode breaks words.
enum class WordPart : std::uint8_t { kLetter, kInner, kMiddle, kBreak };

WordPart WordPartOf(char32_t code) {
  if (ToUpper(code) != code || ToLower(code) != code) return WordPart::kLetter;
  constexpr std::u32string_view kMiddles = U"'.:\u00b7\u2018\u2019\u2024\u2027";
  if (kMiddles.find(code) != std::u32string_view::npos) return WordPart::kMiddle;
  if (code < 0x80) {
    const bool inner = code == '_' || IsDigit(static_cast<char>(code));
    return inner ? WordPart::kInner : WordPart::kBreak;
  }
  const bool sign = code == 0xa0 || code == 0x3000 || (code >= 0x2000 && code <= 0x206f);
  return sign ? WordPart::kBreak : WordPart::kInner;
}

// The first letter of every word as a capital, the others as they are, as Go's cases.Title has it:
// an apostrophe, a full stop or a colon between two letters ends no word ("it's", "a.example").
std::string Title(std::string_view text) {
  bool inside = false;
  bool after_middle = false;
  return MapRunes(text, [&](char32_t code) {
    const WordPart part = WordPartOf(code);
    const bool middle = part == WordPart::kMiddle;
    if (part == WordPart::kBreak || (middle && after_middle)) inside = false;
    after_middle = middle;
    if (part != WordPart::kLetter || inside) return code;
    inside = true;
    return ToUpper(code);
  });
}

std::string QueryEscape(const std::string& text) {
  static const std::shared_ptr<const Function> kEscape = BuiltinFunctions().at("urlquery");
  const std::array arguments = {Value(text)};
  return kEscape->call(nullptr, arguments)->AsString();
}

struct HostPort {
  std::string host, port;
};

// Go's net.SplitHostPort; nothing where it would be an error.
std::optional<HostPort> SplitHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (host.find(']') != host.size() - 1) return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  if (host.find_first_of("[]") != std::string_view::npos) return std::nullopt;
  if (text.substr(colon).find_first_of("[]") != std::string_view::npos) return std::nullopt;
  return HostPort{std::string(host), std::string(text.substr(colon + 1))};
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, 16> bytes;
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::string StripPort(const std::string& text) {
  const std::optional<HostPort> split = SplitHostPort(text);
  return split ? split->host : text;
}

std::string StripDomain(const std::string& text) {
  const std::optional<HostPort> split = SplitHostPort(text);
  const std::string host = split ? split->host : text;
  if (IsAddress(host)) return text;
  const std::string name = host.substr(0, host.find('.'));
  if (!split || split->port.empty()) return name;
  const bool colons = name.find(':') != std::string::npos;  // an address with a zone
  return (colons ? "[" + name + "]" : name) + ":" + split->port;
}

std::string PathOf(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  if (slash == std::string::npos) return "";
  return url.substr(slash, url.find_first_of("?#", slash) - slash);
}

Result<Timestamp> TimeOf(double seconds) {
  if (std::isnan(seconds) || std::isinf(seconds)) return Invalid("value is NaN or Inf");
  const double nanos = seconds * 1e9;
  constexpr double kLimit = 9223372036854775807.0;
  if (nanos >= kLimit || nanos < -kLimit) {
    return Invalid(FormatDouble(seconds) +
                   " cannot be represented as a nanoseconds timestamp since it overflows int64");
  }
  return FromMillis(static_cast<std::int64_t>(nanos) / 1'000'000);
}

Result<Value> HumanizeTimestamp(const Context*, Arguments arguments) {
  Result<double> seconds = NumberOf(arguments[0]);
  if (!seconds) return seconds.error();
  if (!std::isfinite(*seconds)) return Value(FormatGeneral(*seconds, 4));
  Result<Timestamp> time = TimeOf(*seconds);
  if (!time) return time.error();
  return Value(FormatTimeGo(*time));
}

Result<Value> ToTime(const Context*, Arguments arguments) {
  Result<double> seconds = NumberOf(arguments[0]);
  if (!seconds) return seconds.error();
  Result<Timestamp> time = TimeOf(*seconds);
  if (!time) return time.error();
  return Value(*time);
}

Result<Value> ToDuration(const Context*, Arguments arguments) {
  Result<double> seconds = NumberOf(arguments[0]);
  if (!seconds) return seconds.error();
  Result<Timestamp> checked = TimeOf(*seconds);  // the same range
  if (!checked) return checked.error();
  return Value(Nanoseconds(static_cast<std::int64_t>(*seconds * 1e9)));
}

Result<Value> ParseDurationText(const Context*, Arguments arguments) {
  Result<std::string> text = TextAt(arguments, 0);
  if (!text) return text.error();
  Result<Duration> duration = ParseDuration(*text);
  if (!duration) return Invalid("not a valid duration string: " + Quote(*text));
  return Value(ToSeconds(*duration));
}

// text -> text
Function::Call OnText(std::string (*function)(const std::string&)) {
  return [function](const Context*, Arguments arguments) -> Result<Value> {
    Result<std::string> text = TextAt(arguments, 0);
    if (!text) return text.error();
    return Value(function(*text));
  };
}

// number -> text
Function::Call OnNumber(std::string (*function)(double)) {
  return [function](const Context*, Arguments arguments) -> Result<Value> {
    Result<double> number = NumberOf(arguments[0]);
    if (!number) return number.error();
    return Value(function(*number));
  };
}

FunctionTable MakePrometheus() {
  FunctionTable table = BuiltinFunctions();
  const auto add = [&](std::string_view name, std::size_t count, Function::Call call) {
    table.insert_or_assign(std::string(name), std::make_shared<const Function>(
                                                  Function{std::move(call), count, count}));
  };
  add("query", 1, Query);
  add("first", 1, First);
  add("sortByLabel", 2, SortByLabel);
  add("label", 2, [](const Context*, Arguments a) -> Result<Value> {
    Result<std::string> label = TextAt(a, 0);
    if (!label) return label.error();
    return LabelOf(a[1], *label);
  });
  add("value", 1, [](const Context*, Arguments a) { return Member(a[0], "Value"); });
  add("strvalue", 1, [](const Context*, Arguments a) { return LabelOf(a[0], "__value__"); });
  table.insert_or_assign("args", std::make_shared<const Function>(Function{Args, 0}));
  table.insert_or_assign("tmpl", std::make_shared<const Function>(Function{nullptr, 2, 2, true}));
  add("reReplaceAll", 3, ReplaceAll);
  add("match", 2, Match);
  add("safeHtml", 1, OnText([](const std::string& text) { return text; }));
  add("title", 1, OnText([](const std::string& text) { return Title(text); }));
  add("toUpper", 1, OnText([](const std::string& text) { return MapRunes(text, ToUpper); }));
  add("toLower", 1, OnText([](const std::string& text) { return MapRunes(text, ToLower); }));
  add("graphLink", 1, OnText([](const std::string& text) { return GraphLink(text); }));
  add("tableLink", 1, OnText([](const std::string& text) { return TableLink(text); }));
  add("urlQueryEscape", 1, OnText(QueryEscape));
  add("stripPort", 1, OnText(StripPort));
  add("stripDomain", 1, OnText(StripDomain));
  add("humanize", 1, OnNumber(Humanize));
  add("humanize1024", 1, OnNumber(Humanize1024));
  add("humanizeDuration", 1, OnNumber(HumanizeDuration));
  add("humanizePercentage", 1, OnNumber(HumanizePercentage));
  add("humanizeTimestamp", 1, HumanizeTimestamp);
  add("toTime", 1, ToTime);
  add("toDuration", 1, ToDuration);
  add("parseDuration", 1, ParseDurationText);
  add("now", 0, [](const Context* context, Arguments) -> Result<Value> {
    return Value(ToSeconds(Of(context).time));
  });
  add("externalURL", 0, [](const Context* context, Arguments) -> Result<Value> {
    return Value(Of(context).external_url);
  });
  add("pathPrefix", 0, [](const Context* context, Arguments) -> Result<Value> {
    return Value(PathOf(Of(context).external_url));
  });
  return table;
}

constexpr std::array<std::string_view, 8> kSmall = {"m", "u", "n", "p", "f", "a", "z", "y"};

// 0.0012 is "1.2m".
std::string WithSmallPrefix(double value, std::string_view unit) {
  std::string_view prefix;
  for (const std::string_view next : kSmall) {
    if (std::fabs(value) >= 1) break;
    prefix = next;
    value *= 1000;
  }
  return FormatGeneral(value, 4).append(prefix).append(unit);
}

std::string WithLargePrefix(double value, double base, std::span<const std::string_view> prefixes) {
  std::string_view prefix;
  for (const std::string_view next : prefixes) {
    if (std::fabs(value) < base) break;
    prefix = next;
    value /= base;
  }
  return FormatGeneral(value, 4).append(prefix);
}

}  // namespace

const FunctionTable& PrometheusFunctions() {
  static const FunctionTable kTable = MakePrometheus();
  return kTable;
}

Value AlertData(const Labels& labels, const Labels& external_labels, std::string_view external_url,
                Value value) {
  return Value::Of(Entries{{"Labels", Value::Of(labels)},
                           {"ExternalLabels", Value::Of(external_labels)},
                           {"ExternalURL", Value(external_url)},
                           {"Value", std::move(value)}},
                   MapKind::kStruct, &kAlertType);
}

Result<AlertTemplate> AlertTemplate::Parse(std::string_view alert, std::string_view text) {
  AlertTemplate parsed("__alert_" + std::string(alert), std::string(text));
  if (text.find("{{") == std::string_view::npos) return parsed;
  Result<Template> tmpl = Template::Parse(parsed.name_, text, PrometheusFunctions(), kPrelude);
  if (!tmpl) return tmpl.error();
  parsed.template_ = std::make_shared<const Template>(std::move(*tmpl));
  return parsed;
}

std::string AlertTemplate::Expand(const Value& data, const PrometheusContext& context,
                                  std::string* error) const {
  if (!template_) return text_;
  Result<std::string> text = template_->Execute(data, &context);
  if (text) return std::move(*text);
  std::string message = "error executing template " + name_ + ": " + text.error().message();
  if (error != nullptr) *error = message;
  return "<error expanding template: " + message + ">";
}

std::string TableLink(std::string_view expr) {
  return "/graph?g0.expr=" + QueryEscape(std::string(expr)) + "&g0.tab=1";
}

std::string GraphLink(std::string_view expr) {
  return "/graph?g0.expr=" + QueryEscape(std::string(expr)) + "&g0.tab=0";
}

std::string Humanize(double value) {
  constexpr std::array<std::string_view, 8> kLarge = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
  if (value == 0 || !std::isfinite(value)) return FormatGeneral(value, 4);
  if (std::fabs(value) >= 1) return WithLargePrefix(value, 1000, kLarge);
  return WithSmallPrefix(value, "");
}

std::string Humanize1024(double value) {
  constexpr std::array<std::string_view, 8> kLarge = {"ki", "Mi", "Gi", "Ti",
                                                      "Pi", "Ei", "Zi", "Yi"};
  if (std::fabs(value) <= 1 || !std::isfinite(value)) return FormatGeneral(value, 4);
  return WithLargePrefix(value, 1024, kLarge);
}

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FormatGeneral(seconds, 4);
  if (seconds == 0) return FormatGeneral(seconds, 4) + "s";
  if (std::fabs(seconds) < 1) return WithSmallPrefix(seconds, "s");
  const std::string sign = seconds < 0 ? "-" : "";
  const double magnitude = std::fabs(seconds);
  if (magnitude < 60) return sign + FormatGeneral(magnitude, 4) + "s";
  // Go's conversion of what is too large is not defined; the largest will do.
  const std::int64_t whole = magnitude < 9e18 ? static_cast<std::int64_t>(magnitude)
                                              : std::numeric_limits<std::int64_t>::max();
  const std::string s = std::to_string(whole % 60) + "s";
  const std::string m = std::to_string(whole / 60 % 60) + "m ";
  const std::string h = std::to_string(whole / 3600 % 24) + "h ";
  if (whole >= 86400) return sign + std::to_string(whole / 86400) + "d " + h + m + s;
  return whole >= 3600 ? sign + h + m + s : sign + m + s;
}

std::string HumanizePercentage(double ratio) { return FormatGeneral(ratio * 100, 4) + "%"; }

}  // namespace skep::templates
