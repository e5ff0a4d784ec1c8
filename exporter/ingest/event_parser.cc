#include "exporter/ingest/event_parser.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "exporter/ingest/label_values.h"

namespace skep::ingest {
namespace {

using json::Element;

constexpr Duration kMaxAhead = std::chrono::hours(1);
constexpr double kMaxUnixSeconds = 4e9;

// Errors of this kind may pass when tried again; what other programs call them.
constexpr std::string_view kRetryable[] = {"ECONNREFUSED", "ECONNRESET",  "ENOTFOUND",
                                           "ETIMEDOUT",    "SQLITE_BUSY", "SQLITE_LOCKED",
                                           "network",      "temporary",   "timeout"};

constexpr std::string_view kForeignUnits[] = {
    "days",         "gb",      "gib",       "gigabytes",  "hours",  "kb",           "kib",
    "kilobytes",    "mb",      "megabytes", "mib",        "micros", "microseconds", "millis",
    "milliseconds", "minutes", "ms",        "msec",       "msecs",  "nanos",        "nanoseconds",
    "ns",           "pct",     "percent",   "percentage", "us",     "usec"};
constexpr std::string_view kTakenSuffixes[] = {"bucket", "count", "created", "info", "sum"};
constexpr std::string_view kIdWords[] = {"address",  "email",  "guid",    "id",    "ids", "ip",
                                         "password", "secret", "session", "token", "uuid"};

template <std::size_t N>
bool IsOneOf(std::string_view word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

std::string_view LastWord(std::string_view name) {
  const std::size_t at = name.rfind('_');
  return at == std::string_view::npos ? name : name.substr(at + 1);
}

bool IsName(std::string_view text) {
  const auto letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 128 || digit(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return c == '_' || letter(c) || digit(c); });
}

// Of UTF-8, which the reader has checked.
std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool IsPlainText(std::string_view text, std::size_t characters) {
  if (text.empty() || (text.size() > characters && CountCharacters(text) > characters)) {
    return false;
  }
  return IsPlainValue(text);
}

std::string ExpectText(std::size_t characters) {
  return "expected a text of 1 to " + std::to_string(characters) +
         " characters without control characters";
}

std::string Join(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

std::string ExpectNumber(const Range& range) {
  return "expected a " + std::string(range.unit) + " from " + FormatPlainDouble(range.least) +
         " to " + FormatPlainDouble(range.most);
}

// "404" for 404: what becomes a label of a number.
std::string_view StatusText(double status) {
  static const std::array<std::array<char, 3>, 500> texts = [] {
    std::array<std::array<char, 3>, 500> all{};
    for (int i = 0; i < 500; ++i) {
      all[static_cast<std::size_t>(i)] = {static_cast<char>('1' + i / 100),
                                          static_cast<char>('0' + i / 10 % 10),
                                          static_cast<char>('0' + i % 10)};
    }
    return all;
  }();
  return {texts[static_cast<std::size_t>(status) - 100].data(), 3};
}

// The form that the schema asks for; which days exist is ParseTimestamp's knowledge.
bool LooksLikeRfc3339(std::string_view text) {
  if (text.size() < 20 || text.size() > 35) return false;
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    const bool fits = kForm[i] == '0'   ? digit
                      : kForm[i] == 'T' ? (text[i] | 0x20) == 't'
                                        : text[i] == kForm[i];
    if (!fits) return false;
  }
  return true;
}

Result<Timestamp> ReadTime(const Element& value, Timestamp now) {
  Timestamp time;
  if (value.IsNumber()) {
    const double seconds = value.number();
    if (!(seconds >= 0 && seconds <= kMaxUnixSeconds)) {
      return Invalid("expected seconds since 1970, not milliseconds");
    }
    time = FromMillis(std::llround(seconds * 1e3));
  } else {
    if (!value.IsString() || !LooksLikeRfc3339(value.text())) {
      return Invalid(
          "expected RFC 3339 with an offset (2026-11-22T10:00:00Z) or seconds since 1970");
    }
    const Result<Timestamp> parsed = ParseTimestamp(value.text());
    if (!parsed) return parsed.error();
    time = *parsed;
  }
  if (time > now + kMaxAhead) return Invalid("is more than an hour ahead of this machine's clock");
  return time;
}

// Reads one object into the batch. The batch grows only by events that are whole: what a refused
// one left in its tables is cut off again.
class LineReader {
 public:
  LineReader(const ParseRules& rules, EventBatch& batch) : rules_(rules), batch_(batch) {}

