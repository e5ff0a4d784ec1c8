// Stopping and waking threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace skep {

// Tells waiting threads to stop or to look again. Thread-safe.
class Wakeup {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  // Ends all waits, now and later.
  void Stop();
  // Ends the present waits of one thread, or the next one where none waits.
  void Notify();

  bool stopped() const;

  // Waits until `deadline`, a Notify or a Stop. False: stopped.
  bool WaitUntil(Steady deadline);
  // Waits for a Notify or a Stop. False: stopped.
  bool Wait();

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;   // guarded by mutex_
  bool notified_ = false;  // guarded by mutex_
};

// A thread with a name (cut to 15 bytes) whose outermost function is guarded: `fatal` receives what
// it threw, then the thread ends. Joined by its destructor.
std::jthread StartThread(const std::string& name, std::function<void()> body,
                         std::function<void(const std::string& what)> fatal);

}  // namespace skep
