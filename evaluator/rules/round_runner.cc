#include "evaluator/rules/round_runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "common/base/thread.h"
#include "evaluator/rules/metrics.h"

namespace skep::rules {
namespace {

// The wall clock may jump: nobody sleeps longer than this without looking at it.
constexpr Duration kLongestSleep = std::chrono::seconds(5);

}  // namespace

RoundRunner::RoundRunner(const Dependencies& dependencies, const ManagerOptions& options,
                         DepartedSeries& departed)
    : dependencies_(dependencies), options_(options), departed_(departed) {
  if (dependencies.metrics != nullptr) scrape_delay_ = AddScrapeDelay(*dependencies.metrics);
}

void RoundRunner::Replace(std::vector<GroupSlotPtr> slots) {
  {
    const std::lock_guard lock(mutex_);
    slots_ = std::move(slots);
  }
  Wake();
}

std::vector<GroupSlotPtr> RoundRunner::slots() const {
  const std::lock_guard lock(mutex_);
  return slots_;
}

std::optional<Duration> RoundRunner::MinSpacingOf(const GroupSlot& slot) const {
  const std::lock_guard lock(mutex_);
  return slot.timetable.min_spacing();
}

void RoundRunner::ChangeSpacing(GroupSlot& slot, std::optional<Duration> min_spacing) {
  const std::lock_guard lock(mutex_);
  slot.timetable.ChangeSpacing(min_spacing);
}

void RoundRunner::Follow(GroupSlot& slot, const GroupSlot& old) {
  const std::lock_guard lock(mutex_);
  slot.timetable.Follow(old.timetable);
}

void RoundRunner::Start() {
  const std::lock_guard lock(mutex_);
  pool_ = std::make_shared<TaskPool>(options_.max_concurrent_evals);
  StartWorker();
}

// Requires: mutex_ is held.
void RoundRunner::StartWorker() {
  ++idle_;
  threads_.push_back(StartThread(
      "rules", [this] { Work(); },
      [this](const std::string& what) {
        dependencies_.logger.Error("a thread of the rules ended", {{"error", what}});
      }));
}

void RoundRunner::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  cancel_.store(true);
  changed_.notify_all();
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads = std::move(threads_);
  }
  threads.clear();  // joins
}

void RoundRunner::AddScrape(GroupSlot& slot, Timestamp time) {
  {
    const std::lock_guard lock(mutex_);
    slot.timetable.AddScrape(time);
    if (!slot.waiting_since) slot.waiting_since = dependencies_.clock.SteadyNow();
    if (slot.running) return;  // whoever runs it looks for the next one
  }
  changed_.notify_one();
}

// Marked as running. Empty: nothing is due at `now`; then `wake` is no later than what comes next.
// Requires: mutex_ is held.
std::optional<RoundRunner::Due> RoundRunner::TakeDue(Timestamp now, Timestamp& wake) {
  while (true) {
    GroupSlotPtr first;
    for (const GroupSlotPtr& slot : slots_) {
      if (slot->running) continue;
      const Timestamp due = slot->timetable.NextDue(now);
      if (due >= wake) continue;
      first = slot;
      wake = due;
    }
    if (!first || wake > now) return std::nullopt;
    if (const std::optional<Turn> turn = first->timetable.Take(now)) {
      first->running = true;
      return Due{first, *turn, std::exchange(first->waiting_since, std::nullopt)};
    }
    wake = now + kLongestSleep;
  }
}

// Empty: stopped, or series of departed groups are due.
std::optional<RoundRunner::Due> RoundRunner::WaitForDue(std::unique_lock<std::mutex>& lock) {
  while (!stopped_) {
    const Timestamp now = dependencies_.clock.Now();
    Timestamp wake = now + kLongestSleep;
    if (const std::optional<Timestamp> markers = departed_.NextDue()) {
      if (*markers <= now) return std::nullopt;
      wake = std::min(wake, *markers);
    }
    if (std::optional<Due> due = TakeDue(now, wake)) return due;
    changed_.wait_until(lock, dependencies_.clock.SteadyNow() + (wake - now));
  }
  return std::nullopt;
}

void RoundRunner::Work() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const std::optional<Due> due = WaitForDue(lock);
    if (stopped_) return;
    // One thread always waits for the next group that is due, as far as there may be another:
    // rounds that hang do not hold those of other groups.
    if (--idle_ == 0 && threads_.size() < options_.group_threads) StartWorker();
    lock.unlock();
    if (due) {
      RunTurn(*due);
    } else {
      departed_.WriteDue(dependencies_.clock.Now());
    }
    lock.lock();
    ++idle_;
    if (due) EndTurn(*due);
  }
}

void RoundRunner::RunDue() {
  const Timestamp now = dependencies_.clock.Now();
  departed_.WriteDue(now);
  std::unique_lock lock(mutex_);
  Timestamp wake = now + kLongestSleep;
  while (const std::optional<Due> due = TakeDue(now, wake)) {
    lock.unlock();
    RunTurn(*due);
    lock.lock();
    EndTurn(*due);
    wake = now + kLongestSleep;
  }
}

void RoundRunner::Evaluate(RuleGroup& group, const Turn& turn) {
  std::shared_ptr<TaskPool> pool;
  {
    const std::lock_guard lock(mutex_);
    pool = pool_;
  }
  group.Evaluate(turn, *pool, cancel_);
}

void RoundRunner::RunTurn(const Due& due) {
  RuleGroup& group = *due.slot->group;
  try {
    Evaluate(group, due.turn);
    if (group.NeedsRestore()) group.Restore(dependencies_.clock.Now());
  } catch (const std::exception& thrown) {
    // One group's bad luck (no memory) is not the others'.
    dependencies_.logger.Error("round of a rule group was broken off",
                               {{"group", group.definition().name}, {"error", thrown.what()}});
  }
  if (due.waiting_since) {
    scrape_delay_.Observe(dependencies_.clock.SteadyNow() - *due.waiting_since);
  }
}

// Requires: mutex_ is held.
void RoundRunner::EndTurn(const Due& due) {
  due.slot->running = false;
  const std::int64_t missed = due.slot->timetable.End(due.turn, dependencies_.clock.Now());
  if (missed > 0) due.slot->group->CountMissed(missed);
  changed_.notify_one();
}

}  // namespace skep::rules