  void Read(std::string_view text, std::size_t line) {
    text_ = text;
    field_.clear();
    const EventBatch::Marks marks = batch_.marks();
    std::optional<std::string> problem = ReadObject(line);
    if (!problem) return;
    batch_.CutTo(marks);
    const RefusalReason reason = field_.empty()     ? RefusalReason::kJson
                                 : field_ == "kind" ? RefusalReason::kKind
                                                    : RefusalReason::kField;
    batch_.Refuse(reason, line, field_, *std::move(problem));
  }

  // Whether `text` is one whole value and nothing else.
  bool Parses(std::string_view text) { return document_.Parse(text).has_value(); }

 private:
  using Problem = std::optional<std::string>;

  Problem ReadObject(std::size_t line) {
    if (const Status parsed = document_.Parse(text_); !parsed) return parsed.error().message();
    const Element root = document_.root();
    if (!root.IsObject()) return "expected an object";
    Event event;
    event.line = static_cast<std::uint32_t>(line);
    event.begin = static_cast<std::uint32_t>(batch_.values.size());
    if (Problem problem = ReadKind(root, event)) return problem;
    if (Problem problem = ReadMembers(root, event)) return problem;
    event.count = static_cast<std::uint32_t>(batch_.values.size()) - event.begin;
    if (Problem problem = CheckWhole(event)) return problem;
    batch_.events.push_back(event);
    return std::nullopt;
  }

  Problem ReadKind(const Element& root, Event& event) {
    field_ = "kind";
    const Element kind = root.Find("kind");
    if (!kind.exists()) return "is required";
    if (!kind.IsString()) return "expected a text";
    const std::span<const KindSpec> kinds = Kinds();
    const auto found =
        std::lower_bound(kinds.begin(), kinds.end(), kind.text(),
                         [](const KindSpec& a, std::string_view name) { return a.name < name; });
    if (found == kinds.end() || found->name != kind.text()) {
      return "unknown kind " + Quote(kind.text().substr(0, 64));
    }
    if (rules_.from_browsers && !found->from_browsers) {
      return "kind " + std::string(found->name) + " does not come from browsers";
    }
    event.kind = &*found;
    return std::nullopt;
  }

  // Keys come mostly in the order of the table, or of the sender's last event: the search for the
  // next one begins behind the one before.
  Problem ReadMembers(const Element& root, Event& event) {
    const std::span<const FieldSpec> fields = event.kind->fields;
    std::uint32_t given = 0;
    std::size_t expected = 0;
    for (const auto& [key, value] : root.members()) {
      const std::size_t index = FindField(fields, key, expected);
      const std::uint32_t bit = std::uint32_t{1} << index;
      field_.assign(key.substr(0, 64));
      if (index == kUnknown) return "unknown field of kind " + std::string(event.kind->name);
      if ((given & bit) != 0) return "is given twice";
      given |= bit;
      Problem problem = index < fields.size() ? ReadField(fields[index], index, value)
                                              : ReadCommon(index - fields.size(), value, event);
      if (problem) return problem;
      expected = index + 1;
    }
    return CheckGiven(*event.kind, given);
  }

  static constexpr std::size_t kUnknown = 31;

