// What both programs answer on /-/reload.
#pragma once

#include <functional>

#include "common/base/result.h"
#include "common/net/http_server.h"

namespace skep::net {

// 200 after a reload, 500 with the error of one that failed; 403 where `reload` is null, as without
// --web.enable-lifecycle.
HttpHandler ReloadHandler(std::function<Status()> reload);

}  // namespace skep::net
