#include "evaluator/api/encode.h"

#include <cstdlib>

#include "common/base/number.h"

namespace skep::api {

void WriteLabels(json::JsonWriter& json, const Labels& labels) {
  json.BeginObject();
  for (const auto& [name, value] : labels) json.Field(name, value);
  json.EndObject();
}

void WriteTime(json::JsonWriter& json, Timestamp time) {
  const std::int64_t ms = ToMillis(time);
  std::string text = ms < 0 ? "-" : "";
  text += std::to_string(std::llabs(ms / 1000));
  if (const std::int64_t fraction = std::llabs(ms % 1000); fraction != 0) {
    const std::string digits = std::to_string(fraction);
    text.append(".").append(3 - digits.size(), '0').append(digits);
  }
  json.Raw(text);
}

void WriteSample(json::JsonWriter& json, Sample sample) {
  // A value is digits, letters and signs: nothing to escape.
  std::string value = "\"";
  AppendPlainDouble(value, sample.value);
  value.push_back('"');
  json.BeginArray();
  WriteTime(json, sample.time);
  json.Raw(value).EndArray();
}

void WriteSeries(json::JsonWriter& json, const promql::VectorSample& series) {
  json.BeginObject().Key("metric");
  WriteLabels(json, series.labels);
  json.Key("value");
  WriteSample(json, series.sample);
  json.EndObject();
}

void WriteSeries(json::JsonWriter& json, const promql::MatrixSeries& series) {
  json.BeginObject().Key("metric");
  WriteLabels(json, series.labels);
  json.Key("values").BeginArray();
  for (const Sample& sample : series.samples) WriteSample(json, sample);
  json.EndArray().EndObject();
}

std::string TimeText(Timestamp time) {
  return time == Timestamp{} ? "0001-01-01T00:00:00Z" : FormatTimestamp(time);
}

}  // namespace skep::api
