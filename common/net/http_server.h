// An HTTP/1.1 server on one or more addresses, with TLS and users by a Prometheus web configuration
// file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/net/http_message.h"

namespace skep::net {

constexpr int kMostConnections = 1024;

struct HttpServerOptions {
  std::vector<std::string>
      addresses;                // "127.0.0.1:7538", "[::1]:0", ":7538"; port 0 takes a free one
  std::string web_config_file;  // exporter-toolkit's format; "" for none
  std::string route_prefix;     // "" or "/skep": stripped before dispatch; other paths answer 404
  // With a request at once; further ones wait. Each has a thread (16 KiB of memory), so fewer than
  // 4 are taken as 4 and more than kMostConnections are refused. Three of four threads at most are
  // for requests with a body. Clients that say nothing cost no thread, and connections that keep
  // theirs waiting (idle between requests, a body that does not come, an answer that is not read)
  // are ended when others wait.
  int max_connections = 64;
  std::size_t max_body_bytes = 64UL << 20;         // after decompression; larger answers 413
  std::size_t max_header_bytes = 64UL << 10;       // larger answers 431
  std::chrono::milliseconds head_timeout{10'000};  // for the head of a connection's first request
  std::chrono::milliseconds request_timeout{30'000};  // for reading one request
  // So long may a client leave its answer unread while others wait for a thread.
  std::chrono::milliseconds send_patience{5'000};
};

// Called on one of the server's threads, several at once. What it throws is logged and answered
// with 500.
using HttpHandler = std::function<HttpResponse(const HttpRequest& request)>;

// Thread-safe after Start. The destructor stops.
//
// HEAD is answered by the handler of GET, without body. A path that is known for another method
// answers 405 with Allow, an unknown one 404 ("404 page not found"). Responses of 1 KiB and more
// are gzipped where the client accepts it. A target in absolute form ("GET http://host/path") is
// taken as its path, where the request has no body; "OPTIONS *" is answered with 200.
class HttpServer {
 public:
  // Routes are added before Start.
  HttpServer(const Clock& clock, Logger log);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // `path` is exact ("/metrics"), a whole subtree ("/api/v1/label/*": anything below), or "/"
  // alone. Exact wins over subtree, longer over shorter. `methods`: {"GET"}, {"GET", "POST"}, ...
  void Handle(std::vector<std::string> methods, std::string path, HttpHandler handler);

  // Where the body of a request to `path` (exact) cannot be read, `answer` may say it in the path's
  // own form, and count it: it gets the request without body, and the plain answer with its status
  // (400 broken, 408 late, 413 too large). Set before Start.
  using UnreadableHandler =
      std::function<HttpResponse(const HttpRequest& request, HttpResponse plain)>;
  void OnUnreadable(std::string path, UnreadableHandler answer);

  // `note` is called, on one of the server's threads, with the address of each client that begins
  // to speak HTTP/2, as gRPC does. It is answered with 400: we serve HTTP/1.1. Set before Start.
  void OnHttp2(std::function<void(const std::string& peer)> note);

  // Binds all addresses and serves. kInvalid: bad address or web configuration file (named with its
  // place), too many connections wanted; kIo: an address cannot be bound.
  Status Start(const HttpServerOptions& options);

  // "127.0.0.1:43210" per address, with the real port.
  std::vector<std::string> addresses() const;
  // "http" or "https".
  std::string_view scheme() const;

  // Takes no new request, lets running ones end (at most `grace`), then closes.
  void Stop(std::chrono::milliseconds grace);

  // What the server has seen: for the owner's metrics page.
  struct Counts {
    std::uint64_t requests = 0;           // understood, whatever the answer
    std::uint64_t handler_failures = 0;   // exceptions answered with 500
    std::uint64_t refused_malformed = 0;  // no HTTP, or a body that cannot be read
    std::uint64_t refused_too_large = 0;  // head or body
    std::uint64_t refused_unauthorized = 0;
    std::uint64_t ended_crowded = 0;  // connections: slow clients while others waited
    std::uint64_t ended_timeout = 0;  // connections: a head or a body was late
    std::uint64_t connections = 0;    // open now

    // One value of a metrics page; those of one name follow each other.
    struct Named {
      std::string_view name;  // behind the program's own prefix: "http_server_requests_total"
      std::string_view help;
      std::string_view reason;  // the label of that name, "" for none
      std::uint64_t value;
    };
    std::vector<Named> List() const;
  };
  Counts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::net
