#include "evaluator/api/client_watch.h"

#include <chrono>

namespace skep::api {

constexpr std::chrono::milliseconds kPause{100};

ClientWatch::ClientWatch()
    : thread_(StartThread(
          "api-clients", [this] { Loop(); }, [](const std::string&) { std::terminate(); })) {}

ClientWatch::~ClientWatch() { wakeup_.Stop(); }

ClientWatch::Guard::Guard(ClientWatch& watch, const std::function<bool()>& gone) : watch_(watch) {
  const std::lock_guard lock(watch.mutex_);
  const bool first = watch.entries_.empty();
  entry_ = watch.entries_.emplace(watch.entries_.end(), gone);
  if (first) watch.wakeup_.Notify();
}

ClientWatch::Guard::~Guard() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.entries_.erase(entry_);
}

void ClientWatch::Loop() {
  for (;;) {
    bool idle = true;
    {
      // The question is a poll of a socket that does not block; under the lock it keeps guards from
      // ending meanwhile.
      const std::lock_guard lock(mutex_);
      for (Guard::Entry& entry : entries_) {
        if (!entry.cancel && entry.gone()) entry.cancel = true;
      }
      idle = entries_.empty();
    }
    const bool go_on =
        idle ? wakeup_.Wait() : wakeup_.WaitUntil(std::chrono::steady_clock::now() + kPause);
    if (!go_on) return;
  }
}

}  // namespace skep::api
