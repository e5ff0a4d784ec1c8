#include "common/net/reload_handler.h"

#include <utility>

namespace skep::net {

HttpHandler ReloadHandler(std::function<Status()> reload) {
  return [reload = std::move(reload)](const HttpRequest&) {
    if (!reload) return HttpResponse::Text(403, "Lifecycle API is not enabled.\n");
    const Status status = reload();
    if (status) return HttpResponse::Text(200, "");
    return HttpResponse::Text(500, "failed to reload config: " + status.error().message() + "\n");
  };
}

}  // namespace skep::net
