#include "exporter/stores/workspace_poller.h"

#include <algorithm>
#include <utility>

#include "common/base/number.h"
#include "exporter/stores/ai_budget.h"

namespace skep::stores {
namespace {

std::optional<Timestamp> TrajectoryTime(std::string_view line) {
  Reading<TrajectoryRecord> record = ParseTrajectory(line);
  if (!record) return {};
  return record->at;
}

// Outcomes up to one of them: a time, and how many had it.
struct OutcomeMark {
  std::int64_t millis = 0;
  std::uint64_t times = 0;

  std::string Format() const { return std::to_string(millis) + ' ' + std::to_string(times); }
  static OutcomeMark Parse(std::string_view text) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    OutcomeMark mark;
    mark.millis = ParseInt(text.substr(0, blank)).value_or(0);
    mark.times = ParseUint(text.substr(std::min(blank + 1, text.size()))).value_or(0);
    return mark;
  }
  // Whether one at `at`, looked at in order, lies behind; then the mark moves there. `equal` counts
  // those at the mark's time that were met so far.
  bool Passes(std::int64_t at, std::uint64_t& equal) {
    if (at < millis) return false;
    if (at > millis) {
      millis = at;
      times = equal = 0;
    }
    if (++equal <= times) return false;
    times = equal;
    return true;
  }
};

}  // namespace

std::optional<LineBatch> LinesBehind(const Positions& positions, const std::string& name,
                                     const std::string& path, const LineFileOptions& options) {
  std::optional<LineCursor> cursor;
  if (std::optional<std::string> text = positions.Get(name)) {
    Result<LineCursor> parsed = LineCursor::Parse(*text);
    if (parsed) cursor = *parsed;
  }
  Reading<LineBatch> batch = ReadNewLines(path, cursor, options);
  if (batch) return std::move(*batch);
  if (batch.failure() == ReadFailure::kMissing && !cursor) return LineBatch{};
  return {};
}

WorkspacePoller::WorkspacePoller(Workspace workspace, const Sinks& sinks)
    : workspace_(std::move(workspace)),
      sinks_(sinks),
      v3_(workspace_.path),
      v2_(workspace_.path),
      ruv_swarm_(workspace_.path, workspace_.ruv_swarm_db),
      novice_(workspace_.path, workspace_.novice_db) {}

void WorkspacePoller::Poll(const WorkspaceContext& context) {
  v3_.Refresh(context);
  v2_.Refresh(context);
  ruv_swarm_.Refresh(context);
  novice_.Refresh(context);
  const std::vector<Lines> lines = NewLines();
  Offer(v3_.report(), [&](state::Changes& changes) { CountV3(context.round, lines, changes); });
  Offer(v2_.report());
  Offer(ruv_swarm_.report());
  Offer(novice_.report());
  if (known_.empty() && workspace_.is_configured) {
    sinks_.board.Failed({workspace_.name, "claude_flow_v3"}, ReadFailureName(ReadFailure::kMissing),
                        "nothing of a swarm in the workspace");
  }
  if (context.census != nullptr) OfferProcesses(*context.census);
}

void WorkspacePoller::Forget() {
  for (const std::string& source : known_) sinks_.board.Forget({workspace_.name, source});
  if (known_.empty()) sinks_.board.Forget({workspace_.name, "claude_flow_v3"});
  sinks_.board.Forget({workspace_.name, "processes"});
}

void WorkspacePoller::Offer(const SourceReport& report, const Also& also) {
  swarm::SourceKey key{workspace_.name, report.snapshot.key.source};
  if (report.present) known_.insert(key.source);
  if (!known_.contains(key.source)) return;
  if (report.readable == 0) {
    Lose(report, key);
  } else {
    Publish(report, std::move(key), also);
  }
}

void WorkspacePoller::Publish(const SourceReport& report, swarm::SourceKey key, const Also& also) {
  swarm::Snapshot snapshot = report.snapshot;
  snapshot.key = key;
  snapshot.is_complete = report.IsComplete();
  Status published = sinks_.board.Publish(std::move(snapshot), [&](state::Changes& changes) {
    if (also) also(changes);
    return Status();
  });
  // Nothing of this round counts; the next one reads the same again.
  if (!published) sinks_.log.Warn("swarm state not kept", {{"err", published.error()}});
  for (const PartFailure& failure : report.failures) {
    sinks_.board.PartFailed(key, ReadFailureName(failure.failure), failure.part);
  }
}

// Nothing of the source can be read.
void WorkspacePoller::Lose(const SourceReport& report, const swarm::SourceKey& key) {
  if (report.failures.empty()) {
    sinks_.board.Failed(key, ReadFailureName(ReadFailure::kMissing), "all stores are gone");
    return;
  }
  sinks_.board.Failed(key, ReadFailureName(report.failures[0].failure), report.failures[0].part);
  for (std::size_t i = 1; i < report.failures.size(); ++i) {
    const PartFailure& failure = report.failures[i];
    sinks_.board.PartFailed(key, ReadFailureName(failure.failure), failure.part);
  }
}