  // Own fields first, then the common ones (kind, id, time) behind them.
  static std::size_t FindField(std::span<const FieldSpec> fields, std::string_view key,
                               std::size_t expected) {
    if (expected < fields.size() && fields[expected].name == key) return expected;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == key) return i;
    }
    const std::span<const FieldSpec> common = CommonFields();
    for (std::size_t i = 0; i < common.size(); ++i) {
      if (common[i].name == key) return fields.size() + i;
    }
    return kUnknown;
  }

  Problem CheckGiven(const KindSpec& kind, std::uint32_t given) {
    for (std::size_t i = 0; i < kind.fields.size(); ++i) {
      if (!kind.fields[i].required || (given >> i & 1) != 0) continue;
      field_ = kind.fields[i].name;
      return "is required";
    }
    if (kind.any_of.empty()) return std::nullopt;
    for (std::size_t i = 0; i < kind.fields.size(); ++i) {
      if ((given >> i & 1) == 0) continue;
      if (std::find(kind.any_of.begin(), kind.any_of.end(), kind.fields[i].name) !=
          kind.any_of.end()) {
        return std::nullopt;
      }
    }
    field_ = kind.any_of.front();
    return "expected at least one of: " + Join(kind.any_of);
  }

  Problem ReadCommon(std::size_t index, const Element& value, Event& event) {
    if (index == 0) return std::nullopt;  // the kind is read
    if (index == 1) return ReadText(value, *MaxCharactersOf(FieldType::kId), event.id);
    const Result<Timestamp> time = ReadTime(value, rules_.now);
    if (!time) return time.error().message();
    event.time = *time;
    return std::nullopt;
  }

  // A view that outlives the document.
  std::string_view Keep(std::string_view text) {
    const bool in_body = text.data() >= text_.data() && text.data() < text_.data() + text_.size();
    return in_body ? text : std::string_view(batch_.unescaped.emplace_back(text));
  }

  Problem ReadText(const Element& value, std::size_t characters, std::string_view& out) {
    if (!value.IsString() || !IsPlainText(value.text(), characters)) return ExpectText(characters);
    out = Keep(value.text());
    return std::nullopt;
  }

  Problem ReadNumber(const Element& value, const Range& range, FieldValue& out) {
    out.number = value.number();
    const bool fits = value.IsNumber() && out.number >= range.least && out.number <= range.most &&
                      (!range.whole || value.AsInt().has_value());
    return fits ? std::nullopt : Problem(ExpectNumber(range));
  }

  Problem ReadField(const FieldSpec& field, std::size_t index, const Element& value) {
    FieldValue out;
    out.field = static_cast<std::uint8_t>(index);
    Problem problem = ReadValue(field, value, out);
    if (!problem) batch_.values.push_back(out);
    return problem;
  }

  Problem ReadValue(const FieldSpec& field, const Element& value, FieldValue& out) {
    switch (field.type) {
      case FieldType::kCount:
      case FieldType::kPositive:
      case FieldType::kStatus:
      case FieldType::kSeconds:
      case FieldType::kShortSeconds:
      case FieldType::kBytes:
      case FieldType::kRatio:
      case FieldType::kScore:
      case FieldType::kSmall:
      case FieldType::kUsd:
      case FieldType::kNumber:
        return ReadRanged(field, value, out);
      case FieldType::kText:
      case FieldType::kLongText:
      case FieldType::kId:
      case FieldType::kTime:  // of CommonFields only
        return ReadText(value, MaxCharactersOf(field.type).value_or(0), out.text);
      case FieldType::kName:
        if (!value.IsString()) return "expected a text";
        out.text = Keep(value.text());
        return JudgeMeasureName(out.text);
      case FieldType::kChoice:
        return ReadChoice(field, value, out);
      case FieldType::kBool:
        return ReadBool(value, out);
      case FieldType::kIds:
        return ReadIds(value, out);
      case FieldType::kLabels:
        return ReadLabels(value, out);
      case FieldType::kBounds:
        return ReadBounds(value, out);
    }
    return "cannot be read";
  }

