// The tables of skep tsdb list and analyze.
#include <algorithm>
#include <cstdio>
#include <ostream>
#include <string_view>

#include "common/base/time.h"
#include "common/json/writer.h"
#include "evaluator/cmd/tool_tsdb.h"
#include "evaluator/transfer/analysis.h"
#include "evaluator/transfer/store_reader.h"

namespace skep::tool {
namespace {

using transfer::MetricShare;
using transfer::NamedCount;
using transfer::StoreAnalysis;

using Row = std::vector<std::string>;

// Columns are aligned, all but the last one to the right; a name may be long.
void PrintTable(std::ostream& out, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i + 1 == row.size()) {
        out << row[i] << '\n';
      } else {
        out << std::string(widths[i] - row[i].size(), ' ') << row[i] << "  ";
      }
    }
  }
}

std::string PerSample(std::uint64_t bytes, std::uint64_t samples) {
  if (samples == 0) return "-";
  char text[32];
  (void)std::snprintf(text, sizeof(text), "%.2f",
                      static_cast<double>(bytes) / static_cast<double>(samples));
  return text;
}

std::string Percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  char text[32];
  (void)std::snprintf(text, sizeof(text), "%.1f %%",
                      100 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string TimeOr(Timestamp time, bool is_there) { return is_there ? FormatTimestamp(time) : "-"; }

std::vector<std::pair<std::string_view, std::uint64_t>> PartsOf(const StoreAnalysis& analysis) {
  const tsdb::BlockParts& parts = analysis.parts;
  return {{"times", parts.times},
          {"values", parts.values},
          {"starts", parts.starts},
          {"summaries", parts.summaries},
          {"chunk lists", parts.chunk_lists},
          {"label texts", parts.label_texts},
          {"labels of series", parts.series_labels},
          {"postings", parts.postings},
          {"table of times", parts.times_table},
          {"places", parts.places}};
}

void PrintCounts(std::ostream& out, std::string_view title, std::string_view unit,
                 const std::vector<NamedCount>& counts) {
  out << '\n' << title << '\n';
  std::vector<Row> rows{{std::string(unit), "name"}};
  for (const NamedCount& each : counts) rows.push_back({std::to_string(each.count), each.name});
  PrintTable(out, rows);
}

void PrintAnalysis(std::ostream& out, const StoreAnalysis& analysis) {
  const bool any = analysis.min_time <= analysis.max_time;
  out << "series            " << analysis.series << '\n'
      << "from              " << TimeOr(analysis.min_time, any) << '\n'
      << "to                " << TimeOr(analysis.max_time, any) << '\n'
      << "blocks            " << analysis.blocks << ", " << analysis.block_bytes << " bytes, "
      << analysis.block_samples << " samples ("
      << PerSample(analysis.block_bytes, analysis.block_samples) << " bytes each)\n"
      << "log               " << analysis.log_bytes << " bytes, " << analysis.log_samples
      << " samples\n"
      << "newest day        " << analysis.began << " series began, " << analysis.ended
      << " ended\n\nBytes of the blocks by part\n";
  std::vector<Row> rows;
  for (const auto& [name, bytes] : PartsOf(analysis)) {
    rows.push_back(
        {std::to_string(bytes), Percent(bytes, analysis.block_bytes), std::string(name)});
  }
  PrintTable(out, rows);
  out << "\nBytes of the blocks by metric\n";
  rows = {{"bytes", "samples", "bytes each", "series", "metric"}};
  for (const MetricShare& each : analysis.metrics) {
    rows.push_back({std::to_string(each.bytes), std::to_string(each.samples),
                    PerSample(each.bytes, each.samples), std::to_string(each.series), each.name});
  }
  PrintTable(out, rows);
  PrintCounts(out, "Label names by distinct values", "values", analysis.values_by_label);
  PrintCounts(out, "Label names by series", "series", analysis.series_by_label);
  PrintCounts(out, "Label pairs by series", "series", analysis.series_by_pair);
  PrintCounts(out, "Metrics by series that began or ended in the newest day", "series",
              analysis.churn_by_metric);
  PrintCounts(out, "Label pairs by series that began or ended in the newest day", "series",
              analysis.churn_by_pair);
}

void WriteTime(json::JsonWriter& json, std::string_view key, Timestamp time, bool is_there) {
  json.Key(key);
  if (is_there) {
    json.Int(ToMillis(time));
  } else {
    json.Null();
  }
}

void WriteCounts(json::JsonWriter& json, std::string_view key,
                 const std::vector<NamedCount>& counts) {
  json.Key(key).BeginArray();
  for (const NamedCount& each : counts) {
    json.BeginObject().Field("name", each.name).Key("count").Uint(each.count).EndObject();
  }
  json.EndArray();
}

std::string JsonOf(const StoreAnalysis& analysis) {
  std::string text;
  json::JsonWriter json(text);
  const bool any = analysis.min_time <= analysis.max_time;
  json.BeginObject().Key("series").Uint(analysis.series);
  WriteTime(json, "minTime", analysis.min_time, any);
  WriteTime(json, "maxTime", analysis.max_time, any);
  json.Key("blocks").Uint(analysis.blocks).Key("blockBytes").Uint(analysis.block_bytes);
  json.Key("blockSamples").Uint(analysis.block_samples);
  json.Key("logBytes").Uint(analysis.log_bytes).Key("logSamples").Uint(analysis.log_samples);
  json.Key("began").Uint(analysis.began).Key("ended").Uint(analysis.ended);
  json.Key("bytesByPart").BeginObject();
  for (const auto& [name, bytes] : PartsOf(analysis)) json.Key(name).Uint(bytes);
  json.EndObject().Key("metrics").BeginArray();
  for (const MetricShare& each : analysis.metrics) {
    json.BeginObject().Field("name", each.name).Key("bytes").Uint(each.bytes);
    json.Key("samples").Uint(each.samples).Key("series").Uint(each.series).EndObject();
  }
  json.EndArray();
  WriteCounts(json, "valuesByLabel", analysis.values_by_label);
  WriteCounts(json, "seriesByLabel", analysis.series_by_label);
  WriteCounts(json, "seriesByPair", analysis.series_by_pair);
  WriteCounts(json, "churnByMetric", analysis.churn_by_metric);
  WriteCounts(json, "churnByPair", analysis.churn_by_pair);
  json.EndObject();
  return text + "\n";
}

std::string JsonOf(const tsdb::BlockList& blocks) {
  std::string text;
  json::JsonWriter json(text);
  json.BeginArray();
  for (const tsdb::LiveBlock& live : blocks) {
    const tsdb::BlockMeta& meta = live.block->meta();
    json.BeginObject().Key("number").Uint(live.number);
    json.Key("minTime").Int(ToMillis(meta.min_time)).Key("maxTime").Int(ToMillis(meta.max_time));
    json.Key("series").Uint(meta.series).Key("chunks").Uint(meta.chunks);
    json.Key("samples").Uint(meta.samples).Key("bytes").Uint(meta.size_bytes);
    json.Key("tombstones").Uint(live.deleted ? live.deleted->span_count() : 0).EndObject();
  }
  json.EndArray();
  return text + "\n";
}

void PrintBlocks(std::ostream& out, const tsdb::BlockList& blocks) {
  std::vector<Row> rows{
      {"block", "from", "to", "samples", "chunks", "series", "tombstones", "bytes", "bytes each"}};
  for (const tsdb::LiveBlock& live : blocks) {
    const tsdb::BlockMeta& meta = live.block->meta();
    rows.push_back({std::to_string(live.number), FormatTimestamp(meta.min_time),
                    FormatTimestamp(meta.max_time), std::to_string(meta.samples),
                    std::to_string(meta.chunks), std::to_string(meta.series),
                    std::to_string(live.deleted ? live.deleted->span_count() : 0),
                    std::to_string(meta.size_bytes), PerSample(meta.size_bytes, meta.samples)});
  }
  PrintTable(out, rows);
}

// What is damaged is told, and the exit code says so.
class Remarks {
 public:
  explicit Remarks(ToolIo& io) : io_(io) {}
  transfer::StoreReader::Remark sink() {
    return [this](const std::string& message) { code_ = Refuse(io_, message); };
  }
  ExitCode code() const { return code_; }

 private:
  ToolIo& io_;
  ExitCode code_ = ExitCode::kGood;
};

}  // namespace

ExitCode ListBlocks(ToolIo& io, const TsdbOptions& options) {
  Remarks remarks(io);
  const auto store = transfer::StoreReader::Open(options.store, remarks.sink());
  if (!store) return Refuse(io, store.error().message());
  if (options.json) {
    io.out << JsonOf((*store)->blocks());
  } else {
    PrintBlocks(io.out, (*store)->blocks());
  }
  return remarks.code();
}

ExitCode AnalyzeStore(ToolIo& io, const TsdbOptions& options) {
  Remarks remarks(io);
  const auto store = transfer::StoreReader::Open(options.store, remarks.sink());
  if (!store) return Refuse(io, store.error().message());
  const Result<StoreAnalysis> analysis = transfer::Analyze(**store, options.limit);
  if (!analysis) return Refuse(io, analysis.error().message());
  if (options.json) {
    io.out << JsonOf(*analysis);
  } else {
    PrintAnalysis(io.out, *analysis);
  }
  return remarks.code();
}

}  // namespace skep::tool
