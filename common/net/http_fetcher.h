// Many HTTP requests under way at once on one thread: a peer that hangs costs a socket, not a
// thread.
#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "common/net/http_client.h"

namespace skep::net {

// Thread-safe. Names are resolved beside the thread, connections stay open between requests. The
// outcomes are those of HttpClient::Send, but that a compressed body is left as it came: whoever
// takes it over calls Decompress, as a few hundred KB may become hundreds of MB, and everybody
// else's request would wait for that.
class HttpFetcher {
 public:
  // Called exactly once per request, on the fetcher's thread: hand the work on, do not do it there.
  using Done = std::function<void(Result<ClientResponse> response)>;

  struct Options {
    int max_idle_connections = 10'000;
    // Told what an exception in a Done said; the fetcher goes on.
    std::function<void(const std::string& what)> fatal;
  };

  static Result<std::unique_ptr<HttpFetcher>> Create(Options options);
  // Ends what is under way with kCanceled.
  ~HttpFetcher();

  void Start(std::shared_ptr<const HttpClientOptions> client, ClientRequest request, Done done);

 private:
  struct Impl;
  explicit HttpFetcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::net