void WorkspacePoller::OfferProcesses(const ProcessCensus& census) {
  swarm::Snapshot snapshot;
  snapshot.key = {workspace_.name, "processes"};
  snapshot.processes = census.Kinds(workspace_.path);
  Status published = sinks_.board.Publish(std::move(snapshot));
  if (!published) sinks_.log.Warn("swarm state not kept", {{"err", published.error()}});
}

std::string WorkspacePoller::PositionName(std::string_view what) const {
  return "workspace/" + workspace_.name + "/" + std::string(what);
}

std::vector<WorkspacePoller::Lines> WorkspacePoller::NewLines() {
  struct File {
    std::string_view what;
    std::string path;
    std::optional<Timestamp> (*time_of)(std::string_view line);
    void (WorkspacePoller::*count)(std::string_view line, state::Changes& changes);
  };
  std::vector<Lines> lines;
  for (const File& file :
       {File{"trajectories", v3_.trajectories(), TrajectoryTime, &WorkspacePoller::CountTrajectory},
        File{"daemon_log", v3_.daemon_log(), ParseLogTime, &WorkspacePoller::CountDeferral}}) {
    LineFileOptions options;
    options.time_of = file.time_of;
    const std::string name = PositionName(file.what);
    std::optional<LineBatch> batch = LinesBehind(sinks_.positions, name, file.path, options);
    if (batch) lines.push_back({.position = name, .batch = std::move(*batch), .count = file.count});
  }
  return lines;
}

// What the store's lock need not wait for is read before.
void WorkspacePoller::CountV3(const Round& round, const std::vector<Lines>& lines,
                              state::Changes& changes) {
  CountOutcomes(round, changes);
  CountReceipts(round, changes);
  for (const Lines& some : lines) {
    for (const std::string& line : some.batch.lines) (this->*some.count)(line, changes);
    const std::string position = some.batch.next.Format();
    if (sinks_.positions.Get(some.position) != position) {
      sinks_.positions.Put(changes, some.position, position);
    }
  }
}

// What is there at the first look was before our time.
void WorkspacePoller::CountOutcomes(const Round& round, state::Changes& changes) {
  const Records<OutcomeRecord>* outcomes = v3_.outcomes().value(round);
  const std::string position = PositionName("outcomes");
  const std::optional<std::string> text = sinks_.positions.Get(position);
  if (outcomes == nullptr) {
    if (!text && !v3_.outcomes().exists()) sinks_.positions.Put(changes, position, "0 0");
    return;
  }
  OutcomeMark mark = OutcomeMark::Parse(text.value_or("0 0"));
  std::uint64_t equal = 0;
  for (const OutcomeRecord& outcome : outcomes->items) {
    if (!mark.Passes(ToMillis(outcome.created), equal) || !text) continue;
    sinks_.families.TaskOutcome(changes, workspace_.name, swarm::OutcomeOf(outcome.success),
                                outcome.quality);
  }
  if (mark.Format() != text) sinks_.positions.Put(changes, position, mark.Format());
}

// Receipts are numbered from 0; where the numbers fell, the store began anew.
void WorkspacePoller::CountReceipts(const Round& round, state::Changes& changes) {
  const Records<ReceiptRecord>* receipts = v3_.receipts().value(round);
  const std::string position = PositionName("receipts");
  const std::optional<std::string> text = sinks_.positions.Get(position);
  if (receipts == nullptr) {
    if (!text && !v3_.receipts().exists()) sinks_.positions.Put(changes, position, "-1");
    return;
  }
  std::int64_t last = -1;
  for (const ReceiptRecord& receipt : receipts->items) last = std::max(last, receipt.sequence);
  std::int64_t counted = text ? ParseInt(*text).value_or(last) : last;
  if (counted > last) counted = -1;
  std::map<std::string_view, double> times;
  for (const ReceiptRecord& receipt : receipts->items) {
    if (receipt.sequence > counted) times[receipt.outcome] += 1;
  }
  for (const auto& [outcome, number] : times) {
    sinks_.families.PolicyDecision(changes, workspace_.name, outcome, number);
  }
  if (std::to_string(last) != text) sinks_.positions.Put(changes, position, std::to_string(last));
}

void WorkspacePoller::CountTrajectory(std::string_view line, state::Changes& changes) {
  Reading<TrajectoryRecord> record = ParseTrajectory(line);
  if (!record) {
    sinks_.flow.ReadError(changes, place(), ReadFailureName(record.failure()));
    return;
  }
  sinks_.families.RouterOutcome(changes, workspace_.name,
                                {.ok = record->success,
                                 .input_tokens = record->input_tokens,
                                 .output_tokens = record->output_tokens,
                                 .cost_usd = record->cost_usd});
}

void WorkspacePoller::CountDeferral(std::string_view line, state::Changes& changes) {
  if (std::optional<DeferralRecord> deferral = ParseDeferral(line)) {
    sinks_.flow.WorkerDeferred(changes, place(), deferral->worker, deferral->reason);
  }
}

}  // namespace skep::stores
