// One HTTP exchange on a curl handle: what HttpClient and HttpFetcher have in common. Not for other
// folders.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/net/http_client.h"

namespace skep::net {

struct EasyFree {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiFree {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyFree>;
using Multi = std::unique_ptr<CURLM, MultiFree>;
using List = std::unique_ptr<curl_slist, ListFree>;

// Once per process, before the first handle.
void InitCurl();

// kInvalid: options that no request can work with.
Status CheckClientOptions(const HttpClientOptions& options);

// What one exchange needs as long as it runs. Stays at its place: curl keeps pointers into it.
struct Exchange {
  ClientResponse response;
  std::size_t limit = 0;
  bool too_large = false;
  char reason[CURL_ERROR_SIZE] = {};
  List headers, proxy_headers, connect_to;
};

// Resets `easy` and sets it up. `options`, `request` and `exchange` must outlive the exchange.
Status PrepareExchange(CURL* easy, const HttpClientOptions& options, const ClientRequest& request,
                       Exchange& exchange);

// The outcome, after curl is done with the handle.
Result<ClientResponse> FinishExchange(CURL* easy, CURLcode code, Exchange& exchange);

}  // namespace skep::net