  Problem ReadRanged(const FieldSpec& field, const Element& value, FieldValue& out) {
    Problem problem = ReadNumber(value, *RangeOf(field.type), out);
    if (!problem && field.type == FieldType::kStatus) out.text = StatusText(out.number);
    return problem;
  }

  Problem ReadBool(const Element& value, FieldValue& out) {
    if (!value.IsBool()) return "expected true or false";
    out.number = value.boolean() ? 1 : 0;
    out.text = value.boolean() ? "true" : "false";
    return std::nullopt;
  }

  Problem ReadChoice(const FieldSpec& field, const Element& value, FieldValue& out) {
    const auto found = std::find(field.choices.begin(), field.choices.end(), value.text());
    if (!value.IsString() || found == field.choices.end()) {
      return "expected one of: " + Join(field.choices);
    }
    out.text = *found;
    return std::nullopt;
  }

  Problem ReadIds(const Element& value, FieldValue& out) {
    out.begin = static_cast<std::uint32_t>(batch_.texts.size());
    for (const Element& item : value.items()) {
      std::string_view text;
      if (Problem problem = ReadText(item, *MaxCharactersOf(FieldType::kId), text)) return problem;
      batch_.texts.push_back(text);
      ++out.count;
    }
    if (value.IsArray() && out.count >= 1 && out.count <= kMaxListedIds) return std::nullopt;
    return "expected an array of 1 to " + std::to_string(kMaxListedIds) + " texts";
  }

  Problem ReadLabels(const Element& value, FieldValue& out) {
    if (!value.IsObject()) return "expected an object of texts";
    out.begin = static_cast<std::uint32_t>(batch_.labels.size());
    for (const auto& [name, text] : value.members()) {
      std::string_view kept;
      Problem problem = JudgeLabelName(name);
      if (!problem) problem = ReadText(text, *MaxCharactersOf(FieldType::kText), kept);
      if (!problem && LooksLikeId(kept)) problem = "looks like an id or an address: no label";
      if (problem) {
        field_ = "labels." + std::string(name.substr(0, 64));
        return problem;
      }
      batch_.labels.emplace_back(Keep(name), kept);
      ++out.count;
    }
    if (out.count > kMaxLabels) return "expected at most " + std::to_string(kMaxLabels) + " labels";
    const auto begin = batch_.labels.begin() + out.begin;
    std::sort(begin, batch_.labels.end());
    const auto twice =
        std::adjacent_find(begin, batch_.labels.end(),
                           [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twice == batch_.labels.end()) return std::nullopt;
    field_ = "labels." + std::string(twice->first);
    return "is given twice";
  }

  Problem ReadBounds(const Element& value, FieldValue& out) {
    const Range range = *RangeOf(FieldType::kNumber);
    out.begin = static_cast<std::uint32_t>(batch_.bounds.size());
    bool rising = true;
    for (const Element& item : value.items()) {
      FieldValue bound;
      if (Problem problem = ReadNumber(item, range, bound)) return problem;
      rising = rising && (out.count == 0 || bound.number > batch_.bounds.back());
      batch_.bounds.push_back(bound.number);
      ++out.count;
    }
    if (value.IsArray() && rising && out.count >= 1 && out.count <= kMaxBounds) return std::nullopt;
    return "expected an array of 1 to " + std::to_string(kMaxBounds) + " rising numbers";
  }

  // What fields say together.
  Problem CheckWhole(Event& event) {
    if (event.kind->id == KindId::kMeasure) return CheckMeasure(event);
    if (event.kind->id == KindId::kError) FillRetryable(event);
    return std::nullopt;
  }

  Problem CheckMeasure(const Event& event) {
    const std::string_view type = batch_.Find(event, "type")->text;
    const bool counter = type == "counter";
    field_ = "name";
    if (batch_.Find(event, "name")->text.ends_with("_total") != counter) {
      return counter ? "the name of a counter ends with _total"
                     : "only the name of a counter ends with _total";
    }
    field_ = "value";
    if (counter && batch_.Find(event, "value")->number < 0) {
      return "expected 0 or more, since a counter does not fall";
    }
    field_ = "bounds";
    if (type != "histogram" && batch_.Find(event, "bounds") != nullptr) {
      return "only a histogram has bounds";
    }
    return std::nullopt;
  }

  void FillRetryable(Event& event) {
    if (batch_.Find(event, "retryable") != nullptr) return;
    if (!IsOneOf(batch_.Find(event, "class")->text, kRetryable)) return;
    const std::span<const FieldSpec> fields = event.kind->fields;
    FieldValue value;
    value.field = static_cast<std::uint8_t>(FindField(fields, "retryable", 0));
    value.text = "true";
    value.number = 1;
    batch_.values.push_back(value);
    ++event.count;
  }

  const ParseRules& rules_;
  EventBatch& batch_;
  json::Document document_;
  std::string_view text_;
  std::string field_;  // where the problem is
};

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// One object over several lines, also a broken one: the first line is no value by itself, and what
// follows does not look like the next object.
bool IsOneObject(std::string_view body, LineReader& reader) {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  const std::size_t end = std::min(body.find('\n', begin), body.size());
  const std::size_t next = body.find_first_not_of(" \t\r\n", end);
  if (next == std::string_view::npos) return true;
  if (reader.Parses(body.substr(begin, end - begin))) return false;
  return body[next] != '{' || reader.Parses(body);
}

}  // namespace

