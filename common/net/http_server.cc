#include "common/net/http_server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "common/net/civetweb_server.h"
#include "common/net/connection.h"
#include "common/net/dispatcher.h"
#include "common/net/live_web_config.h"
#include "common/net/lobby.h"
#include "common/net/password.h"
#include "common/net/request_reader.h"
#include "common/net/response_writer.h"
#include "common/net/server_counters.h"
#include "common/net/socket.h"
#include "common/net/thread_stack.h"

namespace skep::net {
namespace {

constexpr int kMinThreads = 4;

// The open sockets that a server listens on.
struct Listeners {
  Listeners() = default;
  ~Listeners() { Close(); }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  Status Open(const std::vector<std::string>& addresses);
  void Close();

  std::vector<int> fds;
  std::vector<std::string> bound;  // as addresses() has them, also after Close
};

Status Listeners::Open(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    const Result<std::vector<int>> opened = ListenOn(address);
    if (!opened) return opened.error();
    fds.insert(fds.end(), opened->begin(), opened->end());
    bound.push_back(LocalAddress(opened->back()));
  }
  return fds.empty() ? Status(Invalid("no address to listen on")) : Status();
}

void Listeners::Close() {
  for (const int fd : fds) close(fd);
  fds.clear();
}

}  // namespace

struct HttpServer::Impl final : ConnectionHandler {
  Impl(const Clock& clock, Logger l)
      : log(std::move(l)), web(clock, log), dispatcher(counters, log), writer(giving_up) {}

  Status Start(const HttpServerOptions& wanted);
  void Stop(std::chrono::milliseconds grace);

  int OnRequest(mg_connection* connection) override;
  void OnError(mg_connection* connection, int status) override;
  void OnEnd(mg_connection* connection) override;

  const Logger log;
  HttpServerOptions options;
  int threads = 0;
  ServerCounters counters;
  std::atomic<bool> giving_up{false};  // Stop's grace is over: clients count as gone
  std::function<void(const std::string& peer)> note_http2;
  Listeners listeners;
  LiveWebConfig web;
  TlsContext listener_tls;  // civetweb's; newer ones take over per connection
  PasswordChecker passwords;
  Dispatcher dispatcher;
  ResponseWriter writer;
  std::unique_ptr<Lobby> lobby;  // these three from Start on
  std::optional<RequestReader> reader;
  std::unique_ptr<CivetwebServer> civetweb;

  std::mutex mutex;
  std::condition_variable idle;
  int running = 0;        // guarded by mutex: requests being answered
  bool stopping = false;  // guarded by mutex

 private:
  Status OpenLobby();
  bool Enter();
  void Leave();
  int Answer(mg_connection* connection);
  void AnswerOtherForm(mg_connection* connection);
  Reply Respond(mg_connection* connection, HttpRequest& request, const WebState& state);
  std::optional<HttpResponse> RefuseStranger(HttpRequest& request, const WebConfig& config);
  bool CanKeep(const HttpRequest& request, std::string_view http_version) const;
  bool IsLongHead(const mg_connection* connection, int status) const;
  void NoteHttp2(const mg_connection* connection) const;
};

// ---- start and stop ----

Status HttpServer::Impl::Start(const HttpServerOptions& wanted) {
  options = wanted;
  threads = std::max(options.max_connections, kMinThreads);
  if (options.max_connections > kMostConnections) {
    return Invalid("at most " + std::to_string(kMostConnections) +
                   " connections can be open at once, as each has a thread; wanted " +
                   std::to_string(options.max_connections));
  }
  dispatcher.SetPrefix(options.route_prefix);
  RETURN_IF_ERROR(web.Open(options.web_config_file));
  listener_tls = web.Current()->tls;
  if (listener_tls) FollowTlsContext(listener_tls.get(), web);
  RETURN_IF_ERROR(listeners.Open(options.addresses));
  RETURN_IF_ERROR(OpenLobby());
  reader.emplace(options, *lobby, counters, giving_up);
  const CivetwebOptions theirs{threads, options.max_header_bytes, options.request_timeout,
                               listener_tls.get()};
  Result<std::unique_ptr<CivetwebServer>> started =
      CivetwebServer::Start(theirs, *lobby, *this, log);
  if (!started) return started.error();
  civetweb = std::move(*started);
  return {};
}

