// skep tsdb import|export|list|analyze: history into and out of a store's folder, and what is in
// it. All of them work beside an evaluator that uses the folder.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "evaluator/cmd/tool_io.h"

namespace skep::tool {

struct TsdbOptions {
  std::string store = "data/";
  std::vector<std::string> inputs;    // of an import: files and folders
  std::string input_format = "auto";  // or openmetrics, text
  bool keep_going = false;
  bool quiet = false;                         // no progress
  std::vector<std::string> selectors;         // of an export
  std::string min_time, max_time;             // unix seconds or RFC 3339; "": all
  std::string output_format = "openmetrics";  // or text
  bool json = false;
  std::size_t limit = 20;  // rows of each table
};

// Prints what came in. An input that cannot be read whole leaves the store as it was; with
// `keep_going` the rest of it comes in, and the exit code says so.
ExitCode ImportHistory(ToolIo& io, const TsdbOptions& options);
// Text on out; what text cannot say is counted on err.
ExitCode ExportHistory(ToolIo& io, const TsdbOptions& options);
// The blocks with times and sizes. Like export and analyze it tells what is damaged and leaves it
// out; the exit code says so.
ExitCode ListBlocks(ToolIo& io, const TsdbOptions& options);
// Bytes by metric and by part, cardinality, churn.
ExitCode AnalyzeStore(ToolIo& io, const TsdbOptions& options);

}  // namespace skep::tool
