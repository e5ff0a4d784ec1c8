#include "common/net/civetweb_server.h"

#include <civetweb.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "common/net/connection.h"
#include "common/net/openssl_shim.h"
#include "common/net/socket.h"

namespace skep::net {
namespace {

constexpr std::chrono::milliseconds kStopPoke{5};

void InitLibrary(const ssl_ctx_st* tls) {
  static std::once_flag plain;
  static std::once_flag with_tls;
  std::call_once(plain, [] { mg_init_library(0); });
  if (tls == nullptr) return;
  std::call_once(with_tls, [] {
    (void)skep_openssl_shim_ssl();
    (void)skep_openssl_shim_crypto();
    mg_init_library(MG_FEATURES_TLS);
  });
}

}  // namespace

CivetwebServer::CivetwebServer(const CivetwebOptions& options, Lobby& lobby,
                               ConnectionHandler& handler, Logger log)
    : options_(options), lobby_(lobby), handler_(handler), log_(std::move(log)) {}

Result<std::unique_ptr<CivetwebServer>> CivetwebServer::Start(const CivetwebOptions& options,
                                                              Lobby& lobby,
                                                              ConnectionHandler& handler,
                                                              Logger log) {
  InitLibrary(options.tls);
  std::unique_ptr<CivetwebServer> server(
      new CivetwebServer(options, lobby, handler, std::move(log)));
  RETURN_IF_ERROR(server->Listen());
  return server;
}

// Debian's civetweb is built without IPv6, names no address that failed, and gives a thread to each
// connection before it has said anything. So it gets to listen on a free loopback port, whose place
// the lobby's gate takes.
Status CivetwebServer::Listen() {
  const std::string listening = std::string("127.0.0.1:0") + (options_.tls != nullptr ? "s" : "");
  const std::string thread_count = std::to_string(options_.threads);
  const std::string header_bytes = std::to_string(options_.max_header_bytes);
  const std::string timeout = std::to_string(options_.request_timeout.count());
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
  const mg_callbacks callbacks = Callbacks();
  char text[256] = {};
  unsigned code = 0;
  mg_error_data failure{&code, text, sizeof(text)};
  mg_init_data init{&callbacks, this, settings};
  context_ = mg_start2(&init, &failure);
  if (context_ == nullptr) return Internal(std::string("HTTP server: ") + text);
  return gate_ != nullptr ? Status() : Status(Internal("HTTP server: no socket"));
}

mg_callbacks CivetwebServer::Callbacks() const {
  mg_callbacks callbacks{};
  callbacks.begin_request = OnRequest;
  callbacks.http_error = OnError;
  callbacks.init_context = OnContext;
  callbacks.init_connection = OnOpen;
  callbacks.connection_close = OnClose;  // after it civetweb forgets the pointer
  callbacks.log_message = OnLog;
  if (options_.tls != nullptr) callbacks.external_ssl_ctx = OnTls;
  return callbacks;
}

// civetweb looks at its stop flag every 2 s while it waits for a connection or for the next request
// of one; what the lobby ends makes it look at once.
CivetwebServer::~CivetwebServer() {
  if (context_ == nullptr) return;
  std::atomic<bool> stopped{false};
  std::jthread poker([&] {
    while (!stopped) {
      lobby_.EndAll();
      std::this_thread::sleep_for(kStopPoke);
    }
  });
  mg_stop(context_);
  stopped = true;
}

CivetwebServer& CivetwebServer::Of(const mg_connection* connection) {
  return *static_cast<CivetwebServer*>(mg_get_user_data(mg_get_context(connection)));
}

// Called when civetweb listens and has no thread yet: a poll that ran already would go on looking
// at the old socket.
void CivetwebServer::OnContext(const mg_context* context) {
  CivetwebServer& self = *static_cast<CivetwebServer*>(mg_get_user_data(context));
  mg_server_port theirs{};
  if (mg_get_server_ports(context, 1, &theirs) != 1) return;
  const int fd = FindListener(static_cast<std::uint16_t>(theirs.port));
  if (fd < 0 || dup3(self.lobby_.gate(), fd, O_CLOEXEC) < 0) return;
  self.gate_ = std::make_unique<AcceptGate>(
      fd, [&lobby = self.lobby_](sockaddr_in& name) { return lobby.Take(name); });
}

int CivetwebServer::OnRequest(mg_connection* connection) {
  return Of(connection).handler_.OnRequest(connection);
}

int CivetwebServer::OnError(mg_connection* connection, int status, const char*) {
  Of(connection).handler_.OnError(connection, status);
  return 0;  // civetweb's own answer is not wanted
}

int CivetwebServer::OnOpen(const mg_connection*, void** data) {
  *data = new Connection;
  return 0;
}

void CivetwebServer::OnClose(const mg_connection* connection) {
  CivetwebServer& self = Of(connection);
  const Lobby::Id id = IdOf(connection);
  const std::unique_ptr<Connection> known(KnownOf(connection));
  if (known != nullptr) self.handler_.OnEnd(const_cast<mg_connection*>(connection));
  mg_set_user_connection_data(connection, nullptr);
  self.lobby_.Closed(id);
}

int CivetwebServer::OnLog(const mg_connection* connection, const char* text) {
  if (connection != nullptr && mg_get_context(connection) != nullptr) {
    Of(connection).log_.Debug("civetweb", {{"msg", text}});
  }
  return 1;
}

// Called for making the context and again for freeing it: both are ours.
int CivetwebServer::OnTls(void** context, void* self) {
  auto& server = *static_cast<CivetwebServer*>(self);
  if (*context == nullptr) *context = server.options_.tls;
  return 1;
}

}  // namespace skep::net
