// One line of a log, read by its format: access logs of nginx, Apache and HAProxy, JSON, logfmt,
// patterns with named groups, and plain text.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/regex.h"

namespace skep::logs {

// What a line says. Views point into the line or into `scratch`; what the line does not have stays
// as Clear left it.
struct ParsedLine {
  std::string_view method;
  std::string_view path;  // as it stands, with its query
  int status = 0;         // 0: none
  double duration_seconds = -1;
  double upstream_seconds = -1;
  double bytes = -1;
  std::string_view level;
  std::string_view message;  // of a line with fields: what a person wrote

  // Unescaped values. Never shrinks, so that views into it stay until Clear.
  std::string scratch;

  // Whether it is one HTTP request.
  bool IsRequest() const { return status != 0; }
  void Clear();
};

// Immutable, thread-safe.
class LineFormat {
 public:
  virtual ~LineFormat() = default;

  // False: the line is not of this format, and `out` must not be used. `out` was Cleared.
  virtual bool Parse(std::string_view line, ParsedLine& out) const = 0;
  // Every line is one request and no line tells a level: an access log.
  virtual bool IsAccessLog() const = 0;
};
using LineFormatPtr = std::shared_ptr<const LineFormat>;

// `$name` and `${name}`; known: request, request_method, request_uri, uri, status,
// body_bytes_sent, bytes_sent, request_time, upstream_response_time; all others are passed over. ""
// is the beginning that "common" and "combined" share. What stands in a line behind the last
// variable is not looked at. kInvalid: two variables without anything between, or no $status.
Result<LineFormatPtr> MakeNginxFormat(std::string_view log_format);
// The same for Apache's %-directives; known: %r, %m, %U, %s, %b, %B, %O, %D, %T, %{ms}T, %{us}T,
// %{s}T, with < and > and conditions of status.
Result<LineFormatPtr> MakeApacheFormat(std::string_view log_format);
// `option httplog`, with or without syslog's header before it.
LineFormatPtr MakeHaproxyFormat();

// Names of fields that are asked for beside (before) the well-known ones.
struct FieldNames {
  // One of method, path, request, status, duration, upstream, bytes, level, message -> the name in
  // the log, with dots for objects within objects.
  std::map<std::string, std::string> names;
  // Of a duration that is a bare number; 0: only well-known names that tell their unit count, and
  // values that bring their own ("12ms").
  double duration_scale = 0;
};
// kInvalid: an unknown key in `names`.
Result<LineFormatPtr> MakeJsonFormat(const FieldNames& fields);
Result<LineFormatPtr> MakeLogfmtFormat(const FieldNames& fields);
// Groups named as the keys of FieldNames::names. kInvalid: none is.
Result<LineFormatPtr> MakePatternFormat(const Regex& pattern, double duration_scale);
LineFormatPtr MakePlainFormat();

// The format "combined" of both servers, for the default.
inline constexpr std::string_view kCommonNginxFormat =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
inline constexpr std::string_view kCommonApacheFormat = "%h %l %u %t \"%r\" %>s %b";

}  // namespace skep::logs
