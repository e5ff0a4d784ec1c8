// Reading the parameters of a request; errors are whole answers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/time.h"
#include "common/model/matcher.h"
#include "common/net/http_message.h"
#include "evaluator/storage/querier.h"

namespace skep::api {

// Reads parameters one after the other and keeps the answer to the first bad one.
// Thread-compatible.
//
//   Parameters parameters(request);
//   const Timestamp start = parameters.Time("start", kMinTimestamp);
//   if (parameters.failed()) return parameters.refusal();
class Parameters {
 public:
  // `request` outlives the reader.
  explicit Parameters(const net::HttpRequest& request) : request_(request) {}

  // Unix seconds or RFC 3339; `absent` where the parameter is not there.
  Timestamp Time(std::string_view name, Timestamp absent);
  // The same; absent is an error.
  Timestamp RequiredTime(std::string_view name);
  // Seconds with fraction or Prometheus's form; `absent` where it is not there.
  Duration Span(std::string_view name, Duration absent);
  // A number of results, 0 meaning all. Absent: 0.
  std::size_t Limit();
  bool Flag(std::string_view name);
  std::string Text(std::string_view name);
  // The given values of `name[]` and of `name`.
  std::vector<std::string> List(std::string_view name);
  // One selector per match[].
  std::vector<std::vector<Matcher>> Selectors(std::string_view name = "match[]");
  // start and end, each optional.
  storage::TimeRange Range();

  void Refuse(std::string_view name, std::string_view message);
  bool failed() const { return refusal_.has_value(); }
  const net::HttpResponse& refusal() const { return *refusal_; }

 private:
  const net::HttpRequest& request_;
  std::optional<net::HttpResponse> refusal_;
};

// Prometheus's escaping of names that are not legacy ones: `U__my_2e_metric` is "my.metric". Other
// names, and what is no such escape, as they are.
std::string UnescapeName(std::string_view name);

}  // namespace skep::api
