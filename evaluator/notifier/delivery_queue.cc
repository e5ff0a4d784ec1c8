#include "evaluator/notifier/delivery_queue.h"

#include <algorithm>
#include <cmath>

#include "common/base/thread.h"

namespace skep::notifier {
namespace {

std::chrono::milliseconds Between(Clock::Steady from, Clock::Steady to) {
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(to - from));
}

}  // namespace

std::chrono::milliseconds Backoff::Pause(int tries, double random) const {
  const double plain = static_cast<double>(first.count()) * std::pow(factor, tries - 1);
  const double bounded = std::min(plain, static_cast<double>(longest.count()));
  const double spread = bounded * (1 - jitter + 2 * jitter * random);
  return std::chrono::milliseconds(static_cast<std::int64_t>(spread));
}

DeliveryQueue::DeliveryQueue(std::string name, std::unique_ptr<Receiver> receiver, Options options,
                             const Clock& clock, Logger log, Done done)
    : name_(std::move(name)),
      receiver_(std::move(receiver)),
      options_(options),
      clock_(clock),
      log_(std::move(log)),
      done_(std::move(done)),
      random_(options.seed) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.push_back(StartThread(
        "deliver", [this] { Work(); },
        [this](const std::string& what) {
          log_.Error("delivery thread ended", {{"integration", name_}, {"err", what}});
        }));
  }
}

DeliveryQueue::~DeliveryQueue() { Stop(std::chrono::milliseconds(0)); }

void DeliveryQueue::Add(Delivery delivery) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || draining_) return;
    ++counts_.notifications;
    items_.push_back({std::move(delivery), clock_.SteadyNow(), 0});
  }
  changed_.notify_one();
}

void DeliveryQueue::Stop(std::chrono::milliseconds grace) {
  {
    std::unique_lock lock(mutex_);
    draining_ = true;
    const Clock::Steady now = clock_.SteadyNow();
    std::erase_if(items_, [&](const Item& item) { return item.due > now; });
    changed_.notify_all();
    changed_.wait_for(lock, grace, [&] { return items_.empty() && busy_ == 0; });
    stopped_ = true;
  }
  changed_.notify_all();
  receiver_->Cancel();
  threads_.clear();
}

DeliveryCounts DeliveryQueue::counts() const {
  const std::lock_guard lock(mutex_);
  DeliveryCounts counts = counts_;
  counts.waiting = items_.size();
  return counts;
}

void DeliveryQueue::Work() {
  std::unique_lock lock(mutex_);
  Item item;
  while (TakeDue(lock, item)) {
    lock.unlock();
    Try(std::move(item));
    lock.lock();
    --busy_;
    changed_.notify_all();
  }
}

bool DeliveryQueue::TakeDue(std::unique_lock<std::mutex>& lock, Item& item) {
  while (!stopped_) {
    const auto first = std::min_element(items_.begin(), items_.end(),
                                        [](const auto& a, const auto& b) { return a.due < b.due; });
    if (first == items_.end()) {
      changed_.wait(lock);
    } else if (first->due > clock_.SteadyNow()) {
      // A copy: while this waits another thread may take the item, and wait_until keeps a
      // reference.
      const Clock::Steady due = first->due;
      changed_.wait_until(lock, due);
    } else {
      item = std::move(*first);
      items_.erase(first);
      ++busy_;
      return true;
    }
  }
  return false;
}

void DeliveryQueue::Try(Item item) {
  const Clock::Steady begin = clock_.SteadyNow();
  const DeliveryResult result =
      receiver_->Deliver(item.delivery.notification, Between(begin, item.delivery.deadline));
  const Clock::Steady end = clock_.SteadyNow();
  ++item.tries;
  bool again = false;
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    ++counts_.tries;
    counts_.tries_seconds += std::chrono::duration<double>(end - begin).count();
    if (result.verdict == DeliveryVerdict::kAccepted)
      ++counts_.accepted;
    else
      ++counts_.failed_tries;
    again = Judge(item, result, end);
    tell = !stopped_;
    if (!again && result.verdict != DeliveryVerdict::kAccepted) {
      ++counts_.failed[static_cast<std::size_t>(result.reason)];
    }
  }
  if (again) return;
  if (result.verdict != DeliveryVerdict::kAccepted) GiveUp(item, result);
  if (tell) done_(item.delivery.ticket, result.verdict == DeliveryVerdict::kAccepted);
}

bool DeliveryQueue::Judge(Item& item, const DeliveryResult& result, Clock::Steady now) {
  if (result.verdict != DeliveryVerdict::kRetry || stopped_ || draining_) return false;
  const double random = std::uniform_real_distribution<double>(0, 1)(random_);
  const auto pause = result.retry_after.value_or(options_.backoff.Pause(item.tries, random));
  item.due = now + pause;
  if (item.due >= item.delivery.deadline) return false;
  log_.Debug("delivery will be tried again", {{"integration", name_},
                                              {"group", item.delivery.notification.group_key},
                                              {"tries", item.tries},
                                              {"pause", pause},
                                              {"err", result.message}});
  items_.push_back(std::move(item));
  return true;
}

void DeliveryQueue::GiveUp(const Item& item, const DeliveryResult& result) {
  log_.Warn("notification was not delivered", {{"integration", name_},
                                               {"group", item.delivery.notification.group_key},
                                               {"tries", item.tries},
                                               {"reason", FailureReasonName(result.reason)},
                                               {"err", result.message}});
}

}  // namespace skep::notifier