Status HttpServer::Impl::OpenLobby() {
  LobbyOptions lobby_options;
  lobby_options.threads = static_cast<std::size_t>(threads);
  lobby_options.wire = listener_tls ? Wire::kTls : Wire::kPlain;
  lobby_options.max_head_bytes = options.max_header_bytes;
  lobby_options.head_timeout = std::min(options.head_timeout, options.request_timeout);
  lobby_options.body_timeout = options.request_timeout;
  lobby_options.send_patience = options.send_patience;
  Result<std::unique_ptr<Lobby>> opened = Lobby::Open(listeners.fds, lobby_options, log);
  if (!opened) return opened.error();
  lobby = std::move(*opened);
  return {};
}

void HttpServer::Impl::Stop(std::chrono::milliseconds grace) {
  if (civetweb == nullptr) return;
  {
    std::unique_lock lock(mutex);
    stopping = true;
    idle.wait_for(lock, grace, [&] { return running == 0; });
  }
  giving_up = true;
  civetweb.reset();
  lobby.reset();
  listeners.Close();
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

// ---- what civetweb asks for ----

int HttpServer::Impl::OnRequest(mg_connection* connection) {
  const bool open = Enter();
  struct Leaver {
    Impl& owner;
    const Lobby::Id id;
    ~Leaver() {
      owner.lobby->Idle(id);
      owner.Leave();
    }
  } leaver{*this, IdOf(connection)};
  lobby->Working(leaver.id);
  if (!open) {
    CloseAfterAnswer(connection);
    (void)WriteAll(
        connection,
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return 503;
  }
  try {
    return Answer(connection);
  } catch (const std::exception& failure) {
    log.Error("HTTP request", {{"err", failure.what()}});
  }
  CloseAfterAnswer(connection);
  return 500;
}

void HttpServer::Impl::OnEnd(mg_connection* connection) {
  const bool open = Enter();
  try {
    if (open) AnswerOtherForm(connection);
  } catch (const std::exception& failure) {
    log.Error("HTTP request", {{"err", failure.what()}});
  }
  Leave();
}

void HttpServer::Impl::OnError(mg_connection* connection, int status) {
  if (PathlessTargetOf(connection).of_absolute) return;  // answered at the end
  const bool long_head = IsLongHead(connection, status);
  if (long_head) status = 431;
  if (status == 411) status = 400;  // civetweb's for a length that is no number
  if (status != 408) CountOne(long_head ? counters.too_large : counters.malformed);
  NoteHttp2(connection);
  if (Connection* const known = KnownOf(connection); known != nullptr) known->refused = true;
  CloseAfterAnswer(connection);
  const std::string reason(ReasonOf(connection, status));
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " " + reason + "\r\n";
  AppendField(answer, "Content-Type", "text/plain; charset=utf-8");
  AppendField(answer, "Content-Length", std::to_string(reason.size() + 1));
  AppendField(answer, "Connection", "close");
  (void)WriteAll(connection, answer + "\r\n" + reason + "\n");
}

// civetweb answers 400 to a head over its limit, as to one that it does not understand.
bool HttpServer::Impl::IsLongHead(const mg_connection* connection, int status) const {
  if (status != 400) return status == 413;
  return ReceivedBytes(lobby->Descriptor(IdOf(connection))) >= options.max_header_bytes;
}

void HttpServer::Impl::NoteHttp2(const mg_connection* connection) const {
  if (note_http2 && IsHttp2Preface(connection)) note_http2(lobby->Peer(IdOf(connection)));
}

// ---- one request ----

// A thread waits with each connection that is kept: half of them stay free for new ones.
bool HttpServer::Impl::CanKeep(const HttpRequest& request, std::string_view http_version) const {
  return WantsKeepAlive(request, http_version) &&
         lobby->counts().given_out <= static_cast<std::size_t>(threads) / 2;
}

int HttpServer::Impl::Answer(mg_connection* connection) {
  CountOne(counters.requests);
  const std::shared_ptr<const WebState> state = web.Current();
  HttpRequest request = reader->ReadHead(connection, PathOf(connection));
  const std::string_view version = VersionOf(connection);
  const bool keep = CanKeep(request, version);
  Reply reply = Respond(connection, request, *state);
  const int status = reply.response.status;
  lobby->Sending(IdOf(connection));
  if (!keep || (reply.response.stream && version != "1.1")) reply.after = AfterAnswer::kClose;
  if (reply.after == AfterAnswer::kClose) CloseAfterAnswer(connection);
  writer.Send(connection, request, std::move(reply), state->config.headers);
  return status;
}

// civetweb calls no handler for "*" and for a target in absolute form: it ends the connection. At
// that end such a request is answered; one with a body cannot be read any more.
void HttpServer::Impl::AnswerOtherForm(mg_connection* connection) {
  const Connection* const known = KnownOf(connection);
  const auto [target, path] = PathlessTargetOf(connection);
  if (known == nullptr || known->refused || (!path && target != "*")) return;
  CountOne(counters.requests);
  const std::shared_ptr<const WebState> state = web.Current();
  HttpRequest request = reader->ReadHead(connection, path ? path->substr(0, path->find('?')) : "*");
  // Not split off yet by civetweb.
  if (path && path->find('?') != std::string_view::npos) {
    request.query = path->substr(path->find('?') + 1);
  }
  Reply reply{HttpResponse::Text(200, "")};
  if (path && HasBody(request)) {
    reply.response = reader->RefuseMalformed("absolute form with a body");
  } else if (path || request.method != "OPTIONS") {
    reply = Respond(connection, request, *state);
  }
  reply.after = AfterAnswer::kClose;
  writer.Send(connection, request, std::move(reply), state->config.headers);
}

Reply HttpServer::Impl::Respond(mg_connection* connection, HttpRequest& request,
                                const WebState& state) {
  if (std::optional<HttpResponse> refusal = RefuseStranger(request, state.config)) {
    return {std::move(*refusal), HasBody(request) ? AfterAnswer::kClose : AfterAnswer::kKeep};
  }
  if (std::optional<HttpResponse> refusal = reader->ReadBody(connection, request)) {
    request.body.clear();
    return {dispatcher.AnswerUnreadable(request, std::move(*refusal)), AfterAnswer::kClose};
  }
  if (IsForm(request)) request.parameters = ParseParameters(request.body);
  Parameters of_query = ParseParameters(request.query);
  std::move(of_query.begin(), of_query.end(), std::back_inserter(request.parameters));
  return {dispatcher.Answer(request), AfterAnswer::kKeep};
}

// Nothing: the client may ask, and is named in `request` where the configuration knows users.
std::optional<HttpResponse> HttpServer::Impl::RefuseStranger(HttpRequest& request,
                                                             const WebConfig& config) {
  if (config.users.empty()) return std::nullopt;
  std::optional<std::string> user = passwords.Check(config.users, request.Header("Authorization"));
  if (user) {
    request.user = std::move(*user);
    return std::nullopt;
  }
  CountOne(counters.unauthorized);
  HttpResponse refusal = Refusal(401, "Unauthorized");
  refusal.headers.emplace_back("WWW-Authenticate", "Basic");
  return refusal;
}

// ---- the interface ----

HttpServer::HttpServer(const Clock& clock, Logger log)
    : impl_(std::make_unique<Impl>(clock, std::move(log))) {}

HttpServer::~HttpServer() { Stop(std::chrono::milliseconds{0}); }

void HttpServer::Handle(std::vector<std::string> methods, std::string path, HttpHandler handler) {
  impl_->dispatcher.Handle(std::move(methods), std::move(path), std::move(handler));
}

void HttpServer::OnUnreadable(std::string path, UnreadableHandler answer) {
  impl_->dispatcher.OnUnreadable(std::move(path), std::move(answer));
}

void HttpServer::OnHttp2(std::function<void(const std::string& peer)> note) {
  impl_->note_http2 = std::move(note);
}

Status HttpServer::Start(const HttpServerOptions& options) {
  EnsureThreadStacks();
  return impl_->Start(options);
}

std::vector<std::string> HttpServer::addresses() const { return impl_->listeners.bound; }

std::string_view HttpServer::scheme() const { return impl_->listener_tls ? "https" : "http"; }

void HttpServer::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }

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
  counts.requests = impl_->counters.requests;
  counts.handler_failures = impl_->counters.handler_failures;
  counts.refused_malformed = impl_->counters.malformed;
  counts.refused_too_large = impl_->counters.too_large;
  counts.refused_unauthorized = impl_->counters.unauthorized;
  counts.ended_crowded = lobby.crowded_out;
  counts.ended_timeout = lobby.timed_out;
  counts.connections = lobby.waiting + lobby.given_out;
  return counts;
}

}  // namespace skep::net
