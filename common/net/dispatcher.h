// Which handler gets a request, and what is said where none does. Private to the folder.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/net/http_message.h"
#include "common/net/http_server.h"
#include "common/net/router.h"
#include "common/net/server_counters.h"

namespace skep::net {

// Routes are added first; then thread-safe.
class Dispatcher {
 public:
  // `counters` must outlive this.
  Dispatcher(ServerCounters& counters, Logger log) : counters_(counters), log_(std::move(log)) {}

  // As HttpServer's.
  void Handle(std::vector<std::string> methods, std::string path, HttpHandler handler);
  void OnUnreadable(std::string path, HttpServer::UnreadableHandler answer);
  // As HttpServerOptions has it.
  void SetPrefix(std::string_view route_prefix);

  // The handler's answer, or 404, 405, 500. Strips the prefix off the path.
  HttpResponse Answer(HttpRequest& request) const;
  // Of a request whose body could not be read: `plain` or the path's own form of it.
  HttpResponse AnswerUnreadable(HttpRequest& request, HttpResponse plain) const;

 private:
  bool StripPrefix(std::string& path) const;
  HttpResponse Call(const HttpHandler& handler, const HttpRequest& request) const;

  ServerCounters& counters_;
  const Logger log_;
  Router router_;
  std::map<std::string, HttpServer::UnreadableHandler> unreadable_;  // by path
  std::string prefix_;                                               // "" or "/skep"
};

}  // namespace skep::net
