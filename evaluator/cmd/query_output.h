// The answer to a query as text for people and for programs.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/json/value.h"

namespace skep::tool {

enum class OutputFormat { kTable, kJson, kCsv };

// "table", "json", "csv".
Result<OutputFormat> ParseOutputFormat(std::string_view name);

// `data` is that of the HTTP API: an object with resultType and result. kInvalid where it is not.
//
// Table: a line per sample, columns aligned. CSV (RFC 4180): a column for each label name that
// occurs, sorted, then timestamp and value; a label with one of those two names becomes
// label_timestamp, label_value. JSON: `data` as it came. Each ends with a newline.
Result<std::string> FormatAnswer(const json::Value& data, OutputFormat format);

}  // namespace skep::tool
