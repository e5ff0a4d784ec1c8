#include "common/net/curl_exchange.h"

#include <algorithm>
#include <cstring>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/net/curl_library.h"
#include "common/net/text.h"
#include "common/net/tls_names.h"

namespace skep::net {
namespace {

struct UrlFree {
  void operator()(CURLU* url) const { Curl().url_cleanup(url); }
};
void Append(List& list, const std::string& line) {
  if (curl_slist* longer = Curl().slist_append(list.get(), line.c_str())) {
    (void)list.release();
    list.reset(longer);
  }
}

std::size_t OnBody(char* bytes, std::size_t, std::size_t count, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  std::string& body = exchange.response.body;
  if (exchange.limit != 0 && body.size() + count > exchange.limit) {
    exchange.too_large = true;
    return 0;
  }
  // A string that doubles copies all of a page once more.
  if (body.empty()) body.reserve(std::max(exchange.expected_bytes, count));
  body.append(bytes, count);
  return count;
}

std::size_t OnHeader(char* bytes, std::size_t, std::size_t count, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  std::string_view line(bytes, count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // of a redirect, a 100 Continue, or at last the answer
    exchange.response.headers.clear();
    return count;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && colon > 0) {
    exchange.response.headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
  }
  return count;
}

bool HasLineEnd(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// A secret from a file, without the newline that editors add.
Result<std::string> Secret(const std::string& text, const std::string& file) {
  if (file.empty()) return text;
  Result<std::string> content = ReadFile(file, 1UL << 20);
  if (!content) return content;
  while (content->ends_with('\n') || content->ends_with('\r') || content->ends_with(' ')) {
    content->pop_back();
  }
  return content;
}

Status CheckVersion(const std::string& name) {
  if (TlsVersionNumber(name)) return {};
  return Invalid("unknown TLS version " + Quote(name));
}

// curl's number for "at least" (low half) or "at most" (high half).
long CurlVersion(const std::string& name, bool most) {
  constexpr long kLeast[] = {CURL_SSLVERSION_TLSv1_0, CURL_SSLVERSION_TLSv1_1,
                             CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_TLSv1_3};
  constexpr long kMost[] = {CURL_SSLVERSION_MAX_TLSv1_0, CURL_SSLVERSION_MAX_TLSv1_1,
                            CURL_SSLVERSION_MAX_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_3};
  if (name.empty() && most) return CURL_SSLVERSION_MAX_DEFAULT;
  if (name.empty()) return CURL_SSLVERSION_TLSv1_2;
  const auto index = static_cast<std::size_t>(name.back() - '0');  // "TLS10" .. "TLS13"
  return most ? kMost[index] : kLeast[index];
}

std::string PartOf(CURLU* url, CURLUPart part, unsigned flags) {
  char* value = nullptr;
  if (Curl().url_get(url, part, &value, flags) != CURLUE_OK) return "";
  std::string copy = value;
  Curl().free(value);
  return copy;
}

struct UrlParts {
  std::string scheme, host, port;
};

// Only http and https with a host; the text of the error has no part of the URL.
Result<UrlParts> SplitUrl(const std::string& text) {
  const std::unique_ptr<CURLU, UrlFree> url(Curl().url());
  const CURLUcode code = Curl().url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  if (code != CURLUE_OK) return Invalid(std::string("URL: ") + Curl().url_strerror(code));
  UrlParts parts{PartOf(url.get(), CURLUPART_SCHEME, 0), PartOf(url.get(), CURLUPART_HOST, 0),
                 PartOf(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if (parts.scheme != "http" && parts.scheme != "https")
    return Invalid("URL: expected http or https");
  if (parts.host.empty()) return Invalid("URL: no host");
  return parts;
}

ErrorKind KindOf(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorKind::kTimeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return ErrorKind::kInvalid;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return ErrorKind::kInternal;
    default:
      return ErrorKind::kUnavailable;
  }
}

template <typename T>
void Set(CURL* easy, CURLoption option, T value) {
  Curl().easy_setopt(easy, option, value);
}

void SetText(CURL* easy, CURLoption option, const std::string& text) {
  if (!text.empty()) Set(easy, option, text.c_str());
}

// PEM from a file or inline.
void SetPem(CURL* easy, CURLoption file_option, const std::string& file, CURLoption blob_option,
            const std::string& text) {
  if (!file.empty()) {
    Set(easy, file_option, file.c_str());
  } else if (!text.empty()) {
    curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
    Set(easy, blob_option, &blob);
  }
}

void UseMethod(CURL* easy, const ClientRequest& request) {
  const bool has_body = !request.body.empty() || request.method == "POST";
  if (request.method == "HEAD") {
    Set(easy, CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    Set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    Set(easy, CURLOPT_POSTFIELDS, request.body.data());
    if (request.method != "POST") Set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  } else if (request.method != "GET") {
    Set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

Result<List> MakeHeaders(const HttpClientOptions& options, const ClientRequest& request) {
  List list;
  const auto add = [&](const std::string& name, const std::string& value) -> Status {
    if (name.empty() || HasLineEnd(name) || HasLineEnd(value)) {
      return Invalid("header " + Quote(name) + ": line end in it");
    }
    // curl's way to write a header without a value.
    Append(list, value.empty() ? name + ";" : name + ": " + value);
    return {};
  };
  for (const auto& [name, value] : options.headers) RETURN_IF_ERROR(add(name, value));
  for (const auto& [name, file] : options.header_files) {
    const Result<std::string> value = Secret("", file);
    if (!value) return value.error().Wrap("header " + Quote(name));
    RETURN_IF_ERROR(add(name, *value));
  }
  for (const auto& [name, value] : request.headers) RETURN_IF_ERROR(add(name, value));
  if (request.accept_compressed) RETURN_IF_ERROR(add("Accept-Encoding", "gzip"));
  Append(list, "Expect:");  // no second of waiting for a 100 Continue
  if (!request.body.empty() && FindHeader(request.headers, "Content-Type").empty()) {
    Append(list, "Content-Type:");  // curl would say that it is a form
  }
  return list;
}

Status UseAuthentication(CURL* easy, const HttpClientOptions& options, List& headers) {
  if (options.basic_auth) {
    const auto& basic = *options.basic_auth;
    const Result<std::string> user = Secret(basic.username, basic.username_file);
    if (!user) return user.error().Wrap("basic_auth: username_file");
    const Result<std::string> password = Secret(basic.password, basic.password_file);
    if (!password) return password.error().Wrap("basic_auth: password_file");
    Set(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    Set(easy, CURLOPT_USERNAME, user->c_str());
    Set(easy, CURLOPT_PASSWORD, password->c_str());
  }
  if (options.authorization) {
    const auto& given = *options.authorization;
    const Result<std::string> secret = Secret(given.credentials, given.credentials_file);
    if (!secret) return secret.error().Wrap("authorization: credentials_file");
    if (HasLineEnd(*secret)) return Invalid("authorization: line end in the credentials");
    // As a header of its own, which curl drops when a redirect leads to another host.
    Append(headers, "Authorization: " + given.type + " " + *secret);
  }
  return {};
}

void UseTls(CURL* easy, const TlsClientOptions& tls) {
  SetPem(easy, CURLOPT_CAINFO, tls.ca_file, CURLOPT_CAINFO_BLOB, tls.ca);
  // A CA of one's own is the only one, as in Prometheus.
  if (!tls.ca_file.empty() || !tls.ca.empty()) Set(easy, CURLOPT_CAPATH, nullptr);
  SetPem(easy, CURLOPT_SSLCERT, tls.cert_file, CURLOPT_SSLCERT_BLOB, tls.cert);
  SetPem(easy, CURLOPT_SSLKEY, tls.key_file, CURLOPT_SSLKEY_BLOB, tls.key);
  Set(easy, CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
  Set(easy, CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
  Set(easy, CURLOPT_SSLVERSION,
      CurlVersion(tls.min_version, false) | CurlVersion(tls.max_version, true));
}

void UseProxy(CURL* easy, const HttpClientOptions& options, const List& proxy_headers) {
  if (options.proxy_from_environment) return;
  Set(easy, CURLOPT_PROXY, options.proxy_url.c_str());  // "": none, whatever the environment says
  Set(easy, CURLOPT_NOPROXY, options.no_proxy.c_str());
  if (proxy_headers != nullptr) {
    Set(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
    Set(easy, CURLOPT_PROXYHEADER, proxy_headers.get());
  }
}

// curl takes the name to verify (and to send as SNI) from the URL. So server_name goes there, the
// connection goes to the real host, and Host says what it would have said.
List UseServerName(CURL* easy, const TlsClientOptions& tls, const ClientRequest& request,
                   const UrlParts& url, List& headers, std::string& renamed) {
  List connect_to;
  renamed = request.url;
  if (tls.server_name.empty() || url.scheme != "https") return connect_to;
  const std::unique_ptr<CURLU, UrlFree> parts(Curl().url());
  Curl().url_set(parts.get(), CURLUPART_URL, request.url.c_str(), 0);
  Curl().url_set(parts.get(), CURLUPART_HOST, tls.server_name.c_str(), 0);
  char* text = nullptr;
  if (Curl().url_get(parts.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return connect_to;
  renamed = text;
  Curl().free(text);
  Append(connect_to, tls.server_name + ":" + url.port + ":" + url.host + ":" + url.port);
  Set(easy, CURLOPT_CONNECT_TO, connect_to.get());
  if (FindHeader(request.headers, "Host").empty()) {
    Append(headers, "Host: " + url.host + (url.port == "443" ? "" : ":" + url.port));
  }
  return connect_to;
}

void SetTransfer(CURL* easy, const HttpClientOptions& options, const ClientRequest& request) {
  Set(easy, CURLOPT_HTTP_VERSION,
      static_cast<long>(options.enable_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  Set(easy, CURLOPT_FOLLOWLOCATION, options.follow_redirects ? 1L : 0L);
  Set(easy, CURLOPT_MAXREDIRS, 10L);
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_QUICK_EXIT, 1L);  // a slow resolver does not hold up the end
  Set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  // What of a page stays in the processor's cache until it is copied on.
  Set(easy, CURLOPT_BUFFERSIZE, 32L << 10);
}

void SetCallbacks(CURL* easy, Exchange& exchange) {
  Set(easy, CURLOPT_ERRORBUFFER, exchange.reason);
  Set(easy, CURLOPT_WRITEFUNCTION, OnBody);
  Set(easy, CURLOPT_WRITEDATA, &exchange);
  Set(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  Set(easy, CURLOPT_HEADERDATA, &exchange);
}

}  // namespace

static_assert(sizeof(Exchange::reason) >= CURL_ERROR_SIZE);

void EasyFree::operator()(void* easy) const { Curl().easy_cleanup(easy); }
void MultiFree::operator()(void* multi) const { Curl().multi_cleanup(multi); }
void ListFree::operator()(curl_slist* list) const { Curl().slist_free_all(list); }

Status PrepareExchange(void* easy, const HttpClientOptions& options, const ClientRequest& request,
                       Exchange& exchange) {
  const Result<UrlParts> url = SplitUrl(request.url);
  if (!url) return url.error();
  Curl().easy_reset(easy);
  exchange.limit = request.max_body_bytes;
  Result<List> headers = MakeHeaders(options, request);
  if (!headers) return headers.error();
  exchange.headers = *std::move(headers);
  RETURN_IF_ERROR(UseAuthentication(easy, options, exchange.headers));
  for (const auto& [name, value] : options.proxy_headers) {
    Append(exchange.proxy_headers, name + ": " + value);
  }
  UseTls(easy, options.tls);
  UseProxy(easy, options, exchange.proxy_headers);
  UseMethod(easy, request);
  std::string renamed;
  exchange.connect_to = UseServerName(easy, options.tls, request, *url, exchange.headers, renamed);
  Set(easy, CURLOPT_URL, renamed.c_str());
  Set(easy, CURLOPT_HTTPHEADER, exchange.headers.get());
  SetText(easy, CURLOPT_USERAGENT, options.user_agent);
  SetTransfer(easy, options, request);
  SetCallbacks(easy, exchange);
  return {};
}

void BeginExchange(Exchange& exchange, std::size_t expected_bytes) {
  exchange.response = {};
  exchange.too_large = false;
  exchange.expected_bytes = expected_bytes + expected_bytes / 16;
  exchange.reason[0] = '\0';
}

Result<ClientResponse> FinishExchange(void* easy, int curl_code, Exchange& exchange) {
  const auto code = static_cast<CURLcode>(curl_code);
  if (exchange.too_large) {
    return Invalid("body larger than " + std::to_string(exchange.limit) + " bytes");
  }
  if (code != CURLE_OK) {
    const bool detailed = exchange.reason[0] != '\0';
    return Error(KindOf(code), detailed ? exchange.reason : Curl().easy_strerror(code));
  }
  long status = 0;
  Curl().easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

Status CheckClientOptions(const HttpClientOptions& options) {
  RETURN_IF_ERROR(CheckVersion(options.tls.min_version));
  RETURN_IF_ERROR(CheckVersion(options.tls.max_version));
  if (!options.authorization) return {};
  if (options.basic_auth) return Invalid("both basic_auth and authorization");
  if (HasLineEnd(options.authorization->type)) return Invalid("authorization: bad type");
  return {};
}

Status CheckProxyUrl(const std::string& url) {
  if (url.empty()) return {};
  RETURN_IF_ERROR(OpenCurl());
  const std::unique_ptr<CURLU, UrlFree> parts(Curl().url());
  const CURLUcode code =
      Curl().url_set(parts.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return Invalid(std::string("proxy URL: ") + Curl().url_strerror(code));
  const std::string scheme = PartOf(parts.get(), CURLUPART_SCHEME, 0);
  if (scheme != "http" && scheme != "https" && scheme != "socks5" && scheme != "socks5h") {
    return Invalid("proxy URL: expected http, https, socks5 or socks5h, got " + Quote(scheme));
  }
  return PartOf(parts.get(), CURLUPART_HOST, 0).empty() ? Invalid("proxy URL: no host") : Status();
}

}  // namespace skep::net
