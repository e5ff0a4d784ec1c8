// civetweb's threads and callbacks, fed by a lobby. Private to the folder.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "common/base/log.h"
#include "common/base/result.h"
#include "common/net/accept_gate.h"
#include "common/net/lobby.h"

struct mg_callbacks;
struct mg_connection;
struct mg_context;
struct ssl_ctx_st;

namespace skep::net {

// What civetweb asks for. Called on its threads, several at once; nothing is thrown.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  // A request whose head is understood: answers it and returns the status.
  virtual int OnRequest(mg_connection* connection) = 0;
  // One that could not be understood: garbage, a header that is too long, a timeout. Answers it.
  virtual void OnError(mg_connection* connection, int status) = 0;
  // The last of a connection, whose socket is still open and whose Connection is still known.
  virtual void OnEnd(mg_connection* connection) = 0;
};

struct CivetwebOptions {
  int threads = 64;
  std::size_t max_header_bytes = 64UL << 10;
  std::chrono::milliseconds request_timeout{30'000};
  ssl_ctx_st* tls = nullptr;  // the caller's, must outlive the server; null: plain
};

class CivetwebServer {
 public:
  // Takes connections from `lobby`. Handler and lobby must outlive it. kInternal: civetweb's text.
  static Result<std::unique_ptr<CivetwebServer>> Start(const CivetwebOptions& options, Lobby& lobby,
                                                       ConnectionHandler& handler, Logger log);
  // Ends all connections; returns when no callback runs any more.
  ~CivetwebServer();
  CivetwebServer(const CivetwebServer&) = delete;
  CivetwebServer& operator=(const CivetwebServer&) = delete;

 private:
  CivetwebServer(const CivetwebOptions& options, Lobby& lobby, ConnectionHandler& handler,
                 Logger log);
  Status Listen();
  mg_callbacks Callbacks() const;

  static CivetwebServer& Of(const mg_connection* connection);
  static void OnContext(const mg_context* context);
  static int OnRequest(mg_connection* connection);
  static int OnError(mg_connection* connection, int status, const char* text);
  static int OnOpen(const mg_connection* connection, void** data);
  static void OnClose(const mg_connection* connection);
  static int OnLog(const mg_connection* connection, const char* text);
  static int OnTls(void** context, void* self);

  const CivetwebOptions options_;
  Lobby& lobby_;
  ConnectionHandler& handler_;
  const Logger log_;
  mg_context* context_ = nullptr;
  std::unique_ptr<AcceptGate> gate_;
};

}  // namespace skep::net
