// Notices that the client of a running query has gone.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "common/base/thread.h"

namespace skep::api {

// One thread asks all running requests every 100 ms, and sleeps where none runs. Thread-safe.
class ClientWatch {
 public:
  ClientWatch();
  ~ClientWatch();

  // While it lives, `cancel` turns true soon after `gone` does.
  class Guard {
   public:
    // `gone` stays callable until the guard is destroyed.
    Guard(ClientWatch& watch, const std::function<bool()>& gone);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    const std::atomic<bool>& cancel() const { return entry_->cancel; }

   private:
    friend class ClientWatch;
    struct Entry {
      const std::function<bool()>& gone;
      std::atomic<bool> cancel{false};
    };

    ClientWatch& watch_;
    std::list<Entry>::iterator entry_;
  };

 private:
  void Loop();

  std::mutex mutex_;
  std::list<Guard::Entry> entries_;  // guarded by mutex_
  Wakeup wakeup_;
  std::jthread thread_;
};

}  // namespace skep::api
