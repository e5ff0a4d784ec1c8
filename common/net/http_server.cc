#include "common/net/http_server.h"

#include <civetweb.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "common/base/file_stamp.h"
#include "common/base/number.h"
#include "common/net/accept_gate.h"
#include "common/net/gzip.h"
#include "common/net/lobby.h"
#include "common/net/openssl_shim.h"
#include "common/net/password.h"
#include "common/net/router.h"
#include "common/net/socket.h"
#include "common/net/text.h"
#include "common/net/thread_stack.h"
#include "common/net/tls_context.h"
#include "common/net/web_config.h"

namespace skep::net {
namespace {

constexpr int kMinThreads = 4;
constexpr std::size_t kGzipFrom = 1024;
constexpr std::size_t kReadStep = 64UL << 10;
constexpr std::chrono::seconds kConfigLook{1};
constexpr std::chrono::milliseconds kStopPoke{5};

// What we know of one connection; civetweb carries the pointer.
struct Connection {
  Lobby::Id id = Lobby::kNone;
  bool refused = false;  // the last request, before any handler
};

// The web configuration in force, with what was made of it.
struct WebState {
  WebConfig config;
  TlsContext tls;  // null without TLS
};

Result<std::shared_ptr<const WebState>> LoadWebState(const std::string& file) {
  auto state = std::make_shared<WebState>();
  Result<WebConfig> config = LoadWebConfig(file);
  if (!config) return config.error();
  state->config = std::move(*config);
  if (state->config.tls) {
    Result<TlsContext> tls = MakeTlsContext(*state->config.tls);
    if (!tls) return tls.error().Wrap("web configuration " + file);
    state->tls = std::move(*tls);
  }
  return std::shared_ptr<const WebState>(std::move(state));
}

// Of the web configuration and what it names.
FileStamps StampFiles(const std::string& file, const WebConfig& config) {
  std::vector<std::string> files = {file};
  if (config.tls) {
    files.insert(files.end(),
                 {config.tls->cert_file, config.tls->key_file, config.tls->client_ca_file});
  }
  return FileStamps(files);
}

// "/path?query" of "http://host/path?query"; nothing where `target` is of another form.
std::optional<std::string_view> OfAbsoluteForm(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::string_view name = target.substr(0, scheme);
  if (!EqualsIgnoringCase(name, "http") && !EqualsIgnoringCase(name, "https")) return std::nullopt;
  const std::size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

// The request's target where it is one that civetweb has no path for; else "".
std::string_view PathlessTarget(const mg_connection* connection) {
  const mg_request_info* info = mg_get_request_info(connection);
  const bool known = info->request_uri != nullptr && info->request_method != nullptr;
  return known && info->local_uri_raw == nullptr ? info->request_uri : "";
}

HttpResponse Refusal(int status, std::string text) {
  return HttpResponse::Text(status, std::move(text) + "\n");
}

bool IsForm(const HttpRequest& request) {
  std::string_view type = request.Header("Content-Type");
  return request.method == "POST" &&
         EqualsIgnoringCase(NextToken(type, ';'), "application/x-www-form-urlencoded");
}

// As civetweb decides it: the same answer must stand in our header.
bool WantsKeepAlive(const HttpRequest& request, std::string_view http_version) {
  std::string_view options = request.Header("Connection");
  if (options.empty()) return http_version == "1.1";
  while (!options.empty()) {
    if (EqualsIgnoringCase(NextToken(options, ','), "keep-alive")) return true;
  }
  return false;
}

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

bool HasBody(const HttpRequest& request) {
  return !request.Header("Transfer-Encoding").empty() || ContentLength(request) != 0;
}

// Header fields of a response are ours or a handler's; a line end in one would begin another.
void AppendField(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t begin = out.size();
  out.append(name).append(": ").append(value);
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
      [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out += "\r\n";
}

bool WriteAll(mg_connection* connection, std::string_view bytes) {
  return bytes.empty() || mg_write(connection, bytes.data(), bytes.size()) ==
                              static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
}

// mg_write counts in int.
bool WriteLarge(mg_connection* connection, std::string_view bytes) {
  constexpr std::size_t kPart = 1UL << 30;
  for (; bytes.size() > kPart; bytes.remove_prefix(kPart)) {
    if (!WriteAll(connection, bytes.substr(0, kPart))) return false;
  }
  return WriteAll(connection, bytes);
}

void InitLibrary(bool tls) {
  static std::once_flag plain;
  static std::once_flag with_tls;
  std::call_once(plain, [] { mg_init_library(0); });
  if (!tls) return;
  std::call_once(with_tls, [] {
    (void)skep_openssl_shim_ssl();
    (void)skep_openssl_shim_crypto();
    mg_init_library(MG_FEATURES_TLS);
  });
}

}  // namespace

struct HttpServer::Impl final : TlsContextSource {
  Impl(const Clock& c, Logger l) : clock(c), log(std::move(l)) {}
  ~Impl() override { CloseListeners(); }

  const Clock& clock;
  Logger log;
  Router router;
  std::map<std::string, UnreadableHandler> unreadable;  // by path
  std::function<void(const std::string& peer)> note_http2;
  HttpServerOptions options;
  int threads = 0;
  mg_context* context = nullptr;
  std::vector<int> listeners;  // ours; civetweb has duplicates
  std::vector<std::string> bound;
  TlsContext listener_tls;  // civetweb's; newer ones take over per connection
  PasswordChecker passwords;
  std::unique_ptr<Lobby> lobby;
  std::unique_ptr<AcceptGate> gate;

  std::atomic<std::uint64_t> requests{0}, handler_failures{0}, malformed{0}, too_large{0},
      unauthorized{0};
  std::atomic<bool> giving_up{false};  // Stop's grace is over: clients count as gone

  std::mutex mutex;
  std::condition_variable idle;
  int running = 0;                        // guarded by mutex: requests being answered
  bool stopping = false;                  // guarded by mutex
  std::shared_ptr<const WebState> state;  // guarded by mutex
  Clock::Steady looked{};                 // guarded by mutex

  std::mutex reload_mutex;  // held while files are read: nobody waits for it
  FileStamps stamps;        // guarded by reload_mutex: at the last look

  std::mutex gzip_mutex;
  std::vector<std::unique_ptr<GzipWriter>> gzip_writers;  // guarded by gzip_mutex: idle ones

  Status Listen();
  Status OpenLobby();
  Status StartCivetweb();
  void CloseListeners();
  std::shared_ptr<const WebState> CurrentState();
  void ReloadIfChanged(const std::shared_ptr<const WebState>& before);
  TlsContext CurrentTls() override { return CurrentState()->tls; }

  bool Enter();
  void Leave();
  void OnEnd(mg_connection* connection);
  int Answer(mg_connection* connection);
  void AnswerOtherForm(mg_connection* connection);
  HttpRequest ReadHead(mg_connection* connection, std::string_view path);
  HttpResponse RefuseMalformed(std::string text);
  HttpResponse AnswerUnreadable(HttpRequest& request, HttpResponse plain);
  HttpResponse Respond(mg_connection* connection, HttpRequest& request, const WebState& web,
                       bool& close);
  std::optional<HttpResponse> ReadBody(mg_connection* connection, HttpRequest& request);
  std::optional<HttpResponse> ReadRawBody(mg_connection* connection, HttpRequest& request);
  HttpResponse Dispatch(HttpRequest& request);
  bool IsOpen(Lobby::Id id) const;
  bool StripPrefix(std::string& path) const;
  void Send(mg_connection* connection, const HttpRequest& request, HttpResponse response,
            const WebState& web, bool close);
  void SendStream(mg_connection* connection, const HttpResponse& response, std::string head,
                  bool gzip, bool chunked);
  static Lobby::Id IdOf(const mg_connection* connection);

  std::unique_ptr<GzipWriter> TakeGzip();
  void ReturnGzip(std::unique_ptr<GzipWriter> writer);
  void StopCivetweb();
  void NoteHttp2(const mg_connection* connection);

  // civetweb's callbacks.
  static Impl& Of(const mg_connection* connection) {
    return *static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
  }
  static void OnContext(const mg_context* context);
  static int OnRequest(mg_connection* connection);
  static int OnError(mg_connection* connection, int status, const char* text);
  static int OnOpen(const mg_connection* connection, void** data);
  static void OnClose(const mg_connection* connection);
  static int OnLog(const mg_connection* connection, const char* text);
  static int OnTls(void** context, void* self);
};

// ---- start and stop ----

Status HttpServer::Impl::Listen() {
  for (const std::string& address : options.addresses) {
    const Result<std::vector<int>> opened = ListenOn(address);
    if (!opened) return opened.error();
    listeners.insert(listeners.end(), opened->begin(), opened->end());
    bound.push_back(LocalAddress(opened->back()));
  }
  return listeners.empty() ? Status(Invalid("no address to listen on")) : Status();
}

Status HttpServer::Impl::OpenLobby() {
  LobbyOptions lobby_options;
  lobby_options.threads = static_cast<std::size_t>(threads);
  lobby_options.wire = listener_tls ? Wire::kTls : Wire::kPlain;
  lobby_options.max_head_bytes = options.max_header_bytes;
  lobby_options.head_timeout = std::min(options.head_timeout, options.request_timeout);
  lobby_options.body_timeout = options.request_timeout;
  Result<std::unique_ptr<Lobby>> opened = Lobby::Open(listeners, lobby_options, log);
  if (!opened) return opened.error();
  lobby = std::move(*opened);
  return {};
}

void HttpServer::Impl::CloseListeners() {
  for (const int fd : listeners) close(fd);
  listeners.clear();
}

// Debian's civetweb is built without IPv6, names no address that failed, and gives a thread to each
// connection before it has said anything. So it gets to listen on a free loopback port, whose place
// the lobby's gate takes.
Status HttpServer::Impl::StartCivetweb() {
  const std::string listening = std::string("127.0.0.1:0") + (listener_tls ? "s" : "");
  const std::string thread_count = std::to_string(threads);
  const std::string header_bytes = std::to_string(options.max_header_bytes);
  const std::string timeout = std::to_string(options.request_timeout.count());
  const char* settings[] = {"listening_ports",
                            listening.c_str(),
                            "num_threads",
                            thread_count.c_str(),
                            "max_request_size",
                            header_bytes.c_str(),
                            "request_timeout_ms",
                            timeout.c_str(),
                            "enable_keep_alive",
                            "yes",
                            "keep_alive_timeout_ms",
                            "75000",
                            "tcp_nodelay",
                            "1",
                            "linger_timeout_ms",
                            "1000",
                            "decode_url",
                            "no",
                            "enable_auth_domain_check",
                            "no",
                            nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = OnRequest;
  callbacks.http_error = OnError;
  callbacks.init_context = OnContext;
  callbacks.init_connection = OnOpen;
  callbacks.connection_close = OnClose;  // after it civetweb forgets the pointer
  callbacks.log_message = OnLog;
  if (listener_tls) callbacks.external_ssl_ctx = OnTls;
  char text[256] = {};
  unsigned code = 0;
  mg_error_data failure{&code, text, sizeof(text)};
  mg_init_data init{&callbacks, this, settings};
  context = mg_start2(&init, &failure);
  if (context == nullptr) return Internal(std::string("HTTP server: ") + text);
  return gate != nullptr ? Status() : Status(Internal("HTTP server: no socket"));
}

// Called when civetweb listens and has no thread yet: a poll that ran already would go on looking
// at the old socket.
void HttpServer::Impl::OnContext(const mg_context* context) {
  Impl& self = *static_cast<Impl*>(mg_get_user_data(context));
  mg_server_port theirs{};
  if (mg_get_server_ports(context, 1, &theirs) != 1) return;
  const int fd = FindListener(static_cast<std::uint16_t>(theirs.port));
  if (fd < 0 || dup3(self.lobby->gate(), fd, O_CLOEXEC) < 0) return;
  self.gate = std::make_unique<AcceptGate>(
      fd, [&self](sockaddr_in& name) { return self.lobby->Take(name); });
}

// civetweb looks at its stop flag every 2 s while it waits for a connection or for the next request
// of one; what the lobby ends makes it look at once.
void HttpServer::Impl::StopCivetweb() {
  std::atomic<bool> stopped{false};
  std::jthread poker([&] {
    while (!stopped) {
      lobby->EndAll();
      std::this_thread::sleep_for(kStopPoke);
    }
  });
  mg_stop(context);
  stopped = true;
  gate.reset();
  context = nullptr;
}

bool HttpServer::Impl::Enter() {
  const std::lock_guard lock(mutex);
  ++running;
  return !stopping;
}

void HttpServer::Impl::Leave() {
  const std::lock_guard lock(mutex);
  if (--running == 0) idle.notify_all();
}

std::shared_ptr<const WebState> HttpServer::Impl::CurrentState() {
  const auto state_in_force = [&] {
    const std::lock_guard lock(mutex);
    return state;
  };
  {
    const std::lock_guard lock(mutex);
    if (options.web_config_file.empty() || clock.SteadyNow() - looked < kConfigLook) return state;
    looked = clock.SteadyNow();
  }
  // The first request of each second looks; meanwhile the others go on with what is in force.
  const std::unique_lock reload(reload_mutex, std::try_to_lock);
  if (reload) ReloadIfChanged(state_in_force());
  return state_in_force();
}

// Requires: reload_mutex is held.
void HttpServer::Impl::ReloadIfChanged(const std::shared_ptr<const WebState>& before) {
  FileStamps now = StampFiles(options.web_config_file, before->config);
  if (now.SameAs(stamps)) return;
  stamps = std::move(now);
  Result<std::shared_ptr<const WebState>> next = LoadWebState(options.web_config_file);
  if (!next) {
    log.Error("web configuration not reloaded, the old one stays", {{"err", next.error()}});
    return;
  }
  if (((*next)->tls == nullptr) != (before->tls == nullptr)) {
    log.Error("web configuration not reloaded: TLS can be turned on and off at a start only");
    return;
  }
  stamps = StampFiles(options.web_config_file, (*next)->config);
  {
    const std::lock_guard lock(mutex);
    state = *next;
  }
  log.Info("web configuration reloaded");
}

// ---- one request ----

int HttpServer::Impl::OnRequest(mg_connection* connection) {
  Impl& self = Of(connection);
  const bool open = self.Enter();
  struct Leaver {
    Impl& owner;
    const Lobby::Id id;
    ~Leaver() {
      owner.lobby->Idle(id);
      owner.Leave();
    }
  } leaver{self, IdOf(connection)};
  self.lobby->Working(leaver.id);
  if (!open) {
    mg_disable_connection_keep_alive(connection);
    WriteAll(connection,
             "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return 503;
  }
  try {
    return self.Answer(connection);
  } catch (const std::exception& failure) {
    self.log.Error("HTTP request", {{"err", failure.what()}});
  }
  mg_disable_connection_keep_alive(connection);
  return 500;
}

// The last of a connection, whose socket is still open.
void HttpServer::Impl::OnEnd(mg_connection* connection) {
  const bool open = Enter();
  try {
    if (open) AnswerOtherForm(connection);
  } catch (const std::exception& failure) {
    log.Error("HTTP request", {{"err", failure.what()}});
  }
  Leave();
}

int HttpServer::Impl::Answer(mg_connection* connection) {
  requests.fetch_add(1, std::memory_order_relaxed);
  const std::shared_ptr<const WebState> web = CurrentState();
  const mg_request_info* info = mg_get_request_info(connection);
  HttpRequest request =
      ReadHead(connection, info->local_uri_raw == nullptr ? "" : info->local_uri_raw);
  const std::string_view version = info->http_version == nullptr ? "" : info->http_version;
  // A thread waits with each connection that is kept: half of them stay free for new ones.
  const auto kept = static_cast<std::size_t>(threads) / 2;
  bool close = !WantsKeepAlive(request, version) || lobby->counts().given_out > kept;
  HttpResponse response = Respond(connection, request, *web, close);
  const int status = response.status;
  lobby->Sending(IdOf(connection));
  if (close || (response.stream && version != "1.1")) {
    close = true;
    mg_disable_connection_keep_alive(connection);
  }
  Send(connection, request, std::move(response), *web, close);
  return status;
}

// civetweb knows no path for "*" and for a target in absolute form: it calls no handler and ends
// the connection. Here, at that end, such a request is answered; one with a body cannot be read any
// more.
void HttpServer::Impl::AnswerOtherForm(mg_connection* connection) {
  const auto* known = static_cast<Connection*>(mg_get_user_connection_data(connection));
  const std::string_view target = PathlessTarget(connection);
  const std::optional<std::string_view> path = OfAbsoluteForm(target);
  if (known == nullptr || known->refused || (!path && target != "*")) return;
  requests.fetch_add(1, std::memory_order_relaxed);
  const std::shared_ptr<const WebState> web = CurrentState();
  HttpRequest request = ReadHead(connection, path ? path->substr(0, path->find('?')) : "*");
  // Not split off yet by civetweb.
  if (path && path->find('?') != std::string_view::npos) {
    request.query = path->substr(path->find('?') + 1);
  }
  bool close = true;
  HttpResponse response = HttpResponse::Text(200, "");
  if (path && HasBody(request)) {
    response = RefuseMalformed("absolute form with a body");
  } else if (path || request.method != "OPTIONS") {
    response = Respond(connection, request, *web, close);
  }
  Send(connection, request, std::move(response), *web, close);
}

HttpRequest HttpServer::Impl::ReadHead(mg_connection* connection, std::string_view path) {
  const mg_request_info* info = mg_get_request_info(connection);
  HttpRequest request;
  request.method = info->request_method;
  request.path = DecodePercent(path, false);
  if (info->query_string != nullptr) request.query = info->query_string;
  for (int i = 0; i < info->num_headers; ++i) {
    request.headers.emplace_back(info->http_headers[i].name, info->http_headers[i].value);
  }
  const Lobby::Id id = IdOf(connection);
  request.remote_address = lobby->Peer(id);
  request.client_gone = [this, id] { return giving_up || !IsOpen(id); };
  return request;
}

HttpResponse HttpServer::Impl::Respond(mg_connection* connection, HttpRequest& request,
                                       const WebState& web, bool& close) {
  if (!web.config.users.empty()) {
    std::optional<std::string> user =
        passwords.Check(web.config.users, request.Header("Authorization"));
    if (!user) {
      unauthorized.fetch_add(1, std::memory_order_relaxed);
      close = close || HasBody(request);
      HttpResponse refusal = Refusal(401, "Unauthorized");
      refusal.headers.emplace_back("WWW-Authenticate", "Basic");
      return refusal;
    }
    request.user = std::move(*user);
  }
  if (std::optional<HttpResponse> refusal = ReadBody(connection, request)) {
    close = true;
    request.body.clear();
    return AnswerUnreadable(request, std::move(*refusal));
  }
  if (IsForm(request)) request.parameters = ParseParameters(request.body);
  Parameters of_query = ParseParameters(request.query);
  std::move(of_query.begin(), of_query.end(), std::back_inserter(request.parameters));
  return Dispatch(request);
}

HttpResponse HttpServer::Impl::AnswerUnreadable(HttpRequest& request, HttpResponse plain) {
  if (!StripPrefix(request.path)) return plain;
  const auto found = unreadable.find(request.path);
  const bool is_known = router.Find(request.method, request.path).handler != nullptr;
  return found == unreadable.end() || !is_known ? plain : found->second(request, std::move(plain));
}

// Nothing: the body is in `request`. Otherwise what to answer; the connection cannot be kept then.
std::optional<HttpResponse> HttpServer::Impl::ReadBody(mg_connection* connection,
                                                       HttpRequest& request) {
  if (!HasBody(request)) return std::nullopt;
  if (std::optional<HttpResponse> refusal = ReadRawBody(connection, request)) return refusal;
  if (!EqualsIgnoringCase(request.Header("Content-Encoding"), "gzip")) return std::nullopt;
  Result<std::string> text = Gunzip(request.body, options.max_body_bytes);
  if (text) {
    request.body = std::move(*text);
    return std::nullopt;
  }
  const bool too_long = text.error().message().starts_with("body larger");
  if (!too_long) return RefuseMalformed(text.error().message());
  too_large.fetch_add(1, std::memory_order_relaxed);
  return Refusal(413, text.error().message());
}

std::optional<HttpResponse> HttpServer::Impl::ReadRawBody(mg_connection* connection,
                                                          HttpRequest& request) {
  const auto refuse_size = [&] {
    too_large.fetch_add(1, std::memory_order_relaxed);
    return Refusal(413, "body larger than " + std::to_string(options.max_body_bytes) + " bytes");
  };
  const bool chunked = !request.Header("Transfer-Encoding").empty();
  const std::string_view length_text = request.Header("Content-Length");
  if (chunked && !length_text.empty()) return RefuseMalformed("both length and transfer encoding");
  const std::optional<std::uint64_t> given = ContentLength(request);
  if (!given) return RefuseMalformed("Content-Length is not a number");
  const std::uint64_t length = *given;
  if (length > options.max_body_bytes) return refuse_size();
  if (EqualsIgnoringCase(request.Header("Expect"), "100-continue")) {
    WriteAll(connection, "HTTP/1.1 100 Continue\r\n\r\n");
  }
  const Lobby::Id id = IdOf(connection);
  lobby->ReadingBody(id);
  std::string& body = request.body;
  while (chunked || body.size() < length) {
    const std::size_t old = body.size();
    const std::size_t step = chunked ? kReadStep : std::min(kReadStep, length - old);
    body.resize(old + step);
    const int got = mg_read(connection, body.data() + old, step);
    body.resize(old + static_cast<std::size_t>(std::max(got, 0)));
    lobby->BodyArrived(id, body.size() - old);
    if (body.size() > options.max_body_bytes) return refuse_size();
    if (got < 0 && chunked && IsOpen(id)) return RefuseMalformed("a chunk cannot be read");
    if (got < 0 || (got == 0 && !chunked)) return Refusal(408, "request body did not arrive");
    if (got == 0) break;
  }
  lobby->Working(id);
  return std::nullopt;
}

// Neither has the client gone nor have we ended its sending.
bool HttpServer::Impl::IsOpen(Lobby::Id id) const {
  pollfd peer{lobby->Descriptor(id), POLLRDHUP, 0};
  return peer.fd >= 0 && poll(&peer, 1, 0) == 0;
}

HttpResponse HttpServer::Impl::RefuseMalformed(std::string text) {
  malformed.fetch_add(1, std::memory_order_relaxed);
  return Refusal(400, std::move(text));
}

bool HttpServer::Impl::StripPrefix(std::string& path) const {
  std::string_view prefix = options.route_prefix;
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (prefix.empty()) return true;
  if (!path.starts_with(prefix)) return false;
  path.erase(0, prefix.size());
  if (path.empty()) path = "/";
  return path.front() == '/';
}

HttpResponse HttpServer::Impl::Dispatch(HttpRequest& request) {
  const Router::Found found =
      StripPrefix(request.path) ? router.Find(request.method, request.path) : Router::Found{};
  if (found.handler == nullptr && found.allow.empty()) return Refusal(404, "404 page not found");
  if (found.handler == nullptr) {
    HttpResponse refusal = Refusal(405, "Method Not Allowed");
    refusal.headers.emplace_back("Allow", found.allow);
    return refusal;
  }
  std::string problem = "unknown exception";
  try {
    return (*found.handler)(request);
  } catch (const std::exception& failure) {
    problem = failure.what();
  } catch (...) {  // NOLINT: whatever a handler throws ends here
  }
  handler_failures.fetch_add(1, std::memory_order_relaxed);
  log.Error("HTTP handler failed", {{"path", request.path}, {"err", problem}});
  return Refusal(500, "Internal Server Error");
}

void HttpServer::Impl::Send(mg_connection* connection, const HttpRequest& request,
                            HttpResponse response, const WebState& web, bool close) {
  const bool encoded = !FindHeader(response.headers, "Content-Encoding").empty();
  const bool worth = response.stream || response.body.size() >= kGzipFrom;
  const bool gzip = worth && !encoded && AcceptsGzip(request.Header("Accept-Encoding"));
  const bool no_body = response.status == 204 || response.status == 304;
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                     mg_get_response_code_text(connection, response.status) + "\r\n";
  if (!no_body) AppendField(head, "Content-Type", response.content_type);
  for (const auto& [name, value] : web.config.headers) AppendField(head, name, value);
  for (const auto& [name, value] : response.headers) AppendField(head, name, value);
  if (worth && !encoded) AppendField(head, "Vary", "Accept-Encoding");
  if (gzip) AppendField(head, "Content-Encoding", "gzip");
  AppendField(head, "Connection", close ? "close" : "keep-alive");
  if (response.stream) {
    if (!close || request.method == "HEAD") AppendField(head, "Transfer-Encoding", "chunked");
    head += "\r\n";
    if (request.method == "HEAD") {
      WriteAll(connection, head);
    } else {
      SendStream(connection, response, std::move(head), gzip, !close);
    }
    return;
  }
  if (gzip) {
    std::unique_ptr<GzipWriter> writer = TakeGzip();
    std::string packed;
    writer->Finish(response.body, packed);
    response.body = std::move(packed);
    ReturnGzip(std::move(writer));
  }
  if (!no_body) AppendField(head, "Content-Length", std::to_string(response.body.size()));
  head += "\r\n";
  if (request.method == "HEAD" || no_body) response.body.clear();
  // One write for what is small; a large body is not copied behind its head.
  if (response.body.size() < kReadStep) {
    WriteAll(connection, head + response.body);
  } else if (WriteAll(connection, head)) {
    WriteLarge(connection, response.body);
  }
}

void HttpServer::Impl::SendStream(mg_connection* connection, const HttpResponse& response,
                                  std::string head, bool gzip, bool chunked) {
  constexpr char kHex[] = "0123456789abcdef";
  std::unique_ptr<GzipWriter> writer = gzip ? TakeGzip() : nullptr;
  std::string packed;
  bool open = true;
  const auto send = [&](std::string_view bytes) {
    if (!open || bytes.empty()) return open;
    if (chunked) {
      for (int shift = 28; shift >= 0; shift -= 4)
        head.push_back(kHex[(bytes.size() >> shift) & 15]);
      head += "\r\n";
    }
    head += bytes;
    if (chunked) head += "\r\n";
    open = WriteAll(connection, head);
    head.clear();
    return open;
  };
  response.stream([&](std::string_view piece) {
    if (giving_up) open = false;
    if (writer == nullptr || piece.empty()) return send(piece);
    packed.clear();
    writer->Flush(piece, packed);
    return send(packed);
  });
  if (writer != nullptr) {
    packed.clear();
    writer->Finish("", packed);
    send(packed);
    ReturnGzip(std::move(writer));
  }
  if (chunked) head += "0\r\n\r\n";
  if (open) WriteAll(connection, head);
}

// civetweb shows the name that the lobby has given the connection as its peer's address; before the
// first request of a thread it shows nothing.
Lobby::Id HttpServer::Impl::IdOf(const mg_connection* connection) {
  auto* const known = static_cast<Connection*>(mg_get_user_connection_data(connection));
  if (known != nullptr && known->id != Lobby::kNone) return known->id;
  const mg_request_info* const info = mg_get_request_info(connection);
  const Lobby::Id id = info == nullptr ? Lobby::kNone : Lobby::IdOf(info->remote_addr);
  if (known != nullptr) known->id = id;
  return id;
}

std::unique_ptr<GzipWriter> HttpServer::Impl::TakeGzip() {
  {
    const std::lock_guard lock(gzip_mutex);
    if (!gzip_writers.empty()) {
      std::unique_ptr<GzipWriter> writer = std::move(gzip_writers.back());
      gzip_writers.pop_back();
      writer->Reset();
      return writer;
    }
  }
  return std::make_unique<GzipWriter>();
}

void HttpServer::Impl::ReturnGzip(std::unique_ptr<GzipWriter> writer) {
  const std::lock_guard lock(gzip_mutex);
  if (gzip_writers.size() < 2) gzip_writers.push_back(std::move(writer));
}

// ---- civetweb's other callbacks ----

// HTTP/2 begins with "PRI * HTTP/2.0", which civetweb reads as a request line that it does not
// like.
void HttpServer::Impl::NoteHttp2(const mg_connection* connection) {
  const mg_request_info* const info = mg_get_request_info(connection);
  const auto is = [](const char* text, std::string_view wanted) {
    return text != nullptr && text == wanted;
  };
  if (!note_http2 || info == nullptr || !is(info->request_method, "PRI")) return;
  if (!is(info->request_uri, "*") || !is(info->http_version, "2.0")) return;
  note_http2(lobby->Peer(IdOf(connection)));
}

// Errors before a request could be understood: garbage, a header that is too long, a timeout.
int HttpServer::Impl::OnError(mg_connection* connection, int status, const char*) {
  Impl& self = Of(connection);
  if (OfAbsoluteForm(PathlessTarget(connection))) return 0;  // "http://host": answered at the end
  // civetweb answers 400 to a head over its limit, as to one that it does not understand, and 411
  // to a length that is no number.
  const bool long_head =
      status == 413 || (status == 400 && ReceivedBytes(self.lobby->Descriptor(IdOf(connection))) >=
                                             self.options.max_header_bytes);
  if (long_head) status = 431;
  if (status == 411) status = 400;
  if (status != 408) {
    (long_head ? self.too_large : self.malformed).fetch_add(1, std::memory_order_relaxed);
  }
  self.NoteHttp2(connection);
  auto* known = static_cast<Connection*>(mg_get_user_connection_data(connection));
  if (known != nullptr) known->refused = true;
  mg_disable_connection_keep_alive(connection);
  const std::string reason = mg_get_response_code_text(connection, status);
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " " + reason + "\r\n";
  AppendField(answer, "Content-Type", "text/plain; charset=utf-8");
  AppendField(answer, "Content-Length", std::to_string(reason.size() + 1));
  AppendField(answer, "Connection", "close");
  WriteAll(connection, answer + "\r\n" + reason + "\n");
  return 0;
}

int HttpServer::Impl::OnOpen(const mg_connection*, void** data) {
  *data = new Connection;
  return 0;
}

void HttpServer::Impl::OnClose(const mg_connection* connection) {
  Impl& self = Of(connection);
  const Lobby::Id id = IdOf(connection);
  auto* known = static_cast<Connection*>(mg_get_user_connection_data(connection));
  if (known != nullptr) self.OnEnd(const_cast<mg_connection*>(connection));
  mg_set_user_connection_data(connection, nullptr);
  delete known;
  self.lobby->Closed(id);
}

int HttpServer::Impl::OnLog(const mg_connection* connection, const char* text) {
  if (connection != nullptr && mg_get_context(connection) != nullptr) {
    Of(connection).log.Debug("civetweb", {{"msg", text}});
  }
  return 1;
}

// Called for making the context and again for freeing it: both are ours.
int HttpServer::Impl::OnTls(void** context, void* self) {
  auto& impl = *static_cast<Impl*>(self);
  if (*context == nullptr) *context = impl.listener_tls.get();
  return 1;
}

// ---- the interface ----

HttpServer::HttpServer(const Clock& clock, Logger log)
    : impl_(std::make_unique<Impl>(clock, std::move(log))) {}

HttpServer::~HttpServer() { Stop(std::chrono::milliseconds{0}); }

void HttpServer::Handle(std::vector<std::string> methods, std::string path, HttpHandler handler) {
  impl_->router.Add(std::move(methods), std::move(path), std::move(handler));
}

void HttpServer::OnUnreadable(std::string path, UnreadableHandler answer) {
  impl_->unreadable.insert_or_assign(std::move(path), std::move(answer));
}

void HttpServer::OnHttp2(std::function<void(const std::string& peer)> note) {
  impl_->note_http2 = std::move(note);
}

Status HttpServer::Start(const HttpServerOptions& options) {
  EnsureThreadStacks();
  impl_->options = options;
  impl_->threads = std::max(options.max_connections, kMinThreads);
  if (options.max_connections > kMostConnections) {
    return Invalid("at most " + std::to_string(kMostConnections) +
                   " connections can be open at once, as each has a thread; wanted " +
                   std::to_string(options.max_connections));
  }
  Result<std::shared_ptr<const WebState>> state = LoadWebState(options.web_config_file);
  if (!state) return state.error();
  impl_->state = *state;
  impl_->stamps = StampFiles(options.web_config_file, impl_->state->config);
  impl_->looked = impl_->clock.SteadyNow();
  impl_->listener_tls = impl_->state->tls;
  if (impl_->listener_tls) FollowTlsContext(impl_->listener_tls.get(), *impl_);
  InitLibrary(impl_->listener_tls != nullptr);
  RETURN_IF_ERROR(impl_->Listen());
  RETURN_IF_ERROR(impl_->OpenLobby());
  return impl_->StartCivetweb();
}

std::vector<std::string> HttpServer::addresses() const { return impl_->bound; }

std::string_view HttpServer::scheme() const { return impl_->listener_tls ? "https" : "http"; }

void HttpServer::Stop(std::chrono::milliseconds grace) {
  if (impl_->context == nullptr) return;
  {
    std::unique_lock lock(impl_->mutex);
    impl_->stopping = true;
    impl_->idle.wait_for(lock, grace, [&] { return impl_->running == 0; });
  }
  impl_->giving_up = true;
  impl_->StopCivetweb();
  impl_->lobby.reset();
  impl_->CloseListeners();
}

std::vector<HttpServer::Counts::Named> HttpServer::Counts::List() const {
  constexpr std::string_view kRefused = "http_server_requests_refused_total";
  constexpr std::string_view kRefusedHelp =
      "Requests that the web server refused before any handler saw them.";
  constexpr std::string_view kEnded = "http_server_connections_ended_total";
  constexpr std::string_view kEndedHelp =
      "Connections that the web server ended since their client was slow, or slow while others "
      "waited.";
  return {{"http_server_requests_total", "Requests that the web server understood.", "", requests},
          {"http_server_handler_failures_total",
           "Requests answered with 500 because their handler failed.", "", handler_failures},
          {kRefused, kRefusedHelp, "malformed", refused_malformed},
          {kRefused, kRefusedHelp, "too_large", refused_too_large},
          {kRefused, kRefusedHelp, "unauthorized", refused_unauthorized},
          {kEnded, kEndedHelp, "crowded", ended_crowded},
          {kEnded, kEndedHelp, "timeout", ended_timeout},
          {"http_server_connections", "Connections that are open.", "", connections}};
}

HttpServer::Counts HttpServer::counts() const {
  const Lobby::Counts lobby = impl_->lobby ? impl_->lobby->counts() : Lobby::Counts{};
  Counts counts;
  counts.requests = impl_->requests;
  counts.handler_failures = impl_->handler_failures;
  counts.refused_malformed = impl_->malformed;
  counts.refused_too_large = impl_->too_large;
  counts.refused_unauthorized = impl_->unauthorized;
  counts.ended_crowded = lobby.crowded_out;
  counts.ended_timeout = lobby.timed_out;
  counts.connections = lobby.waiting + lobby.given_out;
  return counts;
}

}  // namespace skep::net
