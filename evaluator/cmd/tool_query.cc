#include "evaluator/cmd/tool_query.h"

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include "common/base/number.h"
#include "common/json/value.h"
#include "common/net/http_client.h"
#include "evaluator/cmd/tool_client.h"

namespace skep::tool {
namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxAnswerBytes = 1UL << 30;

std::string Seconds(Timestamp time) {
  std::string text = std::to_string(ToMillis(time));
  const bool negative = text[0] == '-';
  if (negative) text.erase(0, 1);
  if (text.size() < 4) text.insert(0, 4 - text.size(), '0');
  text.insert(text.size() - 3, ".");
  return (negative ? "-" : "") + text;
}

std::string Encode(const Form& form) {
  std::string body;
  for (const auto& [name, value] : form) {
    if (!body.empty()) body += '&';
    body += net::PercentEncode(name) + "=" + net::PercentEncode(value);
  }
  return body;
}

// The envelope of a successful answer. What the server says went wrong is kInvalid.
Result<json::Value> ReadEnvelope(const net::ClientResponse& response) {
  Result<json::Value> answer = json::Value::Parse(response.body);
  const bool envelope = answer && answer->IsObject() && (*answer)["status"].IsString();
  if (!envelope) {
    return Invalid("status " + std::to_string(response.status) +
                   ", and the answer is not that of a Prometheus API");
  }
  if ((*answer)["status"].text() == "success") return answer;
  return Invalid((*answer)["errorType"].text() + ": " + (*answer)["error"].text());
}

Result<json::Value> Ask(const QueryOptions& options, std::string_view path, const Form& form) {
  const Result<std::unique_ptr<net::HttpClient>> client = MakeClient(options.http_config_file);
  if (!client) return client.error();
  net::ClientRequest request;
  request.method = "POST";
  request.url = JoinUrl(options.server, path);
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = Encode(form);
  request.timeout = options.timeout;
  request.max_body_bytes = kMaxAnswerBytes;
  const Result<net::ClientResponse> response = (*client)->Send(request);
  if (!response) return response.error().Wrap(options.server);
  Result<json::Value> answer = ReadEnvelope(*response);
  if (!answer) return answer.error().Wrap(options.server);
  return answer;
}

ExitCode Show(ToolIo& io, const QueryOptions& options, std::string_view path, const Form& form) {
  const Result<json::Value> answer = Ask(options, path, form);
  if (!answer) return Refuse(io, answer.error().message());
  for (const char* kind : {"warnings", "infos"}) {
    for (const json::Value& text : (*answer)[kind].items()) io.err << text.text() << '\n';
  }
  const Result<std::string> text = FormatAnswer((*answer)["data"], options.format);
  if (!text) return Refuse(io, text.error().message());
  io.out << *text;
  return ExitCode::kGood;
}

Result<Duration> StepOf(const std::string& text, Timestamp start, Timestamp end) {
  if (text.empty()) {
    constexpr std::int64_t kPoints = 250;
    return std::max(Duration{std::chrono::seconds(1)},
                    Duration{(end - start) / kPoints / 1000 * 1000});
  }
  const std::optional<double> seconds = ParseDouble(text);
  Result<Duration> step =
      seconds && *seconds < 1e12
          ? Result<Duration>(Duration{static_cast<std::int64_t>(*seconds * 1e3)})
          : ParseDuration(text);
  if (!step) return step.error().Wrap("--step");
  if (*step <= Duration{0}) return Invalid("--step: expected more than 0");
  return step;
}

}  // namespace

Result<Timestamp> ParseMoment(std::string_view text, Timestamp now) {
  if (text == "now") return now;
  if (text.starts_with('-')) {
    const Result<Duration> before = ParseDuration(text.substr(1));
    if (before) return now - *before;
  }
  return ParseTimestamp(text);
}

ExitCode QueryInstant(ToolIo& io, const QueryOptions& options, Timestamp now) {
  const Result<Timestamp> time = ParseMoment(options.time.empty() ? "now" : options.time, now);
  if (!time) return Refuse(io, time.error().Wrap("--time").message());
  return Show(io, options, "/api/v1/query",
              {{"query", options.expr},
               {"time", Seconds(*time)},
               {"timeout", FormatDuration(options.timeout)}});
}

ExitCode QueryRange(ToolIo& io, const QueryOptions& options, Timestamp now) {
  const Result<Timestamp> end = ParseMoment(options.end.empty() ? "now" : options.end, now);
  if (!end) return Refuse(io, end.error().Wrap("--end").message());
  const Result<Timestamp> start = options.start.empty()
                                      ? Result<Timestamp>(*end - std::chrono::hours(1))
                                      : ParseMoment(options.start, now);
  if (!start) return Refuse(io, start.error().Wrap("--start").message());
  if (*start > *end) return Refuse(io, "--start: is after --end");
  const Result<Duration> step = StepOf(options.step, *start, *end);
  if (!step) return Refuse(io, step.error().message());
  return Show(io, options, "/api/v1/query_range",
              {{"query", options.expr},
               {"start", Seconds(*start)},
               {"end", Seconds(*end)},
               {"step", Seconds(FromMillis(step->count()))},
               {"timeout", FormatDuration(options.timeout)}});
}

}  // namespace skep::tool
