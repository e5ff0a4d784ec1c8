#include "exporter/ingest/event_schema.h"

#include <algorithm>

#include "common/json/writer.h"

namespace skep::ingest {
namespace {

using json::JsonWriter;

// Texts of one line, so that a log or a page of ours stays what it is.
constexpr std::string_view kPlainText =
    "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]+$";
constexpr std::string_view kTimePattern =
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    "([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";
constexpr double kMaxTime = 4e9;

// What a name of a family or label must not be; event_measures.cc decides the same by hand.
constexpr std::string_view kForeignUnits =
    "_(ms|msec|msecs|millis|milliseconds|us|usec|micros|microseconds|ns|nanos|nanoseconds|minutes|"
    "hours|days|kb|mb|gb|kib|mib|gib|kilobytes|megabytes|gigabytes|percent|percentage|pct)(_total)?"
    "$";
constexpr std::string_view kTakenSuffixes = "_(bucket|count|sum|created|info)$";
constexpr std::string_view kIdLabels =
    "^(.*_)?(id|ids|uuid|guid|email|ip|address|token|session|password|secret)$";

void WriteNumber(JsonWriter& json, const Range& range) {
  json.Field("type", range.whole ? "integer" : "number");
  json.Key("minimum").Double(range.least).Key("maximum").Double(range.most);
}

void WriteText(JsonWriter& json, std::size_t characters) {
  json.Field("type", "string").Key("minLength").Uint(1).Key("maxLength").Uint(characters);
  json.Field("pattern", kPlainText);
}

void WriteNot(JsonWriter& json, std::string_view pattern) {
  json.BeginObject().Key("not").BeginObject().Field("pattern", pattern).EndObject().EndObject();
}

void WriteName(JsonWriter& json) {
  json.Field("type", "string").Key("maxLength").Uint(128);
  json.Field("pattern", "^[a-zA-Z_][a-zA-Z0-9_]*$").Key("allOf").BeginArray();
  WriteNot(json, kForeignUnits);
  WriteNot(json, kTakenSuffixes);
  json.EndArray();
}

void WriteTime(JsonWriter& json) {
  json.Key("oneOf").BeginArray();
  json.BeginObject().Field("type", "string").Field("pattern", kTimePattern).EndObject();
  json.BeginObject();
  WriteNumber(json, {0, kMaxTime, false, ""});
  json.EndObject().EndArray();
}

void WriteIds(JsonWriter& json) {
  json.Field("type", "array").Key("minItems").Uint(1).Key("maxItems").Uint(kMaxListedIds);
  json.Key("items").BeginObject();
  WriteText(json, *MaxCharactersOf(FieldType::kId));
  json.EndObject();
}

void WriteLabels(JsonWriter& json) {
  json.Field("type", "object")
      .Key("maxProperties")
      .Uint(kMaxLabels)
      .Key("propertyNames")
      .BeginObject();
  json.Key("maxLength").Uint(128).Field("pattern", "^[a-zA-Z_][a-zA-Z0-9_]*$").Key("allOf");
  json.BeginArray();
  WriteNot(json, "^(__.*|le|quantile|job|instance)$");
  WriteNot(json, kIdLabels);
  json.EndArray().EndObject().Key("additionalProperties").BeginObject();
  WriteText(json, *MaxCharactersOf(FieldType::kText));
  json.EndObject();
}

void WriteBounds(JsonWriter& json) {
  json.Field("type", "array").Key("minItems").Uint(1).Key("maxItems").Uint(kMaxBounds);
  json.Key("uniqueItems").Bool(true).Key("items").BeginObject();
  WriteNumber(json, *RangeOf(FieldType::kNumber));
  json.EndObject();
}

void WriteChoices(JsonWriter& json, std::span<const std::string_view> choices) {
  json.Key("enum").BeginArray();
  for (const std::string_view choice : choices) json.String(choice);
  json.EndArray();
}

void WriteType(JsonWriter& json, const FieldSpec& field) {
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
      return WriteNumber(json, *RangeOf(field.type));
    case FieldType::kText:
    case FieldType::kLongText:
    case FieldType::kId:
      return WriteText(json, *MaxCharactersOf(field.type));
    case FieldType::kChoice:
      return WriteChoices(json, field.choices);
    case FieldType::kBool:
      json.Field("type", "boolean");
      return;
    case FieldType::kName:
      return WriteName(json);
    case FieldType::kTime:
      return WriteTime(json);
    case FieldType::kIds:
      return WriteIds(json);
    case FieldType::kLabels:
      return WriteLabels(json);
    case FieldType::kBounds:
      return WriteBounds(json);
  }
}

void WriteField(JsonWriter& json, const FieldSpec& field) {
  json.Key(field.name).BeginObject().Field("description", field.help);
  WriteType(json, field);
  json.EndObject();
}

void WriteRequired(JsonWriter& json, std::string_view field) {
  json.BeginObject().Key("required").BeginArray().String(field).EndArray().EndObject();
}

// What the type of a measure says of its other fields.
constexpr std::string_view kMeasureRules =
    R"([{"if":{"properties":{"type":{"const":"counter"}}},)"
    R"("then":{"properties":{"name":{"pattern":"_total$"},"value":{"minimum":0}}},)"
    R"("else":{"properties":{"name":{"not":{"pattern":"_total$"}}}}},)"
    R"({"if":{"properties":{"type":{"enum":["counter","gauge"]}}},)"
    R"("then":{"not":{"required":["bounds"]}}}])";

void WriteKind(JsonWriter& json, const KindSpec& kind) {
  json.BeginObject().Field("title", kind.name).Field("description", kind.help);
  json.Field("type", "object").Key("properties").BeginObject();
  json.Key("kind").BeginObject().Field("const", kind.name).EndObject();
  for (const FieldSpec& field : CommonFields().subspan(1)) WriteField(json, field);
  for (const FieldSpec& field : kind.fields) WriteField(json, field);
  json.EndObject().Key("required").BeginArray().String("kind");
  for (const FieldSpec& field : kind.fields) {
    if (field.required) json.String(field.name);
  }
  json.EndArray().Key("additionalProperties").Bool(false);
  if (!kind.any_of.empty()) {
    json.Key("anyOf").BeginArray();
    for (const std::string_view field : kind.any_of) WriteRequired(json, field);
    json.EndArray();
  }
  if (kind.id == KindId::kMeasure) json.Key("allOf").Raw(kMeasureRules);
  json.EndObject();
}

}  // namespace

