#include "exporter/collectors/statfs_guard.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace skep::exporter {

// Shared with the thread, which may outlive the guard: it is detached, since a join could wait for
// ever.
struct StatfsGuard::Worker {
  explicit Worker(Asker asker) : ask(asker) {}

  void Run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return stop || asked > answered; });
      if (stop) return;
      const std::string path = question;
      lock.unlock();
      Answer now;
      now.error = ask(path.c_str(), &now.space) == 0 ? 0 : errno;
      lock.lock();
      answer = now;
      answered = asked;
      changed.notify_all();
    }
  }

  const Asker ask;
  std::mutex mutex;
  std::condition_variable changed;
  std::string question;  // all guarded by mutex
  Answer answer;
  unsigned long asked = 0;     // questions so far
  unsigned long answered = 0;  // the last one that has its answer
  bool stop = false;
};

StatfsGuard::StatfsGuard(std::chrono::milliseconds timeout, Asker ask)
    : timeout_(timeout), ask_(ask) {}

StatfsGuard::~StatfsGuard() {
  if (worker_ != nullptr) stuck_.push_back(worker_);
  for (const std::shared_ptr<Worker>& worker : stuck_) {
    const std::lock_guard lock(worker->mutex);
    worker->stop = true;
    worker->changed.notify_all();
  }
}

std::size_t StatfsGuard::stuck() const { return stuck_.size(); }

std::vector<StatfsGuard::Answer> StatfsGuard::Ask(const std::vector<std::string>& paths,
                                                  std::chrono::steady_clock::time_point deadline) {
  // Threads that came back are let go.
  std::erase_if(stuck_, [](const std::shared_ptr<Worker>& worker) {
    const std::lock_guard lock(worker->mutex);
    worker->stop = worker->answered == worker->asked;
    if (worker->stop) worker->changed.notify_all();
    return worker->stop;
  });
  std::vector<Answer> answers;
  answers.reserve(paths.size());
  for (const std::string& path : paths) answers.push_back(AskOne(path, deadline));
  return answers;
}

StatfsGuard::Answer StatfsGuard::AskOne(const std::string& path,
                                        std::chrono::steady_clock::time_point deadline) {
  const bool is_stuck = std::any_of(stuck_.begin(), stuck_.end(), [&](const auto& worker) {
    const std::lock_guard lock(worker->mutex);
    return worker->question == path;
  });
  if (is_stuck || !StartWorker()) return {.error = is_stuck ? ETIMEDOUT : EAGAIN};
  const auto until = std::min(deadline, std::chrono::steady_clock::now() + timeout_);
  std::unique_lock lock(worker_->mutex);
  worker_->question = path;
  ++worker_->asked;
  worker_->changed.notify_all();
  const bool came = worker_->changed.wait_until(
      lock, until, [this] { return worker_->answered == worker_->asked; });
  if (came) return worker_->answer;
  lock.unlock();
  stuck_.push_back(std::move(worker_));
  worker_ = nullptr;
  return {.error = ETIMEDOUT};
}

bool StatfsGuard::StartWorker() {
  if (worker_ != nullptr) return true;
  auto worker = std::make_shared<Worker>(ask_);
  try {
    std::thread([worker] { worker->Run(); }).detach();
  } catch (const std::system_error&) {
    return false;  // no thread to be had
  }
  worker_ = std::move(worker);
  return true;
}

}  // namespace skep::exporter
