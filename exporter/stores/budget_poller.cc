#include "exporter/stores/budget_poller.h"

#include <utility>

#include "exporter/stores/workspace_poller.h"

namespace skep::stores {
namespace {

constexpr const char* kPosition = "ai_budget/receipts";

std::optional<Timestamp> ReceiptTime(std::string_view line) {
  Reading<BudgetReceipt> receipt = ParseBudgetReceipt(line);
  if (!receipt) return {};
  return receipt->at;
}

swarm::PauseReason ReasonOf(BudgetUse::Pause pause) {
  switch (pause) {
    case BudgetUse::Pause::kNone:
      return swarm::PauseReason::kNone;
    case BudgetUse::Pause::kQuota:
      return swarm::PauseReason::kQuota;
    case BudgetUse::Pause::kManual:
      return swarm::PauseReason::kManual;
  }
  return swarm::PauseReason::kNone;
}

}  // namespace

BudgetPoller::BudgetPoller(AiBudgetOptions options, const Sinks& sinks)
    : options_(std::move(options)),
      sinks_(sinks),
      ledger_("ai_budget", options_.folder + "/ai-budget.json", ParseBudgetLedger),
      jobs_("ai_jobs", options_.folder + "/ai-jobs.json", ParseAiJobs) {}

void BudgetPoller::Poll(const Round& round, const std::function<bool(std::int64_t pid)>& is_alive) {
  report_ = {};
  TakePart(ledger_, round, report_);
  TakePart(jobs_, round, report_);
  known_ |= report_.present;
  if (report_.readable > 0) {
    Publish(round, is_alive);
  } else if (known_ || options_.folder_is_configured) {
    Lose();
  }
}

void BudgetPoller::Forget() { sinks_.board.Forget(key_); }

void BudgetPoller::Lose() {
  const ReadFailure failure =
      report_.failures.empty() ? ReadFailure::kMissing : report_.failures[0].failure;
  sinks_.board.Failed(key_, ReadFailureName(failure), "the AI budget");
}

swarm::AiBudget BudgetPoller::BudgetAt(
    const Round& round, const std::function<bool(std::int64_t pid)>& is_alive) const {
  swarm::AiBudget budget{.limit_1h = static_cast<double>(options_.max_per_hour),
                         .limit_24h = static_cast<double>(options_.max_per_day),
                         .limit_active = static_cast<double>(options_.max_concurrent)};
  const BudgetLedger* ledger = ledger_.value(round);
  if (ledger == nullptr) return budget;
  const BudgetUse use = UseOf(*ledger, round.now, is_alive);
  budget.launches_1h = use.launches_last_hour;
  budget.launches_24h = use.launches_last_day;
  budget.active = use.active;
  budget.pause = ReasonOf(use.pause);
  budget.paused_until = use.paused_until;
  return budget;
}

void BudgetPoller::Publish(const Round& round,
                           const std::function<bool(std::int64_t pid)>& is_alive) {
  swarm::Snapshot snapshot{.key = key_,
                           .data_time = ledger_.modified(),
                           .is_complete = report_.IsComplete(),
                           .budget = BudgetAt(round, is_alive)};
  LineFileOptions options;
  options.time_of = ReceiptTime;
  const std::optional<LineBatch> lines = LinesBehind(
      sinks_.positions, kPosition, options_.folder + "/ai-budget-receipts.jsonl", options);
  Status published = sinks_.board.Publish(std::move(snapshot), [&](state::Changes& changes) {
    if (!lines) return Status();
    for (const std::string& line : lines->lines) CountReceipt(line, changes);
    const std::string position = lines->next.Format();
    if (sinks_.positions.Get(kPosition) != position) {
      sinks_.positions.Put(changes, kPosition, position);
    }
    return Status();
  });
  // Nothing of this round counts; the next one reads the same again.
  if (!published) sinks_.log.Warn("swarm state not kept", {{"err", published.error()}});
  for (const PartFailure& failure : report_.failures) {
    sinks_.board.PartFailed(key_, ReadFailureName(failure.failure), failure.part);
  }
}

void BudgetPoller::CountReceipt(std::string_view line, state::Changes& changes) const {
  const swarm::Place place{key_.workspace, key_.source};
  Reading<BudgetReceipt> receipt = ParseBudgetReceipt(line);
  if (!receipt) {
    sinks_.flow.ReadError(changes, place, ReadFailureName(receipt.failure()));
    return;
  }
  switch (receipt->event) {
    case BudgetReceipt::Event::kLaunch:
      sinks_.flow.AiLaunch(changes, place, receipt->worker, receipt->model);
      break;
    case BudgetReceipt::Event::kUsage:
      if (receipt->duration_seconds) {
        sinks_.flow.AiLaunchTook(changes, place, receipt->worker, *receipt->duration_seconds);
      }
      break;
    case BudgetReceipt::Event::kDeny:
      sinks_.flow.AiLaunchDenied(changes, place, receipt->reason);
      break;
    case BudgetReceipt::Event::kQuotaPause:
      sinks_.flow.AiQuotaPause(changes, place);
      break;
    case BudgetReceipt::Event::kManualPause:
    case BudgetReceipt::Event::kManualResume:
      break;  // told by swarm_ai_paused
  }
}

}  // namespace skep::stores
