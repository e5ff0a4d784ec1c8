// When is whom told what: grouping, waiting, flushing and repeating, as Alertmanager's dispatcher
// and dedup stage do it, without clock, threads or I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/model/alert.h"
#include "evaluator/notifier/notification.h"
#include "evaluator/notifier/notification_log.h"
#include "evaluator/notifier/route.h"

namespace skep::notifier {

// Timers run on the steady clock, so that a wall clock that jumps neither delays nor hastens a
// flush.
struct Instant {
  Timestamp wall;
  Clock::Steady steady;
};

// One way out of a receiver: a receiver may have several.
struct Integration {
  std::string id;        // "pager/webhook[0]": unique, stable over reloads
  std::string receiver;  // "pager"
  bool send_resolved = true;
  bool operator==(const Integration&) const = default;
};

// One notification to be delivered. Its outcome comes back as DeliveryDone with the ticket.
struct Delivery {
  std::uint64_t ticket = 0;
  std::size_t integration = 0;  // index into the Dispatcher's list
  Clock::Steady deadline;       // given up then; the next flush says it anew
  Notification notification;
};

// The events.
struct AlertsArrived {
  std::vector<Alert> alerts;
};
struct DeliveryDone {
  std::uint64_t ticket = 0;
  bool accepted = false;
};
struct TimePassed {};
using Event = std::variant<AlertsArrived, DeliveryDone, TimePassed>;

// The life of a group and, within it, of each integration:
//
//   first alert ── group_wait ──> flush ── group_interval ──> flush ── ... ── empty: forgotten
//                                   │
//          for each integration: Judge ── nothing due ──────────────> settled
//                                   └── Delivery ── accepted ── log ─> settled
//                                          └── refused, deadline ────> told anew at the next flush
//
// A resolved alert leaves the group when every integration has settled it. An integration whose
// delivery is still under way sits out a flush and makes up for it when the delivery ends; the
// others do not wait for it.
//
// An alert that began more than group_wait ago (a restart, a reload) is flushed at once; the log
// keeps it from being told twice.
//
// Thread-compatible.
class Dispatcher {
 public:
  struct Options {
    Route route;
    std::vector<Integration> integrations;  // of the route's receiver; may be none
    std::string external_url;
  };

  // What outlives a reload.
  struct Memory {
    std::vector<Alert> alerts;
    // By group key and integration id.
    std::map<std::pair<std::string, std::string>, LogEntry> log;
    std::uint64_t last_ticket = 0;
  };

  explicit Dispatcher(Options options);
  // Takes up where another one was. Its alerts are grouped anew; deliveries that were under way are
  // judged anew.
  Dispatcher(Options options, Memory memory, Instant now);
  Dispatcher(Dispatcher&&) = default;
  Dispatcher(const Dispatcher&) = delete;  // flush_order_ points into groups_

  // Applies one event that happened at `now`, then flushes every group that is due.
  std::vector<Delivery> Apply(Instant now, Event event);

  // When TimePassed is next of use; nothing: not before another event.
  std::optional<Clock::Steady> NextDue() const;

  Memory TakeMemory() &&;

  const Options& options() const { return options_; }
  std::size_t group_count() const { return groups_.size(); }
  std::size_t alert_count() const;

 private:
  struct HeldAlert {
    Alert alert;
    std::uint64_t version = 0;           // of the last change
    std::vector<std::uint64_t> settled;  // by integration: the version it needs no more telling of
  };
  // Fingerprint and version of the resolved alerts that a flush saw.
  using Resolved = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  struct InFlight {
    std::uint64_t ticket = 0;
    GroupAlerts told;
    Resolved resolved;
    bool missed_flush = false;
  };
  struct Group {
    Labels labels;
    std::map<std::uint64_t, HeldAlert> alerts;  // by fingerprint
    Clock::Steady next_flush;
    bool has_flushed = false;
    std::vector<std::optional<InFlight>> in_flight;  // by integration
  };
  using Groups = std::map<std::string, Group>;  // by group key
  struct Snapshot;                              // a group's alerts as one flush sees them

  void Insert(Instant now, Alert alert);
  void Finish(Instant now, const DeliveryDone& done, std::vector<Delivery>& out);
  void FlushDue(Instant now, std::vector<Delivery>& out);
  void Flush(Instant now, Groups::value_type& entry, std::vector<Delivery>& out);
  void FlushTo(std::size_t integration, Instant now, Groups::value_type& entry,
               const Snapshot& snapshot, std::vector<Delivery>& out);
  void StartDelivery(std::size_t integration, NotifyReason reason, Instant now,
                     Groups::value_type& entry, const Snapshot& snapshot,
                     std::vector<Delivery>& out);
  void WriteLog(std::size_t integration, Instant now, const std::string& key,
                const GroupAlerts& told);
  static Snapshot Look(Instant now, const Group& group);
  static void Settle(Group& group, std::size_t integration, const Resolved& resolved);
  static void DropSettled(Group& group);
  void Schedule(Groups::value_type& entry, Clock::Steady at);
  void Maintain(Instant now);

  Options options_;
  Groups groups_;
  std::set<std::pair<Clock::Steady, std::string_view>> flush_order_;  // keys live in groups_
  std::map<std::uint64_t, std::string> tickets_;                      // group key of a ticket
  std::map<std::pair<std::string, std::string>, LogEntry> log_;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t last_version_ = 0;
  std::optional<Clock::Steady> next_maintenance_;
};

// What Alertmanager makes of two reports of one alert whose spans overlap: the earliest start; the
// newer report's end, unless both have ended: then the later one.
Alert MergeAlerts(const Alert& older, Alert newer, Timestamp now);

}  // namespace skep::notifier
