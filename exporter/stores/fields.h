// Fields of the JSON that claude-flow writes, read with distrust: numbers stand in strings, times
// in three notations, and anything may be missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/json/value.h"
#include "exporter/stores/reading.h"

namespace skep::stores {

// The whole text of a store. kEmpty, kEncrypted, kTruncated as ReadFailure says.
Reading<json::Value> ParseStore(std::string_view bytes);

// "" where it is no string.
const std::string& TextField(const json::Value& object, std::string_view key);

// A finite number, or a string that holds one.
std::optional<double> NumberField(const json::Value& object, std::string_view key);

// The same, not below 0.
std::optional<double> CountField(const json::Value& object, std::string_view key);

// RFC 3339 text, or a number of milliseconds since 1970. Nothing for what lies before 2001 or
// after 2100: a number in other units.
std::optional<Timestamp> TimeField(const json::Value& object, std::string_view key);

// "2026-11-21 21:39:29" in UTC, as SQLite's CURRENT_TIMESTAMP writes it; also RFC 3339.
std::optional<Timestamp> ParseSqlTime(std::string_view text);

// A time between 2001 and 2100, else nothing.
std::optional<Timestamp> PlausibleMillis(double milliseconds);

}  // namespace skep::stores
