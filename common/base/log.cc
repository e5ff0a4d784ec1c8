#include "common/base/log.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace skep {
namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warn", "error"};

void WriteToStandardError(std::string_view line) {
  while (!line.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody listens: there is no place left to complain
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || c == '"' || c == '=' || c == '\\' || byte == 0x7f) return true;
  }
  return false;
}

// The escapes of JSON serve logfmt as well.
void AppendQuoted(std::string& out, std::string_view value) {
  out.push_back('"');
  for (const char c : value) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char buffer[8];
          std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
          out += buffer;
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void AppendLogfmt(std::string& out, std::string_view key, std::string_view value) {
  if (!out.empty()) out.push_back(' ');
  out.append(key).push_back('=');
  if (NeedsQuotes(value)) {
    AppendQuoted(out, value);
  } else {
    out.append(value);
  }
}

void AppendJson(std::string& out, std::string_view key, std::string_view value, bool is_number) {
  out.push_back(out.empty() ? '{' : ',');
  AppendQuoted(out, key);
  out.push_back(':');
  if (is_number) {
    out.append(value);
  } else {
    AppendQuoted(out, value);
  }
}

}  // namespace

struct Logger::Sink {
  const Clock& clock;
  Options options;
};

Result<LogLevel> ParseLogLevel(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (text == kLevelNames[i]) return static_cast<LogLevel>(i);
  }
  return Invalid("expected debug, info, warn or error, got \"" + std::string(text) + "\"");
}

Result<LogFormat> ParseLogFormat(std::string_view text) {
  if (text == "logfmt") return LogFormat::kLogfmt;
  if (text == "json") return LogFormat::kJson;
  return Invalid("expected logfmt or json, got \"" + std::string(text) + "\"");
}

Logger::Logger(const Clock& clock, Options options) {
  if (!options.write) options.write = WriteToStandardError;
  sink_ = std::make_shared<const Sink>(Sink{clock, std::move(options)});
}

Logger Logger::Silent() {
  static const SystemClock clock;
  Logger logger(clock, {});
  logger.sink_ = nullptr;
  return logger;
}

Logger Logger::For(std::string_view component) const {
  Logger copy = *this;
  copy.component_ = component;
  return copy;
}

bool Logger::Enabled(LogLevel level) const { return sink_ && level >= sink_->options.level; }

void Logger::Log(LogLevel level, std::string_view message,
                 std::initializer_list<LogField> fields) const {
  if (!Enabled(level)) return;
  std::string line;
  const auto add = [&](std::string_view key, std::string_view value, bool is_number) {
    if (sink_->options.format == LogFormat::kJson) {
      AppendJson(line, key, value, is_number);
    } else {
      AppendLogfmt(line, key, value);
    }
  };
  add("ts", FormatTimestamp(sink_->clock.Now()), false);
  add("level", kLevelNames[static_cast<std::size_t>(level)], false);
  if (!component_.empty()) add("component", component_, false);
  add("msg", message, false);
  for (const LogField& field : fields) add(field.key, field.value, field.is_number);
  line += sink_->options.format == LogFormat::kJson ? "}\n" : "\n";
  sink_->options.write(line);
}

}  // namespace skep
