#include "common/net/dispatcher.h"

#include <exception>

#include "common/net/request_reader.h"

namespace skep::net {

void Dispatcher::Handle(std::vector<std::string> methods, std::string path, HttpHandler handler) {
  router_.Add(std::move(methods), std::move(path), std::move(handler));
}

void Dispatcher::OnUnreadable(std::string path, HttpServer::UnreadableHandler answer) {
  unreadable_.insert_or_assign(std::move(path), std::move(answer));
}

void Dispatcher::SetPrefix(std::string_view route_prefix) {
  while (route_prefix.ends_with('/')) route_prefix.remove_suffix(1);
  prefix_ = route_prefix;
}

HttpResponse Dispatcher::Answer(HttpRequest& request) const {
  const Router::Found found =
      StripPrefix(request.path) ? router_.Find(request.method, request.path) : Router::Found{};
  if (found.handler != nullptr) return Call(*found.handler, request);
  if (found.allow.empty()) return Refusal(404, "404 page not found");
  HttpResponse refusal = Refusal(405, "Method Not Allowed");
  refusal.headers.emplace_back("Allow", found.allow);
  return refusal;
}

HttpResponse Dispatcher::AnswerUnreadable(HttpRequest& request, HttpResponse plain) const {
  if (!StripPrefix(request.path)) return plain;
  const auto found = unreadable_.find(request.path);
  const bool is_known = router_.Find(request.method, request.path).handler != nullptr;
  return found == unreadable_.end() || !is_known ? plain : found->second(request, std::move(plain));
}

bool Dispatcher::StripPrefix(std::string& path) const {
  if (prefix_.empty()) return true;
  if (!path.starts_with(prefix_)) return false;
  path.erase(0, prefix_.size());
  if (path.empty()) path = "/";
  return path.front() == '/';
}

HttpResponse Dispatcher::Call(const HttpHandler& handler, const HttpRequest& request) const {
  std::string problem = "unknown exception";
  try {
    return handler(request);
  } catch (const std::exception& failure) {
    problem = failure.what();
  } catch (...) {  // NOLINT: whatever a handler throws ends here
  }
  CountOne(counters_.handler_failures);
  log_.Error("HTTP handler failed", {{"path", request.path}, {"err", problem}});
  return Refusal(500, "Internal Server Error");
}

}  // namespace skep::net
