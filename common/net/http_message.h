// Requests and responses as the server and the client have them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skep::net {

// In order of arrival; names compare without case.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The first value of `name`, or "".
std::string_view FindHeader(const Headers& headers, std::string_view name);

// Decoded query or form parameters in order of appearance.
using Parameters = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=%20" and "+" for a space. Bytes that are no valid escape stay as they are.
Parameters ParseParameters(std::string_view encoded);
// %XX for everything but letters, digits and "-._~".
std::string PercentEncode(std::string_view text);

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // decoded, without query, without the server's route prefix: "/api/v1/query"
  std::string query;   // raw, without '?'
  // Of the query and, for a POST of application/x-www-form-urlencoded, of the body (which then
  // comes first, as in Go).
  Parameters parameters;
  Headers headers;
  std::string body;  // decompressed where Content-Encoding was gzip
  std::string remote_address;
  std::string user;  // who passed basic authentication, or ""
  // Asks whether the client is still there (a long query stops when not). Never null in a handler.
  std::function<bool()> client_gone;

  // First value of the parameter, or nothing.
  std::optional<std::string_view> Parameter(std::string_view name) const;
  // All values: `match[]`.
  std::vector<std::string_view> ParameterValues(std::string_view name) const;
  std::string_view Header(std::string_view name) const { return FindHeader(headers, name); }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  Headers headers;  // further ones
  std::string body;
  // Set: the body is not `body` but what this writes in pieces (chunked). `write` returns false
  // when the client is gone. gzip is applied on the way where the client takes it.
  std::function<void(const std::function<bool(std::string_view piece)>& write)> stream;

  static HttpResponse Text(int status, std::string body);
  static HttpResponse Html(std::string body);
  static HttpResponse Json(int status, std::string body);
  static HttpResponse Redirect(std::string location);  // 302
};

}  // namespace skep::net
