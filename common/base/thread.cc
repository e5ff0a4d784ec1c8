#include "common/base/thread.h"

#include <pthread.h>

#include <exception>

namespace skep {

void Wakeup::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void Wakeup::Notify() {
  const std::lock_guard lock(mutex_);
  notified_ = true;
  changed_.notify_all();
}

bool Wakeup::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

bool Wakeup::WaitUntil(Steady deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return stopped_ || notified_; });
  notified_ = false;
  return !stopped_;
}

bool Wakeup::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || notified_; });
  notified_ = false;
  return !stopped_;
}

std::jthread StartThread(const std::string& name, std::function<void()> body,
                         std::function<void(const std::string&)> fatal) {
  return std::jthread([name, body = std::move(body), fatal = std::move(fatal)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    try {
      body();
    } catch (const std::exception& e) {
      fatal(e.what());
    } catch (...) {
      fatal("unknown exception");
    }
  });
}

}  // namespace skep
