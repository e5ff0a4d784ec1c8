// statvfs with a limit on the time: a dead NFS server blocks the call for ever, and nothing can
// interrupt it.
#pragma once

#include <sys/statvfs.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace skep::exporter {

// Asks on a thread of its own. A call that does not come back in time makes its path stuck: the
// thread is left behind with it, the path answers with an error at once until the call does come
// back, and the next question gets a new thread. Thread-compatible.
class StatfsGuard {
 public:
  using Asker = int (*)(const char* path, struct statvfs* out);

  struct Answer {
    int error = 0;  // errno; ETIMEDOUT: stuck
    struct statvfs space {};
  };

  // `ask` is statvfs but in tests.
  explicit StatfsGuard(std::chrono::milliseconds timeout, Asker ask = ::statvfs);
  ~StatfsGuard();
  StatfsGuard(const StatfsGuard&) = delete;
  StatfsGuard& operator=(const StatfsGuard&) = delete;

  // Answers in the order of `paths`, each after at most the timeout, all before `deadline`.
  std::vector<Answer> Ask(const std::vector<std::string>& paths,
                          std::chrono::steady_clock::time_point deadline);

  std::size_t stuck() const;

 private:
  struct Worker;

  Answer AskOne(const std::string& path, std::chrono::steady_clock::time_point deadline);
  bool StartWorker();

  const std::chrono::milliseconds timeout_;
  const Asker ask_;
  std::shared_ptr<Worker> worker_;  // null until there is something to ask
  std::vector<std::shared_ptr<Worker>> stuck_;
};

}  // namespace skep::exporter
