// skep query instant|range: asks a server that speaks Prometheus's HTTP API.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/cmd/query_output.h"
#include "evaluator/cmd/tool_io.h"

namespace skep::tool {

struct QueryOptions {
  std::string server = "http://127.0.0.1:7538";  // a path behind it stays
  std::string http_config_file;                  // Prometheus's HTTP client configuration; "": none
  std::string expr;
  OutputFormat format = OutputFormat::kTable;
  Duration timeout = std::chrono::minutes(2);
  // As written: "now", "-10s" (before now), unix seconds or RFC 3339. "" is the default: now, one
  // hour before the end, and a step that gives about 250 points.
  std::string time;              // of an instant query
  std::string start, end, step;  // of a range query
};

// A point in time of the forms above. kInvalid names the text.
Result<Timestamp> ParseMoment(std::string_view text, Timestamp now);

ExitCode QueryInstant(ToolIo& io, const QueryOptions& options, Timestamp now);
ExitCode QueryRange(ToolIo& io, const QueryOptions& options, Timestamp now);

}  // namespace skep::tool
