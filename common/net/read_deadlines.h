// Ends connections whose request does not arrive in time. Private to the folder.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

namespace skep::net {

// civetweb bounds the wait for the next byte of a body, not for all of it: a client that sends a
// byte a second would hold its thread for days. Thread-safe.
class ReadDeadlines {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  ReadDeadlines();
  ~ReadDeadlines();

  // While it lives, `fd` is shut down for reading when `deadline` passes. The descriptor must stay
  // open that long.
  class Guard {
   public:
    Guard(ReadDeadlines& owner, int fd, Steady deadline);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    ReadDeadlines& owner_;
    std::list<std::pair<int, Steady>>::iterator entry_;
  };

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;                       // guarded by mutex_
  std::list<std::pair<int, Steady>> entries_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace skep::net
