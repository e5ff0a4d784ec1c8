// One HTTP exchange on a curl handle: what HttpClient and HttpFetcher have in common. Not for other
// folders.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/net/http_client.h"

struct curl_slist;

namespace skep::net {

// libcurl's CURL and CURLM are void to its users; so are they here, without its header.
struct EasyFree {
  void operator()(void* easy) const;
};
struct MultiFree {
  void operator()(void* multi) const;
};
struct ListFree {
  void operator()(curl_slist* list) const;
};
using Easy = std::unique_ptr<void, EasyFree>;
using Multi = std::unique_ptr<void, MultiFree>;
using List = std::unique_ptr<curl_slist, ListFree>;

// kInvalid: options that no request can work with. This and the next need no OpenCurl.
Status CheckClientOptions(const HttpClientOptions& options);

// "" (none) or http, https, socks5 or socks5h with a host, and no part that cannot be read.
Status CheckProxyUrl(const std::string& url);

// What one exchange needs as long as it runs. Stays at its place: curl keeps pointers into it.
struct Exchange {
  ClientResponse response;
  std::size_t limit = 0;
  bool too_large = false;
  std::size_t expected_bytes = 0;  // of the body, probably
  char reason[256] = {};           // CURL_ERROR_SIZE
  List headers, proxy_headers, connect_to;
};

// Resets `easy` and sets it up. `options`, `request` and `exchange` must outlive the exchange.
Status PrepareExchange(void* easy, const HttpClientOptions& options, const ClientRequest& request,
                       Exchange& exchange);

// Makes `exchange`, whose handle is set up, ready for one more. `expected_bytes`: of the body; 0:
// nothing is known.
void BeginExchange(Exchange& exchange, std::size_t expected_bytes);

// The outcome, after curl is done with the handle; `code` is its CURLcode. The body is as it came:
// Decompress follows.
Result<ClientResponse> FinishExchange(void* easy, int code, Exchange& exchange);

}  // namespace skep::net
