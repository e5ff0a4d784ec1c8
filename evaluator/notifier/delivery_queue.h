// Carries notifications to one receiver: a few threads, retries with exponential back-off.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "evaluator/notifier/dispatcher.h"
#include "evaluator/notifier/receiver.h"

namespace skep::notifier {

// Pauses between tries: each is `factor` times the one before, up to `longest`, spread by
// +-`jitter` of itself. The defaults are Alertmanager's.
struct Backoff {
  std::chrono::milliseconds first{500};
  double factor = 1.5;
  double jitter = 0.5;
  std::chrono::milliseconds longest{60'000};

  // The pause after try number `tries` (from 1). `random` is evenly spread over [0, 1).
  std::chrono::milliseconds Pause(int tries, double random) const;
};

// What one integration has done since it was made.
struct DeliveryCounts {
  std::uint64_t notifications = 0;  // asked for
  std::uint64_t accepted = 0;
  std::uint64_t tries = 0;
  std::uint64_t failed_tries = 0;
  std::array<std::uint64_t, kFailureReasons> failed{};  // given up, by FailureReason
  std::size_t waiting = 0;                              // now, for their first or next try
  double tries_seconds = 0;                             // time spent in tries
};

// Thread-safe. A notification whose try failed steps aside for the others until its pause is over,
// so one that is refused time and again holds up nobody.
class DeliveryQueue {
 public:
  struct Options {
    Backoff backoff;
    int threads = 4;
    std::uint64_t seed = 0;  // of the jitter
  };
  // Called on one of the queue's threads, once per delivery that was added, but not after Stop.
  using Done = std::function<void(std::uint64_t ticket, bool accepted)>;

  DeliveryQueue(std::string name, std::unique_ptr<Receiver> receiver, Options options,
                const Clock& clock, Logger log, Done done);
  // Stops without grace.
  ~DeliveryQueue();

  void Add(Delivery delivery);

  // Lets what is due now have one more try within `grace`, then ends everything.
  void Stop(std::chrono::milliseconds grace);

  DeliveryCounts counts() const;

 private:
  struct Item {
    Delivery delivery;
    Clock::Steady due;
    int tries = 0;
  };

  void Work();
  bool TakeDue(std::unique_lock<std::mutex>& lock, Item& item);
  void Try(Item item);
  // True: `item` goes back to the queue.
  bool Judge(Item& item, const DeliveryResult& result, Clock::Steady now);
  void GiveUp(const Item& item, const DeliveryResult& result);

  const std::string name_;
  const std::unique_ptr<Receiver> receiver_;
  const Options options_;
  const Clock& clock_;
  const Logger log_;
  const Done done_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Item> items_;   // guarded by mutex_
  std::mt19937_64 random_;  // guarded by mutex_
  DeliveryCounts counts_;   // guarded by mutex_
  int busy_ = 0;            // guarded by mutex_: tries under way
  bool draining_ = false;   // guarded by mutex_
  bool stopped_ = false;    // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace skep::notifier
