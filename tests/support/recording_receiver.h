// A receiver that remembers what it was given and answers as the test says.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "evaluator/notifier/receiver.h"

namespace skep::test {

// What a RecordingReceiver saw; shared with it, since the notifier owns the receiver. Thread-safe.
class Recording {
 public:
  // Decides on try number `n` (from 0). Called with the lock held; default: accepted.
  std::function<notifier::DeliveryResult(std::size_t n)> answer;

  notifier::DeliveryResult Record(const notifier::Notification& notification) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !blocked_ || canceled_; });
    if (canceled_) {
      return {notifier::DeliveryVerdict::kRetry,
              notifier::FailureReason::kContextCanceled,
              "canceled",
              {}};
    }
    tries_.push_back(notification);
    changed_.notify_all();
    return answer ? answer(tries_.size() - 1) : notifier::DeliveryResult{};
  }

  void Block(bool blocked) {
    const std::lock_guard lock(mutex_);
    blocked_ = blocked;
    changed_.notify_all();
  }
  void Cancel() {
    const std::lock_guard lock(mutex_);
    canceled_ = true;
    changed_.notify_all();
  }

  // Waits until there were `n` tries.
  std::vector<notifier::Notification> WaitForTries(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tries_.size() >= n; });
    return tries_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<notifier::Notification> tries_;
  bool blocked_ = false;
  bool canceled_ = false;
};

class RecordingReceiver final : public notifier::Receiver {
 public:
  explicit RecordingReceiver(std::shared_ptr<Recording> recording)
      : recording_(std::move(recording)) {}

  notifier::DeliveryResult Deliver(const notifier::Notification& notification,
                                   std::chrono::milliseconds) override {
    return recording_->Record(notification);
  }
  void Cancel() override { recording_->Cancel(); }

 private:
  std::shared_ptr<Recording> recording_;
};

}  // namespace skep::test
