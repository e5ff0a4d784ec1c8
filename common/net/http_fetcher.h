// Many HTTP requests under way at once on one thread: a peer that hangs costs a socket, not a
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "common/base/result.h"
#include "common/net/http_client.h"

namespace skep::net {

// A request that is sent again and again, one at a time, as a scrape is. What curl needs for it is
// made once and kept, some 10 KB: to make it anew took a third of the CPU of a page of 120 KB.
// Secrets that stand in files are read each time all the same; then nothing is kept.
class RepeatedRequest {
 public:
  RepeatedRequest(std::shared_ptr<const HttpClientOptions> client, ClientRequest request);
  ~RepeatedRequest();
  RepeatedRequest(const RepeatedRequest&) = delete;
  RepeatedRequest& operator=(const RepeatedRequest&) = delete;

  const ClientRequest& request() const { return request_; }

 private:
  friend class HttpFetcher;
  struct Prepared;

  const std::shared_ptr<const HttpClientOptions> client_;
  const ClientRequest request_;
  const bool keeps_;
  // Of whoever has the request: who starts it, then the fetcher's thread.
  std::unique_ptr<Prepared> prepared_;  // null: to be made
  std::size_t expected_bytes_ = 0;      // of the body: what the last one had
};

// Thread-safe. Names are resolved beside the thread, connections stay open between requests. The
// outcomes are those of HttpClient::Send, but that a compressed body is left as it came: whoever
// takes it over calls Decompress, as a few hundred KB may become hundreds of MB, and everybody
// else's request would wait for that.
class HttpFetcher {
 public:
  // Called exactly once per request, on the fetcher's thread: hand the work on, do not do it there.
  using Done = std::function<void(Result<ClientResponse> response)>;

  using Steady = std::chrono::steady_clock::time_point;

  struct Options {
    // Called on the fetcher's thread, first at once and then at the time that it gave, up to a
    // millisecond late, or after Wake: for whoever starts requests at certain times. A thread of
    // his own for it would cost two changes of threads a request. Null: none.
    std::function<Steady()> tick;
    int max_idle_connections = 10'000;
    // Told what an exception in a Done or a tick said; the fetcher goes on.
    std::function<void(const std::string& what)> fatal;
  };

  static Result<std::unique_ptr<HttpFetcher>> Create(Options options);
  // Stops.
  ~HttpFetcher();

  void Start(std::shared_ptr<const HttpClientOptions> client, ClientRequest request, Done done);
  // Requires: the Done of the last time has been called.
  void Start(std::shared_ptr<RepeatedRequest> request, Done done);
  // Calls tick soon, whatever it said.
  void Wake();
  // Ends what is under way, and what is started later, with kCanceled. No tick any more. Not from
  // the fetcher's thread.
  void Stop();

 private:
  struct Impl;
  explicit HttpFetcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::net
