// OpenSSL's server context made from a web configuration. Private to the folder.
#pragma once

#include <memory>

#include "common/base/result.h"
#include "common/net/web_config.h"

struct ssl_ctx_st;

namespace skep::net {

// Immutable once made. Shared: a connection that began with it may outlive a newer one.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// Reads the files named in `options`. kInvalid names the file that cannot be used.
Result<TlsContext> MakeTlsContext(const TlsServerOptions& options);

// Makes each new connection of `listener` take certificate, key and client CAs from what `current`
// returns: a renewed certificate is served without a restart. `current` must outlive `listener`.
class TlsContextSource {
 public:
  virtual ~TlsContextSource() = default;
  virtual TlsContext CurrentTls() = 0;
};
void FollowTlsContext(ssl_ctx_st* listener, TlsContextSource& current);

}  // namespace skep::net