std::optional<Range> RangeOf(FieldType type) {
  switch (type) {
    case FieldType::kCount:
      return Range{0, 1e9, true, "whole number"};
    case FieldType::kPositive:
      return Range{1, 1e9, true, "whole number"};
    case FieldType::kStatus:
      return Range{100, 599, true, "HTTP status"};
    case FieldType::kSeconds:
      return Range{0, 1e9, false, "seconds"};
    case FieldType::kShortSeconds:
      return Range{0, 600, false, "seconds, not milliseconds"};
    case FieldType::kBytes:
      return Range{0, 1e18, false, "bytes"};
    case FieldType::kRatio:
      return Range{0, 1, false, "ratio, not percent"};
    case FieldType::kScore:
      return Range{0, 5, false, "score"};
    case FieldType::kSmall:
      return Range{0, 1000, false, "number"};
    case FieldType::kUsd:
      return Range{0, 1e12, false, "US dollars"};
    case FieldType::kNumber:
      return Range{-1e300, 1e300, false, "number"};
    case FieldType::kText:
    case FieldType::kLongText:
    case FieldType::kId:
    case FieldType::kName:
    case FieldType::kChoice:
    case FieldType::kBool:
    case FieldType::kTime:
    case FieldType::kIds:
    case FieldType::kLabels:
    case FieldType::kBounds:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::size_t> MaxCharactersOf(FieldType type) {
  if (type == FieldType::kText || type == FieldType::kName) return 128;
  if (type == FieldType::kId) return 256;
  if (type == FieldType::kLongText) return 2048;
  return std::nullopt;
}

std::string EventJsonSchema() {
  std::string out;
  JsonWriter json(out);
  json.BeginObject().Field("$schema", "https://json-schema.org/draft/2020-12/schema");
  json.Field("title", "An event for /v1/events of skep-exporter");
  json.Field("description",
             "One object, or one object a line. Beyond this schema the exporter refuses: keys "
             "given twice, days that do not exist, times more than an hour ahead, bounds that do "
             "not rise, names of measures that are taken, and labels of measures that look like an "
             "id or an address.");
  json.Key("oneOf").BeginArray();
  for (const KindSpec& kind : Kinds()) {
    WriteKind(json, kind);
    out += '\n';  // a line a kind, for those who read it and those who compare it
  }
  json.EndArray().EndObject();
  out += '\n';
  return out;
}

}  // namespace skep::ingest
