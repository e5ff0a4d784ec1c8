#include "evaluator/api/encode.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/base/number.h"

namespace skep::api {

void WriteLabels(json::JsonWriter& json, const Labels& labels) {
  json.BeginObject();
  for (const auto& [name, value] : labels) json.Field(name, value);
  json.EndObject();
}

namespace {

// Seconds, with three digits of a second where there are any.
void AppendTime(std::string& text, Timestamp time) {
  const std::int64_t ms = ToMillis(time);
  if (ms < 0) text.push_back('-');
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), std::llabs(ms / 1000)).ptr;
  text.append(digits.begin(), end);
  const std::int64_t fraction = std::llabs(ms % 1000);
  if (fraction == 0) return;
  const auto digit = [fraction](std::int64_t of) {
    return static_cast<char>('0' + fraction / of % 10);
  };
  text.append({'.', digit(100), digit(10), digit(1)});
}

}  // namespace

void WriteTime(json::JsonWriter& json, Timestamp time) {
  std::string text;
  AppendTime(text, time);
  json.Raw(text);
}

namespace {

// A number as text. It is digits, letters and signs: nothing to escape.
void WriteNumber(json::JsonWriter& json, double number) {
  std::string text = "\"";
  AppendPlainDouble(text, number);
  text.push_back('"');
  json.Raw(text);
}

int BoundaryRule(const HistogramBucket& bucket) {
  if (bucket.lower_inclusive) return bucket.upper_inclusive ? 3 : 1;
  return bucket.upper_inclusive ? 0 : 2;
}

void WriteBuckets(json::JsonWriter& json, const Histogram& histogram) {
  std::vector<HistogramBucket> buckets;
  ListBuckets(histogram, buckets);
  std::erase_if(buckets, [](const HistogramBucket& bucket) { return bucket.count == 0; });
  if (buckets.empty()) return;
  json.Key("buckets").BeginArray();
  for (const HistogramBucket& bucket : buckets) {
    json.BeginArray().Int(BoundaryRule(bucket));
    for (const double number : {bucket.lower, bucket.upper, bucket.count}) {
      WriteNumber(json, number);
    }
    json.EndArray();
  }
  json.EndArray();
}

}  // namespace

// An answer may have a million of them: each is put together in a buffer that is kept.
void WriteSample(json::JsonWriter& json, Sample sample) {
  thread_local std::string text;
  text.assign(1, '[');
  AppendTime(text, sample.time);
  text.append(",\"");
  AppendPlainDouble(text, sample.value);
  text.append("\"]");
  json.Raw(text);
}

void WriteHistogram(json::JsonWriter& json, Timestamp time, const Histogram& histogram) {
  json.BeginArray();
  WriteTime(json, time);
  json.BeginObject().Key("count");
  WriteNumber(json, histogram.count);
  json.Key("sum");
  WriteNumber(json, histogram.sum);
  WriteBuckets(json, histogram);
  json.EndObject().EndArray();
}

void WriteSeries(json::JsonWriter& json, const promql::VectorSample& series) {
  json.BeginObject().Key("metric");
  WriteLabels(json, series.labels);
  if (series.histogram == nullptr) {
    json.Key("value");
    WriteSample(json, series.sample);
  } else {
    json.Key("histogram");
    WriteHistogram(json, series.sample.time, *series.histogram);
  }
  json.EndObject();
}

void WriteSeries(json::JsonWriter& json, const promql::MatrixSeries& series) {
  json.BeginObject().Key("metric");
  WriteLabels(json, series.labels);
  if (!series.samples.empty() || series.histograms.empty()) {
    json.Key("values").BeginArray();
    for (const Sample& sample : series.samples) WriteSample(json, sample);
    json.EndArray();
  }
  if (!series.histograms.empty()) {
    json.Key("histograms").BeginArray();
    for (const HistogramSample& sample : series.histograms) {
      WriteHistogram(json, sample.time, *sample.histogram);
    }
    json.EndArray();
  }
  json.EndObject();
}

std::string TimeText(Timestamp time) {
  return time == Timestamp{} ? "0001-01-01T00:00:00Z" : FormatTimestamp(time);
}

}  // namespace skep::api
