#include "common/net/http_client.h"

#include <atomic>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/quote.h"
#include "common/net/curl_exchange.h"
#include "common/net/curl_library.h"
#include "common/net/gzip.h"

namespace skep::net {
namespace {

// A handle with its connections. One request uses it at a time, so it can be woken from outside.
struct Line {
  Multi multi{Curl().multi_init()};
  Easy easy{Curl().easy_init()};
};

}  // namespace

struct HttpClient::Impl {
  HttpClientOptions options;
  std::atomic<bool> canceled{false};
  std::mutex mutex;
  std::vector<std::unique_ptr<Line>> idle;  // guarded by mutex
  std::set<CURLM*> busy;                    // guarded by mutex: to be woken by Cancel

  std::unique_ptr<Line> TakeLine();
  void ReturnLine(std::unique_ptr<Line> line);
  Result<ClientResponse> Run(Line& line, const ClientRequest& request);
  CURLcode Perform(Line& line);
};

std::unique_ptr<Line> HttpClient::Impl::TakeLine() {
  const std::lock_guard lock(mutex);
  std::unique_ptr<Line> line;
  if (idle.empty()) {
    line = std::make_unique<Line>();
  } else {
    line = std::move(idle.back());
    idle.pop_back();
  }
  busy.insert(line->multi.get());
  return line;
}

void HttpClient::Impl::ReturnLine(std::unique_ptr<Line> line) {
  const std::lock_guard lock(mutex);
  busy.erase(line->multi.get());
  idle.push_back(std::move(line));
}

CURLcode HttpClient::Impl::Perform(Line& line) {
  CURLM* multi = line.multi.get();
  Curl().multi_add_handle(multi, line.easy.get());
  int active = 1;
  while (active != 0 && !canceled) {
    if (Curl().multi_perform(multi, &active) != CURLM_OK) break;
    if (active != 0) Curl().multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  int left = 0;
  while (const CURLMsg* message = Curl().multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  Curl().multi_remove_handle(multi, line.easy.get());
  return code;
}

Result<ClientResponse> HttpClient::Impl::Run(Line& line, const ClientRequest& request) {
  Exchange exchange;
  RETURN_IF_ERROR(PrepareExchange(line.easy.get(), options, request, exchange));
  const CURLcode code = Perform(line);
  if (code == CURLE_ABORTED_BY_CALLBACK && canceled) {
    return Error(ErrorKind::kCanceled, "request canceled");
  }
  Result<ClientResponse> response = FinishExchange(line.easy.get(), code, exchange);
  if (response) RETURN_IF_ERROR(Decompress(*response, request.max_body_bytes));
  return response;
}

// By ourselves, because curl takes a compressed body that is cut short for a whole one, and would
// do the work on the thread of all connections.
Status Decompress(ClientResponse& response, std::size_t limit_bytes) {
  const std::string_view encoding = response.Header("Content-Encoding");
  if (response.body.empty() || encoding.empty() || EqualsIgnoringCase(encoding, "identity")) {
    return {};
  }
  if (!EqualsIgnoringCase(encoding, "gzip") && !EqualsIgnoringCase(encoding, "x-gzip")) {
    return Invalid("Content-Encoding " + Quote(encoding) + ", which was not asked for");
  }
  constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  Result<std::string> text = Gunzip(response.body, limit_bytes == 0 ? kNoLimit : limit_bytes);
  if (!text) return text.error();
  response.body = *std::move(text);
  return {};
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::Create(HttpClientOptions options) {
  RETURN_IF_ERROR(CheckClientOptions(options));
  RETURN_IF_ERROR(OpenCurl());
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(impl)));
}

Result<ClientResponse> HttpClient::Send(const ClientRequest& request) {
  if (impl_->canceled) return Error(ErrorKind::kCanceled, "request canceled");
  std::unique_ptr<Line> line = impl_->TakeLine();
  Result<ClientResponse> response = impl_->Run(*line, request);
  impl_->ReturnLine(std::move(line));
  return response;
}

void HttpClient::Cancel() {
  impl_->canceled = true;
  const std::lock_guard lock(impl_->mutex);
  for (CURLM* multi : impl_->busy) Curl().multi_wakeup(multi);
}

}  // namespace skep::net
