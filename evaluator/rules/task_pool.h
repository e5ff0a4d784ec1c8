// A few threads that help to run independent tasks side by side.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace skep::rules {

// Thread-safe.
class TaskPool {
 public:
  // No threads: everything runs on the caller's.
  TaskPool() = default;
  explicit TaskPool(std::size_t threads);
  ~TaskPool();  // waits for the tasks under way; no Run may be

  // Calls task(0) … task(count - 1), also on the caller's thread, and returns when all are done.
  // Exceptions of tasks are thrown here, the first one.
  void Run(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  struct Batch;

  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Batch>> batches_;  // guarded by mutex_
  bool stopped_ = false;                        // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace skep::rules
