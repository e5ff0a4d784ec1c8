#include "common/net/request_reader.h"

#include <civetweb.h>
#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/number.h"
#include "common/net/connection.h"
#include "common/net/gzip.h"
#include "common/net/text.h"

namespace skep::net {
namespace {

constexpr std::size_t kReadStep = 64UL << 10;
// From so many bytes on a body gets the memory for all that it says it has, instead of being copied
// each time that it has doubled: who sends so much means it.
constexpr std::size_t kBelievedBytes = 256UL << 10;

// Nothing where a Content-Length is no number, or there are several that differ; 0 where none is.
std::optional<std::uint64_t> ContentLength(const HttpRequest& request) {
  std::optional<std::uint64_t> length;
  for (const auto& [name, value] : request.headers) {
    if (!EqualsIgnoringCase(name, "Content-Length")) continue;
    const std::optional<std::uint64_t> one = ParseUint(value);
    if (!one || (length && *length != *one)) return std::nullopt;
    length = one;
  }
  return length.value_or(0);
}

bool IsChunked(const HttpRequest& request) { return !request.Header("Transfer-Encoding").empty(); }

// "/path?query" of "http://host/path?query"; nothing where `target` is of another form.
std::optional<std::string_view> OfAbsoluteForm(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::string_view name = target.substr(0, scheme);
  if (!EqualsIgnoringCase(name, "http") && !EqualsIgnoringCase(name, "https")) return std::nullopt;
  const std::size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

std::string_view TextOf(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

HttpResponse Refusal(int status, std::string text) {
  return HttpResponse::Text(status, std::move(text) + "\n");
}

bool HasBody(const HttpRequest& request) {
  return IsChunked(request) || ContentLength(request) != 0;
}

bool IsForm(const HttpRequest& request) {
  std::string_view type = request.Header("Content-Type");
  return request.method == "POST" &&
         EqualsIgnoringCase(NextToken(type, ';'), "application/x-www-form-urlencoded");
}

bool WantsKeepAlive(const HttpRequest& request, std::string_view http_version) {
  std::string_view options = request.Header("Connection");
  if (options.empty()) return http_version == "1.1";
  while (!options.empty()) {
    if (EqualsIgnoringCase(NextToken(options, ','), "keep-alive")) return true;
  }
  return false;
}

std::string_view PathOf(const mg_connection* connection) {
  return TextOf(mg_get_request_info(connection)->local_uri_raw);
}

std::string_view VersionOf(const mg_connection* connection) {
  return TextOf(mg_get_request_info(connection)->http_version);
}

PathlessTarget PathlessTargetOf(const mg_connection* connection) {
  const mg_request_info* info = mg_get_request_info(connection);
  const bool known = info->request_uri != nullptr && info->request_method != nullptr;
  if (!known || info->local_uri_raw != nullptr) return {};
  return {info->request_uri, OfAbsoluteForm(info->request_uri)};
}

bool IsHttp2Preface(const mg_connection* connection) {
  const mg_request_info* const info = mg_get_request_info(connection);
  return info != nullptr && TextOf(info->request_method) == "PRI" &&
         TextOf(info->request_uri) == "*" && TextOf(info->http_version) == "2.0";
}

HttpRequest RequestReader::ReadHead(const mg_connection* connection, std::string_view path) const {
  const mg_request_info* info = mg_get_request_info(connection);
  HttpRequest request;
  request.method = info->request_method;
  request.path = DecodePercent(path, false);
  request.query = TextOf(info->query_string);
  for (int i = 0; i < info->num_headers; ++i) {
    request.headers.emplace_back(info->http_headers[i].name, info->http_headers[i].value);
  }
  const Lobby::Id id = IdOf(connection);
  request.remote_address = lobby_.Peer(id);
  request.client_gone = [this, id] { return giving_up_ || !IsOpen(id); };
  return request;
}

std::optional<HttpResponse> RequestReader::ReadBody(mg_connection* connection,
                                                    HttpRequest& request) const {
  if (!HasBody(request)) return std::nullopt;
  if (std::optional<HttpResponse> refusal = ReadRawBody(connection, request)) return refusal;
  if (!EqualsIgnoringCase(request.Header("Content-Encoding"), "gzip")) return std::nullopt;
  Result<std::string> text = Gunzip(request.body, options_.max_body_bytes);
  if (text) {
    request.body = std::move(*text);
    return std::nullopt;
  }
  const bool too_long = text.error().kind() == ErrorKind::kInvalid;
  return too_long ? RefuseTooLarge(text.error().message())
                  : RefuseMalformed(text.error().message());
}

std::optional<HttpResponse> RequestReader::ReadRawBody(mg_connection* connection,
                                                       HttpRequest& request) const {
  const bool chunked = IsChunked(request);
  if (chunked && !request.Header("Content-Length").empty()) {
    return RefuseMalformed("both length and transfer encoding");
  }
  const std::optional<std::uint64_t> length = ContentLength(request);
  if (!length) return RefuseMalformed("Content-Length is not a number");
  if (*length > options_.max_body_bytes) return RefuseTooLarge("");
  if (EqualsIgnoringCase(request.Header("Expect"), "100-continue") &&
      !WriteAll(connection, "HTTP/1.1 100 Continue\r\n\r\n")) {
    return Refusal(408, "request body did not arrive");
  }
  const Lobby::Id id = IdOf(connection);
  lobby_.ReadingBody(id);
  std::optional<HttpResponse> refusal =
      Receive(connection, chunked ? std::nullopt : length, request.body);
  if (!refusal) lobby_.Working(id);
  return refusal;
}

// Without `length`: chunks.
std::optional<HttpResponse> RequestReader::Receive(mg_connection* connection,
                                                   std::optional<std::uint64_t> length,
                                                   std::string& body) const {
  const Lobby::Id id = IdOf(connection);
  while (!length || body.size() < *length) {
    const std::size_t old = body.size();
    const std::size_t step = length ? std::min(kReadStep, *length - old) : kReadStep;
    if (length && old >= kBelievedBytes) body.reserve(*length);
    body.resize(old + step);
    const int got = mg_read(connection, body.data() + old, step);
    body.resize(old + static_cast<std::size_t>(std::max(got, 0)));
    lobby_.BodyArrived(id, body.size() - old);
    if (body.size() > options_.max_body_bytes) return RefuseTooLarge("");
    if (got < 0 && !length && IsOpen(id)) return RefuseMalformed("a chunk cannot be read");
    if (got < 0 || (got == 0 && length)) return Refusal(408, "request body did not arrive");
    if (got == 0) break;
  }
  return std::nullopt;
}

// Neither has the client gone nor have we ended its sending.
bool RequestReader::IsOpen(Lobby::Id id) const {
  pollfd peer{lobby_.Descriptor(id), POLLRDHUP, 0};
  return peer.fd >= 0 && poll(&peer, 1, 0) == 0;
}

HttpResponse RequestReader::RefuseMalformed(std::string text) const {
  CountOne(counters_.malformed);
  return Refusal(400, std::move(text));
}

HttpResponse RequestReader::RefuseTooLarge(std::string text) const {
  CountOne(counters_.too_large);
  if (text.empty()) {
    text = "body larger than " + std::to_string(options_.max_body_bytes) + " bytes";
  }
  return Refusal(413, std::move(text));
}

}  // namespace skep::net
