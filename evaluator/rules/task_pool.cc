#include "evaluator/rules/task_pool.h"

#include <algorithm>
#include <exception>

#include "common/base/thread.h"

namespace skep::rules {

// Tasks of one Run. A thread may come to it late: it keeps itself alive, and `task` is called only
// while the caller still waits, for then not all are done.
struct TaskPool::Batch {
  const std::function<void(std::size_t)>* task;
  std::size_t count;
  std::mutex mutex;
  std::condition_variable all_done;
  std::size_t next = 0;         // guarded by mutex
  std::size_t done = 0;         // guarded by mutex
  std::exception_ptr thrown{};  // guarded by mutex

  // Runs tasks until none is left to begin.
  void Help() {
    while (true) {
      std::size_t mine = 0;
      {
        const std::lock_guard lock(mutex);
        if (next == count) return;
        mine = next++;
      }
      std::exception_ptr caught;
      try {
        (*task)(mine);
      } catch (...) {
        caught = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      if (caught && !thrown) thrown = caught;
      if (++done == count) all_done.notify_all();
    }
  }
};

TaskPool::TaskPool(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.push_back(StartThread(
        "rule-helper", [this] { Work(); }, [](const std::string&) { std::terminate(); }));
  }
}

TaskPool::~TaskPool() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

void TaskPool::Work() {
  while (true) {
    std::shared_ptr<Batch> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopped_ || !batches_.empty(); });
      if (stopped_) return;
      batch = std::move(batches_.front());
      batches_.pop_front();
    }
    batch->Help();
  }
}

void TaskPool::Run(std::size_t count, const std::function<void(std::size_t)>& task) {
  if (count <= 1 || threads_.empty()) {
    for (std::size_t i = 0; i < count; ++i) task(i);
    return;
  }
  const auto batch = std::make_shared<Batch>();
  batch->task = &task;
  batch->count = count;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < std::min(count - 1, threads_.size()); ++i)
      batches_.push_back(batch);
  }
  changed_.notify_all();
  batch->Help();
  std::unique_lock lock(batch->mutex);
  batch->all_done.wait(lock, [&] { return batch->done == batch->count; });
  if (batch->thrown) std::rethrow_exception(batch->thrown);
}

}  // namespace skep::rules
