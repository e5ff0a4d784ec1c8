#include "exporter/logs/level.h"

#include <algorithm>
#include <string>

namespace skep::logs {
namespace {

constexpr std::size_t kLongestWord = 11;  // "information", "emergency"
constexpr std::size_t kSearched = 200;    // bytes of a line

struct Word {
  std::string_view text;
  Level level;
};

constexpr Word kWords[] = {
    {"alert", Level::kFatal},      {"crit", Level::kFatal},      {"critical", Level::kFatal},
    {"emerg", Level::kFatal},      {"emergency", Level::kFatal}, {"fatal", Level::kFatal},
    {"panic", Level::kFatal},      {"err", Level::kError},       {"error", Level::kError},
    {"severe", Level::kError},     {"warn", Level::kWarn},       {"warning", Level::kWarn},
    {"info", Level::kInfo},        {"log", Level::kInfo},        {"notice", Level::kInfo},
    {"information", Level::kInfo}, {"debug", Level::kDebug},     {"verbose", Level::kDebug},
    {"trace", Level::kTrace},      {"10", Level::kTrace},        {"20", Level::kDebug},
    {"30", Level::kInfo},          {"40", Level::kWarn},         {"50", Level::kError},
    {"60", Level::kFatal},
};

bool IsLetter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsPartOfWord(char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '_'; }

// Whether a level would stand like this: `before` and `after` are '\0' at the ends.
bool StandsAsLevel(std::string_view word, char before, char after, bool is_first) {
  if (IsPartOfWord(before) || IsPartOfWord(after)) return false;
  if (std::all_of(word.begin(), word.end(), IsUpper)) return true;
  if (is_first && after == ':') return true;
  const bool opened = std::string_view("[(<=:\"|").find(before) != std::string_view::npos;
  const bool closed = std::string_view("])>:\"|, \t").find(after) != std::string_view::npos;
  return opened && before != '\0' && closed;
}

// glog: "E1122 12:00:00.000000".
std::optional<Level> GlogLevel(std::string_view line) {
  if (line.size() < 6 || line[5] != ' ') return std::nullopt;
  if (!std::all_of(line.begin() + 1, line.begin() + 5, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  switch (line[0]) {
    case 'F':
      return Level::kFatal;
    case 'E':
      return Level::kError;
    case 'W':
      return Level::kWarn;
    case 'I':
      return Level::kInfo;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kFatal:
      return "fatal";
    case Level::kError:
      return "error";
    case Level::kWarn:
      return "warn";
    case Level::kInfo:
      return "info";
    case Level::kDebug:
      return "debug";
    case Level::kTrace:
      return "trace";
    case Level::kNone:
      return "none";
  }
  return "none";
}

std::optional<Level> ParseLevel(std::string_view word) {
  if (word.size() < 2 || word.size() > kLongestWord) return std::nullopt;
  std::array<char, kLongestWord> lower{};
  for (std::size_t i = 0; i < word.size(); ++i) {
    lower[i] = IsUpper(word[i]) ? static_cast<char>(word[i] | 0x20) : word[i];
  }
  const std::string_view text(lower.data(), word.size());
  for (const Word& known : kWords) {
    if (known.text == text) return known.level;
  }
  return std::nullopt;
}

Level FindLevel(std::string_view line) {
  if (const std::optional<Level> level = GlogLevel(line)) return *level;
  line = line.substr(0, kSearched);
  bool is_first = true;
  for (std::size_t at = 0; at < line.size();) {
    if (!IsLetter(line[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < line.size() && IsLetter(line[at])) ++at;
    const std::string_view word = line.substr(begin, at - begin);
    const char before = begin > 0 ? line[begin - 1] : '\0';
    const char after = at < line.size() ? line[at] : '\0';
    if (word.size() >= 3 && StandsAsLevel(word, before, after, is_first)) {
      if (const std::optional<Level> level = ParseLevel(word)) return *level;
    }
    is_first = false;
  }
  return Level::kNone;
}

}  // namespace skep::logs
