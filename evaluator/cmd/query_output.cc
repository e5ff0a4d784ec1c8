#include "evaluator/cmd/query_output.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/base/time.h"
#include "common/json/writer.h"
#include "common/model/labels.h"

namespace skep::tool {
namespace {

struct Row {
  const json::Value* labels = nullptr;  // object; null for scalars and strings
  std::string time;                     // unix seconds as they came
  std::string value;
};

void AppendJson(const json::Value& value, json::JsonWriter& out) {
  switch (value.kind()) {
    case json::ValueKind::kNull:
      out.Null();
      return;
    case json::ValueKind::kBool:
      out.Bool(value.boolean());
      return;
    case json::ValueKind::kNumber:
      out.Raw(value.text());
      return;
    case json::ValueKind::kString:
      out.String(value.text());
      return;
    case json::ValueKind::kArray:
      out.BeginArray();
      for (const json::Value& item : value.items()) AppendJson(item, out);
      out.EndArray();
      return;
    case json::ValueKind::kObject:
      out.BeginObject();
      for (const auto& [key, member] : value.members()) {
        out.Key(key);
        AppendJson(member, out);
      }
      out.EndObject();
      return;
  }
}

Error Strange() { return Invalid("the server's answer is no query result"); }

// A native histogram as Prometheus's String() has it: {count:3, sum:5, (0.5,1]:3}.
std::string HistogramText(const json::Value& histogram) {
  std::string out = "{count:" + histogram["count"].text() + ", sum:" + histogram["sum"].text();
  for (const json::Value& bucket : histogram["buckets"].items()) {
    if (bucket.items().size() != 4) continue;
    const std::string& rule = bucket.items()[0].text();
    out += rule == "1" || rule == "3" ? ", [" : ", (";
    out += bucket.items()[1].text() + "," + bucket.items()[2].text();
    out += rule == "0" || rule == "3" ? "]:" : "):";
    out += bucket.items()[3].text();
  }
  return out + "}";
}

// Adds [time, value] of one sample. False: it is none.
bool AddSample(const json::Value& pair, const json::Value* labels, std::vector<Row>& rows) {
  if (pair.items().size() != 2 || !pair.items()[0].IsNumber()) return false;
  const json::Value& value = pair.items()[1];
  Row row{labels, pair.items()[0].text(), value.text()};
  if (!value.IsString()) row.value = HistogramText(value);
  rows.push_back(std::move(row));
  return true;
}

bool AddSeries(const json::Value& series, std::vector<Row>& rows) {
  const json::Value* const labels = series.Find("metric");
  if (!labels || !labels->IsObject()) return false;
  for (const char* one : {"value", "histogram"}) {
    if (const json::Value* sample = series.Find(one); sample && !AddSample(*sample, labels, rows)) {
      return false;
    }
  }
  for (const char* list : {"values", "histograms"}) {
    for (const json::Value& sample : series[list].items()) {
      if (!AddSample(sample, labels, rows)) return false;
    }
  }
  return true;
}

Result<std::vector<Row>> ReadRows(const json::Value& data) {
  std::vector<Row> rows;
  const json::Value* const result = data.Find("result");
  const std::string& type = data["resultType"].text();
  if (!result || !result->IsArray()) return Strange();
  if (type == "scalar" || type == "string") {
    if (!AddSample(*result, nullptr, rows)) return Strange();
    return rows;
  }
  if (type != "vector" && type != "matrix") return Strange();
  for (const json::Value& series : result->items()) {
    if (!AddSeries(series, rows)) return Strange();
  }
  return rows;
}

std::string SeriesText(const json::Value* labels) {
  if (!labels) return "";
  LabelsBuilder builder;
  for (const auto& [name, value] : labels->members()) builder.Set(name, value.text());
  return builder.Build().ToString();
}

std::string TimeText(const std::string& seconds) {
  const Result<Timestamp> time = ParseTimestamp(seconds);
  return time ? FormatTimestamp(*time) : seconds;
}

std::string FormatTable(const std::vector<Row>& rows) {
  std::vector<std::string> series;
  std::size_t series_width = 6;  // "SERIES"
  std::size_t time_width = 4;
  std::vector<std::string> times;
  for (const Row& row : rows) {
    series.push_back(SeriesText(row.labels));
    times.push_back(TimeText(row.time));
    series_width = std::max(series_width, series.back().size());
    time_width = std::max(time_width, times.back().size());
  }
  std::string out;
  const auto line = [&](std::string_view a, std::string_view b, std::string_view c) {
    out.append(a).append(series_width - a.size() + 2, ' ');
    out.append(b).append(time_width - b.size() + 2, ' ');
    out.append(c).append("\n");
  };
  line("SERIES", "TIME", "VALUE");
  for (std::size_t i = 0; i < rows.size(); ++i) line(series[i], times[i], rows[i].value);
  return out;
}

void AppendCsvField(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::string FormatCsv(const std::vector<Row>& rows) {
  std::set<std::string> names;
  for (const Row& row : rows) {
    if (!row.labels) continue;
    for (const auto& [name, value] : row.labels->members()) names.insert(name);
  }
  std::string out;
  for (const std::string& name : names) {
    const bool taken = name == "timestamp" || name == "value";
    AppendCsvField(out, taken ? "label_" + name : name);
    out += ',';
  }
  out += "timestamp,value\r\n";
  for (const Row& row : rows) {
    for (const std::string& name : names) {
      const json::Value* const value = row.labels ? row.labels->Find(name) : nullptr;
      if (value) AppendCsvField(out, value->text());
      out += ',';
    }
    AppendCsvField(out, row.time);
    out += ',';
    AppendCsvField(out, row.value);
    out += "\r\n";
  }
  return out;
}

}  // namespace

Result<OutputFormat> ParseOutputFormat(std::string_view name) {
  if (name == "table") return OutputFormat::kTable;
  if (name == "json") return OutputFormat::kJson;
  if (name == "csv") return OutputFormat::kCsv;
  return Invalid("expected table, json or csv, got " + Quote(name));
}

Result<std::string> FormatAnswer(const json::Value& data, OutputFormat format) {
  const Result<std::vector<Row>> rows = ReadRows(data);
  if (!rows) return rows.error();
  switch (format) {
    case OutputFormat::kTable:
      return FormatTable(*rows);
    case OutputFormat::kCsv:
      return FormatCsv(*rows);
    case OutputFormat::kJson:
      break;
  }
  std::string out;
  json::JsonWriter writer(out);
  AppendJson(data, writer);
  return out + "\n";
}

}  // namespace skep::tool
