#include "common/net/read_deadlines.h"

#include <sys/socket.h>

#include <algorithm>

#include "common/base/thread.h"

namespace skep::net {

ReadDeadlines::ReadDeadlines()
    : thread_(StartThread(
          "http-deadline", [this] { Run(); }, [](const std::string&) {})) {}

ReadDeadlines::~ReadDeadlines() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

ReadDeadlines::Guard::Guard(ReadDeadlines& owner, int fd, Steady deadline) : owner_(owner) {
  const std::lock_guard lock(owner_.mutex_);
  entry_ = owner_.entries_.emplace(owner_.entries_.end(), fd, deadline);
  owner_.changed_.notify_all();
}

ReadDeadlines::Guard::~Guard() {
  const std::lock_guard lock(owner_.mutex_);
  owner_.entries_.erase(entry_);
}

void ReadDeadlines::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const Steady now = std::chrono::steady_clock::now();
    Steady next = Steady::max();
    for (auto& [fd, deadline] : entries_) {
      if (deadline <= now) {
        // Under the lock, which the guard needs to go: so `fd` is still the same connection.
        shutdown(fd, SHUT_RD);
        deadline = Steady::max();
      }
      next = std::min(next, deadline);
    }
    if (next == Steady::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

}  // namespace skep::net
