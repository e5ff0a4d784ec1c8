// HAProxy's HTTP log:
//   … 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - -
//   ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"
// The times are milliseconds; the last is the whole, with a '+' where the log was written before
// the end (logasap), and -1 where it is unknown.
#include <algorithm>

#include "exporter/logs/line_format.h"
#include "exporter/logs/request_line.h"
#include "exporter/logs/text_number.h"

namespace skep::logs {
namespace {

// What stands before the next blank; the rest begins behind it.
std::string_view TakeWord(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return word;
}

bool IsTimer(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return ParseDecimal(text).has_value();
}

// The last of "10/0/30/69/109"; false where that is no list of five, which the log of a TCP
// connection has not.
bool ReadTimers(std::string_view timers, ParsedLine& out) {
  if (std::count(timers.begin(), timers.end(), '/') != 4) return false;
  const std::size_t slash = timers.rfind('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view before = timers.substr(0, slash);
  std::string_view total = timers.substr(slash + 1);
  if (!IsTimer(total) || !IsTimer(before.substr(before.rfind('/') + 1))) return false;
  // Written before the end, it is not the duration of the request.
  if (const std::optional<double> ms = ParseDecimal(total)) out.duration_seconds = *ms / 1e3;
  return true;
}

bool ReadStatus(std::string_view word, ParsedLine& out) {
  out.status = word == "-1" || word == "0" ? kStatusUnknown : ParseHttpStatus(word);
  return out.status != 0;
}

void ReadRequest(std::string_view rest, ParsedLine& out) {
  // Captured headers before it stand in braces and may hold quotes.
  std::size_t begin = rest.rfind(" \"");
  if (begin == std::string_view::npos) return;
  begin += 2;
  const std::size_t end = rest.find('"', begin);  // a long request is cut, its quote with it
  SplitRequestLine(rest.substr(begin, end == std::string_view::npos ? end : end - begin), out);
}

class HaproxyFormat final : public LineFormat {
 public:
  bool Parse(std::string_view line, ParsedLine& out) const override {
    out.Clear();
    // syslog's header may hold a bracket too ("haproxy[123]:"), but none behind a blank.
    const std::size_t date = line.find(" [");
    if (date == std::string_view::npos) return false;
    const std::size_t end = line.find("] ", date);
    if (end == std::string_view::npos) return false;
    std::string_view rest = line.substr(end + 2);
    TakeWord(rest);  // frontend
    TakeWord(rest);  // backend/server
    if (!ReadTimers(TakeWord(rest), out)) return false;
    if (!ReadStatus(TakeWord(rest), out)) return false;
    std::string_view bytes = TakeWord(rest);
    if (bytes.starts_with('+')) bytes.remove_prefix(1);
    out.bytes = ParseDecimal(bytes).value_or(-1);
    ReadRequest(rest, out);
    return true;
  }
  bool IsAccessLog() const override { return true; }
};

}  // namespace

LineFormatPtr MakeHaproxyFormat() { return std::make_shared<HaproxyFormat>(); }

}  // namespace skep::logs
