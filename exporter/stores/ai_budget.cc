#include "exporter/stores/ai_budget.h"

#include <array>
#include <utility>

#include "exporter/stores/fields.h"
#include "exporter/swarm/words.h"

namespace skep::stores {
namespace {

using json::Value;

constexpr Duration kHour = std::chrono::hours(1);
constexpr Duration kDay = std::chrono::hours(24);
// As long as claude-flow believes in a reservation.
constexpr Duration kReservation = std::chrono::minutes(30);
// claude-flow writes 9e12 for a pause that only a person ends; no quota lasts a year.
constexpr double kManualPauseMillis = 8e12;

std::optional<BudgetReceipt::Event> EventOf(std::string_view name) {
  using Event = BudgetReceipt::Event;
  constexpr std::array<std::pair<std::string_view, Event>, 6> kEvents{
      {{"launch", Event::kLaunch},
       {"usage", Event::kUsage},
       {"deny", Event::kDeny},
       {"quota-pause", Event::kQuotaPause},
       {"manual-pause", Event::kManualPause},
       {"manual-resume", Event::kManualResume}}};
  for (const auto& [known, event] : kEvents) {
    if (known == name) return event;
  }
  return {};
}

}  // namespace

Reading<BudgetLedger> ParseBudgetLedger(std::string_view bytes) {
  Reading<Value> root = ParseStore(bytes);
  if (!root) return root.failure();
  const Value& launches = (*root)["launches"];
  const Value& active = (*root)["active"];
  if (!launches.IsArray() || !active.IsArray()) return ReadFailure::kSchema;
  BudgetLedger ledger;
  for (const Value& item : launches.items()) {
    if (std::optional<Timestamp> at = TimeField(item, "at")) ledger.launches.push_back(*at);
  }
  for (const Value& item : active.items()) {
    std::optional<Timestamp> at = TimeField(item, "at");
    if (at) ledger.active.push_back({.since = *at, .pid = item["pid"].AsInt().value_or(0)});
  }
  ledger.paused_until_millis = CountField(*root, "pausedUntil");
  return ledger;
}

BudgetUse UseOf(const BudgetLedger& ledger, Timestamp now,
                const std::function<bool(std::int64_t pid)>& is_alive) {
  BudgetUse use;
  for (Timestamp at : ledger.launches) {
    if (now - at < kHour) use.launches_last_hour += 1;
    if (now - at < kDay) use.launches_last_day += 1;
  }
  for (const BudgetLedger::Active& active : ledger.active) {
    if (now - active.since < kReservation && is_alive(active.pid)) use.active += 1;
  }
  double until = ledger.paused_until_millis.value_or(0);
  if (until <= static_cast<double>(ToMillis(now))) return use;
  if (until >= kManualPauseMillis) {
    use.pause = BudgetUse::Pause::kManual;
  } else {
    use.pause = BudgetUse::Pause::kQuota;
    use.paused_until = PlausibleMillis(until);
  }
  return use;
}

Reading<BudgetReceipt> ParseBudgetReceipt(std::string_view line) {
  Reading<Value> root = ParseStore(line);
  if (!root) return root.failure();
  std::optional<BudgetReceipt::Event> event = EventOf(TextField(*root, "event"));
  std::optional<Timestamp> at = TimeField(*root, "at");
  if (!event || !at) return ReadFailure::kSchema;
  BudgetReceipt receipt{.event = *event,
                        .at = *at,
                        .worker = TextField(*root, "workerType"),
                        .model = TextField(*root, "model"),
                        .reason = {},
                        .duration_seconds = CountField(*root, "durationMs")};
  if (receipt.duration_seconds) *receipt.duration_seconds /= 1e3;
  if (*event == BudgetReceipt::Event::kDeny) {
    receipt.reason = swarm::DenialWord(TextField(*root, "reason"));
  }
  return receipt;
}

Reading<TrajectoryRecord> ParseTrajectory(std::string_view line) {
  Reading<Value> root = ParseStore(line);
  if (!root) return root.failure();
  std::optional<Timestamp> at = TimeField(*root, "ts");
  std::optional<double> quality = NumberField(*root, "quality");
  if (!at || !quality || TextField(*root, "type") != "outcome") return ReadFailure::kSchema;
  const Value& tokens = (*root)["tokens"];
  return TrajectoryRecord{.at = *at,
                          .success = *quality > 0,
                          .input_tokens = CountField(tokens, "input"),
                          .output_tokens = CountField(tokens, "output"),
                          .cost_usd = CountField(*root, "cost_usd")};
}

std::optional<Timestamp> ParseLogTime(std::string_view line) {
  std::size_t end = line.find(']');
  if (!line.starts_with('[') || end == std::string_view::npos || end > 40) return {};
  Result<Timestamp> time = ParseTimestamp(line.substr(1, end - 1));
  if (!time) return {};
  return PlausibleMillis(static_cast<double>(ToMillis(*time)));
}

// `[TIME] [INFO] Worker NAME deferred: REASON`
std::optional<DeferralRecord> ParseDeferral(std::string_view line) {
  constexpr std::string_view kBefore = "] Worker ";
  constexpr std::string_view kBehind = " deferred: ";
  std::optional<Timestamp> at = ParseLogTime(line);
  std::size_t before = line.find(kBefore);
  if (!at || before == std::string_view::npos) return {};
  std::string_view rest = line.substr(before + kBefore.size());
  std::size_t behind = rest.find(kBehind);
  if (behind == std::string_view::npos || behind == 0 || behind > 64) return {};
  if (rest.substr(0, behind).find(' ') != std::string_view::npos) return {};
  return DeferralRecord{.at = *at,
                        .worker = std::string(rest.substr(0, behind)),
                        .reason = swarm::DeferralWord(rest.substr(behind + kBehind.size()))};
}

}  // namespace skep::stores
