// Values of the engine and label sets as the API's JSON.
#pragma once

#include <string>

#include "common/base/time.h"
#include "common/json/writer.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "evaluator/promql/value.h"

namespace skep::api {

// {"__name__":"up",…} in the order of the label set.
void WriteLabels(json::JsonWriter& json, const Labels& labels);

// Seconds with up to three digits of fraction, which stand complete or not at all: 5,
// 1435781430.781, 0.500.
void WriteTime(json::JsonWriter& json, Timestamp time);

// [time,"value"]
void WriteSample(json::JsonWriter& json, Sample sample);

// [time,{"count":…,"sum":…,"buckets":[[rule,left,right,count],…]}] with numbers as text. The rule
// says which bounds belong to a bucket: 0 the right one, 1 the left one, 2 none, 3 both.
void WriteHistogram(json::JsonWriter& json, Timestamp time, const Histogram& histogram);

// The element of "result" for one series.
void WriteSeries(json::JsonWriter& json, const promql::VectorSample& series);
void WriteSeries(json::JsonWriter& json, const promql::MatrixSeries& series);

// RFC 3339 as Go prints it; "0001-01-01T00:00:00Z" where `time` is the epoch, which stands for
// never.
std::string TimeText(Timestamp time);

}  // namespace skep::api
