// Structured logging to standard error, as logfmt or JSON: one line, one write(2), per event.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace skep {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kLogfmt, kJson };

// "debug", "info", "warn", "error".
Result<LogLevel> ParseLogLevel(std::string_view text);
// "logfmt", "json".
Result<LogFormat> ParseLogFormat(std::string_view text);

// One key with its value as text. Implicit on purpose: `{"rule", name}` reads well at the call.
struct LogField {
  std::string_view key;
  std::string value;
  bool is_number = false;  // JSON prints it bare

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), is_number(true) {}
  LogField(std::string_view k, Duration v) : key(k), value(FormatDuration(v)) {}
  LogField(std::string_view k, const Error& v) : key(k), value(v.message()) {}
  template <typename N>
  requires(std::is_integral_v<N> && !std::is_same_v<N, bool>) LogField(std::string_view k, N v)
      : key(k), value(std::to_string(v)), is_number(true) {}
};

// Copies are cheap and share the sink. Thread-safe.
class Logger {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kLogfmt;
    // Takes one whole line with its newline. Default: write(2) to standard error. Called from any
    // thread.
    std::function<void(std::string_view line)> write;
  };

  // Keeps a reference to `clock`, which must outlive all copies.
  Logger(const Clock& clock, Options options);

  // Drops everything: for tests and tools.
  static Logger Silent();

  // A logger that adds `component=NAME` to each line.
  Logger For(std::string_view component) const;

  bool Enabled(LogLevel level) const;
  void Log(LogLevel level, std::string_view message,
           std::initializer_list<LogField> fields = {}) const;
  void Debug(std::string_view m, std::initializer_list<LogField> f = {}) const {
    Log(LogLevel::kDebug, m, f);
  }
  void Info(std::string_view m, std::initializer_list<LogField> f = {}) const {
    Log(LogLevel::kInfo, m, f);
  }
  void Warn(std::string_view m, std::initializer_list<LogField> f = {}) const {
    Log(LogLevel::kWarn, m, f);
  }
  void Error(std::string_view m, std::initializer_list<LogField> f = {}) const {
    Log(LogLevel::kError, m, f);
  }

 private:
  struct Sink;

  std::shared_ptr<const Sink> sink_;  // null: silent
  std::string component_;
};

}  // namespace skep
