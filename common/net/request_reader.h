// From civetweb's connection to an HttpRequest: head, body, limits. Private to the folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/http_message.h"
#include "common/net/http_server.h"
#include "common/net/lobby.h"
#include "common/net/server_counters.h"

struct mg_connection;

namespace skep::net {

// "Text\n".
HttpResponse Refusal(int status, std::string text);

bool HasBody(const HttpRequest& request);
// A POST whose body is parameters.
bool IsForm(const HttpRequest& request);

// As civetweb decides it: the same answer must stand in our header. `http_version`: "1.1".
bool WantsKeepAlive(const HttpRequest& request, std::string_view http_version);

// The path where civetweb found one, "" where not.
std::string_view PathOf(const mg_connection* connection);
std::string_view VersionOf(const mg_connection* connection);  // "1.1", ""

// civetweb knows no path for "*" and for "http://host/path?query": it calls no handler for them.
struct PathlessTarget {
  std::string_view target;                      // "" where civetweb knows the path
  std::optional<std::string_view> of_absolute;  // "/path?query", of the absolute form alone
};
PathlessTarget PathlessTargetOf(const mg_connection* connection);

// HTTP/2 begins with "PRI * HTTP/2.0", which civetweb reads as a request line that it does not
// like.
bool IsHttp2Preface(const mg_connection* connection);

// Thread-safe; each connection is read by one thread.
class RequestReader {
 public:
  // All must outlive this. `giving_up`: clients count as gone.
  RequestReader(const HttpServerOptions& options, Lobby& lobby, ServerCounters& counters,
                const std::atomic<bool>& giving_up)
      : options_(options), lobby_(lobby), counters_(counters), giving_up_(giving_up) {}

  // `path` is still percent-encoded and without query.
  HttpRequest ReadHead(const mg_connection* connection, std::string_view path) const;

  // Nothing: the body is in `request`, decompressed. Otherwise what to answer, which is counted;
  // the connection cannot be kept then.
  std::optional<HttpResponse> ReadBody(mg_connection* connection, HttpRequest& request) const;

  // Counts it too.
  HttpResponse RefuseMalformed(std::string text) const;

 private:
  std::optional<HttpResponse> ReadRawBody(mg_connection* connection, HttpRequest& request) const;
  std::optional<HttpResponse> Receive(mg_connection* connection,
                                      std::optional<std::uint64_t> length, std::string& body) const;
  HttpResponse RefuseTooLarge(std::string text) const;
  bool IsOpen(Lobby::Id id) const;

  const HttpServerOptions& options_;
  Lobby& lobby_;
  ServerCounters& counters_;
  const std::atomic<bool>& giving_up_;
};

}  // namespace skep::net
