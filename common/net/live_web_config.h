// The web configuration in force: read at the start, read again when its files change. Private to
// the folder.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "common/base/clock.h"
#include "common/base/file_stamp.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/net/tls_context.h"
#include "common/net/web_config.h"

namespace skep::net {

// A web configuration with what was made of it.
struct WebState {
  WebConfig config;
  TlsContext tls;  // null without TLS
};

// Thread-safe after Open.
class LiveWebConfig final : public TlsContextSource {
 public:
  // `clock` must outlive this.
  LiveWebConfig(const Clock& clock, Logger log);

  // Reads `file`; "" is no TLS and no users, for good. kInvalid names the place.
  Status Open(const std::string& file);

  // Never null after Open. Looks at the files once a second; one that cannot be used is logged, and
  // the old state stays. TLS is neither turned on nor off by a reload.
  std::shared_ptr<const WebState> Current();
  TlsContext CurrentTls() override { return Current()->tls; }

 private:
  std::shared_ptr<const WebState> InForce() const;
  void ReloadIfChanged(const WebState& before);

  const Clock& clock_;
  const Logger log_;
  std::string file_;

  mutable std::mutex mutex_;
  std::shared_ptr<const WebState> state_;  // guarded by mutex_
  Clock::Steady looked_{};                 // guarded by mutex_

  std::mutex reload_mutex_;  // held while files are read: nobody waits for it
  FileStamps stamps_;        // guarded by reload_mutex_: at the last look
};

}  // namespace skep::net
