// How bad a line says it is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace skep::logs {

enum class Level : std::uint8_t { kFatal, kError, kWarn, kInfo, kDebug, kTrace, kNone };
inline constexpr std::size_t kLevels = 7;

// "fatal", "error", "warn", "info", "debug", "trace", "none".
std::string_view LevelName(Level level);

// Of a word that programs use for it ("ERR", "warning", "CRITICAL"), or of pino's numbers ("50").
std::optional<Level> ParseLevel(std::string_view word);

// In a line without fields: the first word near its beginning that stands as programs write levels:
// in capitals, or in brackets or quotes, behind "=" or "<", or as the first word before a colon.
Level FindLevel(std::string_view line);

}  // namespace skep::logs
