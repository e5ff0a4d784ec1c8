// Takes alerts and sees to it that receivers are told: the Dispatcher with a clock, threads and
// receivers around it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/model/alert.h"
#include "evaluator/notifier/delivery_queue.h"
#include "evaluator/notifier/dispatcher.h"
#include "evaluator/notifier/receiver.h"

namespace skep::notifier {

// Thread-safe. Without a Configure it takes alerts and tells nobody.
class Notifier {
 public:
  // One integration of the route's receiver, with what carries it out.
  struct Outlet {
    Integration integration;
    std::unique_ptr<Receiver> receiver;
  };
  struct Setup {
    Route route;
    std::vector<Outlet> outlets;
    std::string external_url;
  };
  struct OutletStatus {
    Integration integration;
    DeliveryCounts counts;
  };
  struct Status {
    std::size_t groups = 0;
    std::size_t alerts = 0;
    std::vector<OutletStatus> outlets;
  };

  Notifier(const Clock& clock, Logger log, DeliveryQueue::Options options);
  // Stops without grace.
  ~Notifier();

  // Puts a configuration into force. Alerts and what was told to whom stay; deliveries under way
  // are ended and, where still due, made again with the same delivery id.
  void Configure(Setup setup);

  // Firing and resolved alerts. Never waits for a receiver.
  void Send(std::vector<Alert> alerts);

  // Ends deliveries within `grace`, then all threads.
  void Stop(std::chrono::milliseconds grace);

  // Named so that it does not hide skep::Status in the class.
  Status CurrentStatus() const;

 private:
  struct Running;

  void Loop();
  Instant Now() const;
  // False: `running` is no longer in force, nothing was done.
  bool Handle(const std::shared_ptr<Running>& running, Event event);

  const Clock& clock_;
  const Logger log_;
  const DeliveryQueue::Options options_;
  Wakeup wakeup_;

  mutable std::mutex mutex_;
  std::shared_ptr<Running> running_;  // guarded by mutex_, and so is its dispatcher
  std::jthread thread_;
};

}  // namespace skep::notifier
