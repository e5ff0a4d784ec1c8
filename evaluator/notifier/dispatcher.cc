#include "evaluator/notifier/dispatcher.h"

#include <algorithm>

namespace skep::notifier {
namespace {

// Alertmanager's: a delivery gets at least this long, however short group_interval is.
constexpr Duration kMinDeliveryTime{10'000};
// Empty groups are forgotten, and old log entries too, at this rhythm.
constexpr Duration kMaintenance{30'000};
// The log forgets after this long at the latest.
constexpr Duration kLongestLog = std::chrono::hours(120);

bool Within(Timestamp t, Timestamp begin, Timestamp end) { return t > begin && t < end; }

}  // namespace

Alert MergeAlerts(const Alert& older, Alert newer, Timestamp now) {
  newer.starts_at = std::min(older.starts_at, newer.starts_at);
  const bool end_counts = !newer.ResolvedAt(now) || older.ResolvedAt(now);
  if (end_counts) newer.ends_at = std::max(older.ends_at, newer.ends_at);
  return newer;
}

struct Dispatcher::Snapshot {
  std::vector<NotifiedAlert> alerts;
  GroupAlerts sets;
  Resolved resolved;
};

Dispatcher::Dispatcher(Options options) : options_(std::move(options)) {}

Dispatcher::Dispatcher(Options options, Memory memory, Instant now)
    : options_(std::move(options)), log_(std::move(memory.log)), last_ticket_(memory.last_ticket) {
  if (!log_.empty()) next_maintenance_ = now.steady + kMaintenance;
  for (Alert& alert : memory.alerts) Insert(now, std::move(alert));
}

std::vector<Delivery> Dispatcher::Apply(Instant now, Event event) {
  std::vector<Delivery> out;
  if (auto* arrived = std::get_if<AlertsArrived>(&event)) {
    for (Alert& alert : arrived->alerts) Insert(now, std::move(alert));
  } else if (const auto* done = std::get_if<DeliveryDone>(&event)) {
    Finish(now, *done, out);
  }
  FlushDue(now, out);
  Maintain(now);
  return out;
}

std::optional<Clock::Steady> Dispatcher::NextDue() const {
  if (flush_order_.empty()) return next_maintenance_;
  const Clock::Steady flush = flush_order_.begin()->first;
  return next_maintenance_ ? std::min(flush, *next_maintenance_) : flush;
}

Dispatcher::Memory Dispatcher::TakeMemory() && {
  Memory memory{{}, std::move(log_), last_ticket_};
  for (auto& [key, group] : groups_) {
    for (auto& [fingerprint, held] : group.alerts) memory.alerts.push_back(std::move(held.alert));
  }
  return memory;
}

std::size_t Dispatcher::alert_count() const {
  std::size_t count = 0;
  for (const auto& [key, group] : groups_) count += group.alerts.size();
  return count;
}

void Dispatcher::Insert(Instant now, Alert alert) {
  const Labels labels = options_.route.GroupLabels(alert.labels);
  const std::string key = Route::Key() + ":" + LabelSetText(labels);
  const auto [entry, is_new] = groups_.try_emplace(key);
  Group& group = entry->second;
  if (is_new) {
    group.labels = labels;
    group.in_flight.resize(options_.integrations.size());
    group.next_flush = now.steady + options_.route.group_wait;
    flush_order_.emplace(group.next_flush, entry->first);
    if (!next_maintenance_) next_maintenance_ = now.steady + kMaintenance;
  }
  HeldAlert& held = group.alerts[Fingerprint(alert.labels)];
  const bool known = held.version != 0;
  const Timestamp start = alert.starts_at;
  const Alert& old = held.alert;
  if (known && (Within(alert.ends_at, old.starts_at, old.ends_at) ||
                Within(alert.starts_at, old.starts_at, old.ends_at))) {
    alert = MergeAlerts(old, std::move(alert), now.wall);
  }
  held.alert = std::move(alert);
  held.version = ++last_version_;
  if (!group.has_flushed && start + options_.route.group_wait < now.wall) {
    Schedule(*entry, now.steady);
  }
}

void Dispatcher::Schedule(Groups::value_type& entry, Clock::Steady at) {
  flush_order_.erase({entry.second.next_flush, entry.first});
  entry.second.next_flush = at;
  flush_order_.emplace(at, entry.first);
}

void Dispatcher::FlushDue(Instant now, std::vector<Delivery>& out) {
  while (!flush_order_.empty() && flush_order_.begin()->first <= now.steady) {
    auto& entry = *groups_.find(std::string(flush_order_.begin()->second));
    Schedule(entry, now.steady + options_.route.group_interval);
    entry.second.has_flushed = true;
    Flush(now, entry, out);
  }
}

Dispatcher::Snapshot Dispatcher::Look(Instant now, const Group& group) {
  Snapshot snapshot;
  for (const auto& [fingerprint, held] : group.alerts) {
    const bool resolved = held.alert.ResolvedAt(now.wall);
    snapshot.alerts.push_back({held.alert, resolved});
    (resolved ? snapshot.sets.resolved : snapshot.sets.firing).push_back(fingerprint);
    if (resolved) snapshot.resolved.emplace_back(fingerprint, held.version);
  }
  std::sort(snapshot.alerts.begin(), snapshot.alerts.end(), [](const auto& a, const auto& b) {
    return ComesBefore(a.alert.labels, b.alert.labels);
  });
  return snapshot;
}

void Dispatcher::Flush(Instant now, Groups::value_type& entry, std::vector<Delivery>& out) {
  if (entry.second.alerts.empty()) return;
  const Snapshot snapshot = Look(now, entry.second);
  if (options_.integrations.empty()) {  // nobody has to be told that something ended
    for (const auto& [fingerprint, version] : snapshot.resolved) {
      entry.second.alerts.erase(fingerprint);
    }
  }
  for (std::size_t i = 0; i < options_.integrations.size(); ++i) {
    FlushTo(i, now, entry, snapshot, out);
  }
  DropSettled(entry.second);
}

void Dispatcher::FlushTo(std::size_t integration, Instant now, Groups::value_type& entry,
                         const Snapshot& snapshot, std::vector<Delivery>& out) {
  Group& group = entry.second;
  if (std::optional<InFlight>& flight = group.in_flight[integration]) {
    flight->missed_flush = true;
    return;
  }
  const Integration& to = options_.integrations[integration];
  const auto logged = log_.find({entry.first, to.id});
  const LogEntry* last = logged == log_.end() ? nullptr : &logged->second;
  const NotifyReason reason =
      Judge(last, snapshot.sets, to.send_resolved, now.wall, options_.route.repeat_interval);
  if (reason == NotifyReason::kNothing) {
    Settle(group, integration, snapshot.resolved);
  } else if (snapshot.sets.firing.empty() && !to.send_resolved) {
    // Not said, but noted: the next firing is news again.
    WriteLog(integration, now, entry.first, snapshot.sets);
    Settle(group, integration, snapshot.resolved);
  } else {
    StartDelivery(integration, reason, now, entry, snapshot, out);
  }
}

void Dispatcher::StartDelivery(std::size_t integration, NotifyReason reason, Instant now,
                               Groups::value_type& entry, const Snapshot& snapshot,
                               std::vector<Delivery>& out) {
  const Integration& to = options_.integrations[integration];
  Delivery delivery;
  delivery.ticket = ++last_ticket_;
  delivery.integration = integration;
  delivery.deadline = now.steady + std::max(options_.route.group_interval, kMinDeliveryTime);
  Notification& notification = delivery.notification;
  notification.receiver = to.receiver;
  notification.group_key = entry.first;
  notification.group_labels = entry.second.labels;
  notification.external_url = options_.external_url;
  notification.reason = reason;
  for (const NotifiedAlert& alert : snapshot.alerts) {
    if (to.send_resolved || !alert.resolved) notification.alerts.push_back(alert);
  }
  notification.delivery_id =
      DeliveryId(notification, to.id, now.wall, options_.route.repeat_interval);
  entry.second.in_flight[integration] =
      InFlight{delivery.ticket, snapshot.sets, snapshot.resolved, false};
  tickets_[delivery.ticket] = entry.first;
  out.push_back(std::move(delivery));
}

void Dispatcher::Finish(Instant now, const DeliveryDone& done, std::vector<Delivery>& out) {
  const auto ticket = tickets_.find(done.ticket);
  if (ticket == tickets_.end()) return;  // of a configuration that is gone
  auto& entry = *groups_.find(ticket->second);
  tickets_.erase(ticket);
  Group& group = entry.second;
  const auto has_ticket = [&](const auto& flight) {
    return flight && flight->ticket == done.ticket;
  };
  const auto found = std::find_if(group.in_flight.begin(), group.in_flight.end(), has_ticket);
  const auto integration = static_cast<std::size_t>(found - group.in_flight.begin());
  const InFlight flight = **found;
  found->reset();
  if (done.accepted) {
    WriteLog(integration, now, entry.first, flight.told);
    Settle(group, integration, flight.resolved);
  }
  if (flight.missed_flush && !group.alerts.empty()) {
    FlushTo(integration, now, entry, Look(now, group), out);
  }
  DropSettled(group);
}

void Dispatcher::WriteLog(std::size_t integration, Instant now, const std::string& key,
                          const GroupAlerts& told) {
  const Duration keep = std::min(2 * options_.route.repeat_interval, kLongestLog);
  log_[{key, options_.integrations[integration].id}] =
      LogEntry{told.firing, told.resolved, now.wall, now.wall + keep};
}

void Dispatcher::Settle(Group& group, std::size_t integration, const Resolved& resolved) {
  for (const auto& [fingerprint, version] : resolved) {
    const auto held = group.alerts.find(fingerprint);
    if (held == group.alerts.end()) continue;
    held->second.settled.resize(group.in_flight.size());
    held->second.settled[integration] = version;
  }
}

void Dispatcher::DropSettled(Group& group) {
  std::erase_if(group.alerts, [](const auto& item) {
    const HeldAlert& held = item.second;
    return !held.settled.empty() &&
           std::all_of(held.settled.begin(), held.settled.end(),
                       [&](std::uint64_t version) { return version == held.version; });
  });
}

void Dispatcher::Maintain(Instant now) {
  if (!next_maintenance_ || now.steady < *next_maintenance_) return;
  for (auto group = groups_.begin(); group != groups_.end();) {
    const bool in_use = !group->second.alerts.empty() ||
                        std::any_of(group->second.in_flight.begin(), group->second.in_flight.end(),
                                    [](const auto& flight) { return flight.has_value(); });
    if (in_use) {
      ++group;
      continue;
    }
    flush_order_.erase({group->second.next_flush, group->first});
    group = groups_.erase(group);
  }
  std::erase_if(log_, [&](const auto& entry) { return entry.second.expires <= now.wall; });
  next_maintenance_.reset();
  if (!groups_.empty() || !log_.empty()) next_maintenance_ = now.steady + kMaintenance;
}

}  // namespace skep::notifier
