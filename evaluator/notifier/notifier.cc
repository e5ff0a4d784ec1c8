#include "evaluator/notifier/notifier.h"

#include <utility>

namespace skep::notifier {

// One configuration in force. Whoever replaces it stops its queues before letting go of it, so
// that the last owner never is one of their threads.
struct Notifier::Running {
  std::optional<Dispatcher> dispatcher;                // guarded by the Notifier's mutex_
  std::vector<std::unique_ptr<DeliveryQueue>> queues;  // by integration; fixed once visible
};

namespace {

Dispatcher::Options DispatcherOptions(const Notifier::Setup& setup) {
  Dispatcher::Options options{setup.route, {}, setup.external_url};
  for (const Notifier::Outlet& outlet : setup.outlets) {
    options.integrations.push_back(outlet.integration);
  }
  return options;
}

}  // namespace

Notifier::Notifier(const Clock& clock, Logger log, DeliveryQueue::Options options)
    : clock_(clock), log_(std::move(log)), options_(options) {
  running_ = std::make_shared<Running>();
  running_->dispatcher.emplace(Dispatcher::Options{});
  thread_ = StartThread(
      "notifier", [this] { Loop(); },
      [this](const std::string& what) {
        log_.Error("notifier thread ended", {{"err", what}});
      });
}

Notifier::~Notifier() { Stop(std::chrono::milliseconds(0)); }

Instant Notifier::Now() const { return {clock_.Now(), clock_.SteadyNow()}; }

void Notifier::Configure(Setup setup) {
  auto next = std::make_shared<Running>();
  for (Outlet& outlet : setup.outlets) {
    const std::weak_ptr<Running> owner = next;
    auto done = [this, owner](std::uint64_t ticket, bool accepted) {
      if (const auto running = owner.lock()) Handle(running, DeliveryDone{ticket, accepted});
      wakeup_.Notify();
    };
    next->queues.push_back(std::make_unique<DeliveryQueue>(
        outlet.integration.id, std::move(outlet.receiver), options_, clock_, log_, done));
  }
  std::shared_ptr<Running> old;
  {
    const std::lock_guard lock(mutex_);
    old = std::exchange(running_, next);
    next->dispatcher.emplace(DispatcherOptions(setup), std::move(*old->dispatcher).TakeMemory(),
                             Now());
  }
  for (const auto& queue : old->queues) queue->Stop(std::chrono::milliseconds(0));
  wakeup_.Notify();
}

void Notifier::Send(std::vector<Alert> alerts) {
  if (alerts.empty()) return;
  std::shared_ptr<Running> running;
  {
    const std::lock_guard lock(mutex_);
    running = running_;
  }
  // A Configure in between hands them to the dispatcher that has just been emptied: tried anew.
  while (!Handle(running, AlertsArrived{alerts})) {
    const std::lock_guard lock(mutex_);
    running = running_;
  }
  wakeup_.Notify();
}

bool Notifier::Handle(const std::shared_ptr<Running>& running, Event event) {
  std::vector<Delivery> due;
  {
    const std::lock_guard lock(mutex_);
    if (running != running_) return false;
    due = running->dispatcher->Apply(Now(), std::move(event));
  }
  for (Delivery& delivery : due) {
    running->queues[delivery.integration]->Add(std::move(delivery));
  }
  return true;
}

void Notifier::Loop() {
  while (!wakeup_.stopped()) {
    std::shared_ptr<Running> running;
    std::optional<Clock::Steady> next;
    {
      const std::lock_guard lock(mutex_);
      running = running_;
      next = running->dispatcher->NextDue();
    }
    if (next && *next <= clock_.SteadyNow()) {
      (void)Handle(running, TimePassed{});  // a new configuration: the next turn sees to it
      continue;
    }
    running.reset();
    if (!(next ? wakeup_.WaitUntil(*next) : wakeup_.Wait())) return;
  }
}

void Notifier::Stop(std::chrono::milliseconds grace) {
  wakeup_.Stop();
  if (thread_.joinable()) thread_.join();
  std::shared_ptr<Running> running;
  {
    const std::lock_guard lock(mutex_);
    running = running_;
  }
  const Clock::Steady end = clock_.SteadyNow() + grace;
  for (const auto& queue : running->queues) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - clock_.SteadyNow());
    queue->Stop(std::max(left, std::chrono::milliseconds(0)));
  }
}

Notifier::Status Notifier::CurrentStatus() const {
  std::shared_ptr<Running> running;
  Status status;
  {
    const std::lock_guard lock(mutex_);
    running = running_;
    status.groups = running->dispatcher->group_count();
    status.alerts = running->dispatcher->alert_count();
    for (const Integration& each : running->dispatcher->options().integrations) {
      status.outlets.push_back({each, {}});
    }
  }
  for (std::size_t i = 0; i < status.outlets.size(); ++i) {
    status.outlets[i].counts = running->queues[i]->counts();
  }
  return status;
}

}  // namespace skep::notifier
