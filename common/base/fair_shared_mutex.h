// A shared mutex at which nobody starves.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace skep {

// std::shared_mutex lets new readers in while a writer waits: readers without pause would keep him
// waiting for ever. Here everybody is served in order of arrival. For
// std::shared_lock and std::unique_lock. Not recursive: a thread that holds it and comes again
// behind a waiting writer waits for ever.
class FairSharedMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t turn = next_turn_++;
    changed_.wait(lock, [&] { return turn == served_ && !is_written_ && readers_ == 0; });
    is_written_ = true;
    Serve();
  }
  void unlock() {
    const std::lock_guard lock(mutex_);
    is_written_ = false;
    changed_.notify_all();
  }
  void lock_shared() {
    std::unique_lock lock(mutex_);
    const std::uint64_t turn = next_turn_++;
    changed_.wait(lock, [&] { return turn == served_ && !is_written_; });
    ++readers_;
    Serve();
  }
  void unlock_shared() {
    const std::lock_guard lock(mutex_);
    if (--readers_ == 0) changed_.notify_all();
  }

 private:
  void Serve() {
    ++served_;
    if (served_ != next_turn_) changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_turn_ = 0;  // guarded by mutex_, as all below
  std::uint64_t served_ = 0;
  std::uint64_t readers_ = 0;
  bool is_written_ = false;
};

}  // namespace skep
