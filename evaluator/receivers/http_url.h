// Which URLs a receiver may be given.
#pragma once

#include <string_view>

#include "common/base/result.h"

namespace skep::receivers {

// Scheme http or https and a host, as Alertmanager demands. The message does not repeat the URL,
// which is often a secret.
Status CheckHttpUrl(std::string_view url);

}  // namespace skep::receivers
