// The envelope around every answer: {"status":"success","data":…} or {"status":"error",…}.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/json/writer.h"
#include "common/net/http_message.h"

namespace skep::api {

// What a client reads in "errorType", with the status that goes with it.
enum class ErrorType : std::uint8_t {
  kBadData,      // 400
  kExecution,    // 422
  kTimeout,      // 503
  kCanceled,     // 499, nginx's number for a client that went away
  kInternal,     // 500
  kUnavailable,  // 503
  kNotFound,     // 404
};

net::HttpResponse ErrorResponse(ErrorType type, std::string_view message);
// `invalid parameter "NAME": MESSAGE`
net::HttpResponse BadParameter(std::string_view name, std::string_view message);
// An error of the engine or of storage during a query.
net::HttpResponse ExecutionError(const Error& error);

// What stands beside the data.
struct Remarks {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

// Opens the envelope up to the value of "data", and closes it behind that.
void OpenEnvelope(json::JsonWriter& json);
void CloseEnvelope(json::JsonWriter& json, const Remarks& remarks);

// A whole answer whose data `write` puts down.
net::HttpResponse Success(const std::function<void(json::JsonWriter&)>& write,
                          const Remarks& remarks = {});

// The marker of a list that was cut to the client's `limit`.
inline constexpr std::string_view kTruncated = "results truncated due to limit";

}  // namespace skep::api
