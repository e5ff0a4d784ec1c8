// Runs rule groups when they are due.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/time.h"
#include "common/instrument/instruments.h"
#include "evaluator/rules/departed_series.h"
#include "evaluator/rules/group.h"
#include "evaluator/rules/manager.h"
#include "evaluator/rules/task_pool.h"
#include "evaluator/rules/timetable.h"

namespace skep::rules {

// A group with its place in time. All but `group` belongs to the runner, once it has the slot.
struct GroupSlot {
  std::shared_ptr<RuleGroup> group;
  Timetable timetable;
  bool running = false;
  // When the oldest scrape was told of that had no round yet.
  std::optional<Clock::Steady> waiting_since = {};
};
using GroupSlotPtr = std::shared_ptr<GroupSlot>;

// Each group is in one round at a time; rounds of different groups go side by side, each on a
// thread that is made when there is none left to wait. Writes the markers of `departed` when they
// are due. Thread-safe.
class RoundRunner {
 public:
  // All must outlive it.
  RoundRunner(const Dependencies& dependencies, const ManagerOptions& options,
              DepartedSeries& departed);
  ~RoundRunner() { Stop(); }
  RoundRunner(const RoundRunner&) = delete;
  RoundRunner& operator=(const RoundRunner&) = delete;

  // The groups from now on, in their order. A round that runs of one that is gone goes on.
  void Replace(std::vector<GroupSlotPtr> slots);
  std::vector<GroupSlotPtr> slots() const;
  std::optional<Duration> MinSpacingOf(const GroupSlot& slot) const;
  void ChangeSpacing(GroupSlot& slot, std::optional<Duration> min_spacing);
  // `slot`, which the runner has not got yet, goes on behind the rounds of `old`.
  void Follow(GroupSlot& slot, const GroupSlot& old);

  // Rounds at their times, until Stop. At most once.
  void Start();
  // Cancels running rounds and waits for them.
  void Stop();
  // What is due by the clock, on the caller's thread. Requires: Start was not called.
  void RunDue();
  // One round on the caller's thread.
  void Evaluate(RuleGroup& group, const Turn& turn);
  // Series have departed: their markers may be due before anything else.
  void Wake() { changed_.notify_all(); }
  // A scrape of `time` that the group looks at is visible.
  void AddScrape(GroupSlot& slot, Timestamp time);

 private:
  struct Due {
    GroupSlotPtr slot;
    Turn turn;
    std::optional<Clock::Steady> waiting_since;
  };

  void StartWorker();
  void Work();
  std::optional<Due> TakeDue(Timestamp now, Timestamp& wake);
  std::optional<Due> WaitForDue(std::unique_lock<std::mutex>& lock);
  void RunTurn(const Due& due);
  void EndTurn(const Due& due);

  const Dependencies& dependencies_;
  const ManagerOptions& options_;
  DepartedSeries& departed_;
  instrument::Histogram scrape_delay_;
  std::atomic<bool> cancel_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<GroupSlotPtr> slots_;                                // guarded by mutex_
  bool stopped_ = false;                                           // guarded by mutex_
  std::shared_ptr<TaskPool> pool_ = std::make_shared<TaskPool>();  // guarded by mutex_
  std::vector<std::jthread> threads_;                              // guarded by mutex_
  std::size_t idle_ = 0;  // guarded by mutex_; threads without a round
};

}  // namespace skep::rules