const FieldValue* EventBatch::Find(const Event& event, std::string_view field) const {
  for (const FieldValue& value : ValuesOf(event)) {
    if (event.kind->fields[value.field].name == field) return &value;
  }
  return nullptr;
}

void EventBatch::Refuse(RefusalReason reason, std::size_t line, std::string_view field,
                        std::string message) {
  ++refused[static_cast<std::size_t>(reason)];
  if (refusals.size() < kMaxListed) {
    refusals.push_back({line, std::string(field), std::move(message)});
  }
}

std::size_t EventBatch::refused_in_all() const {
  return std::accumulate(refused.begin(), refused.end(), std::size_t{0});
}

EventBatch::Marks EventBatch::marks() const {
  return {values.size(), texts.size(), labels.size(), bounds.size()};
}

void EventBatch::CutTo(const Marks& marks) {
  values.resize(marks.values);
  texts.resize(marks.texts);
  labels.resize(marks.labels);
  bounds.resize(marks.bounds);
}

void ParseEvents(std::string_view body, const ParseRules& rules, EventBatch& batch) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  if (IsBlank(body)) return;
  LineReader reader(rules, batch);
  if (!rules.lines && IsOneObject(body, reader)) {
    reader.Read(body, 1);
    return;
  }
  for (std::size_t line = 1; !body.empty(); ++line) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    const std::string_view text = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (!IsBlank(text)) reader.Read(text, line);
  }
}

std::optional<std::string> JudgeMeasureName(std::string_view name) {
  if (!IsName(name)) {
    return "expected letters, digits and '_', at most 128, not beginning with a digit";
  }
  std::string_view base = name;
  if (base.ends_with("_total")) base.remove_suffix(6);
  if (base.find('_') != std::string_view::npos && IsOneOf(LastWord(base), kForeignUnits)) {
    return "expected a base unit (seconds, bytes, ratio), not " + std::string(LastWord(base));
  }
  if (name.find('_') != std::string_view::npos && IsOneOf(LastWord(name), kTakenSuffixes)) {
    return "must not end with _" + std::string(LastWord(name));
  }
  return std::nullopt;
}

std::optional<std::string> JudgeLabelName(std::string_view name) {
  if (!IsName(name)) return "expected a name of letters, digits and '_'";
  if (name.starts_with("__") || name == "le" || name == "quantile" || name == "job" ||
      name == "instance") {
    return "the name has a meaning of its own";
  }
  if (IsOneOf(LastWord(name), kIdWords)) {
    return "ids, addresses and secrets do not become labels";
  }
  return std::nullopt;
}

}  // namespace skep::ingest
