#include "exporter/swarm/board.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "exporter/swarm/board_gauges.h"

namespace skep::swarm {
namespace {

constexpr GaugeFamily kUp{"swarm_source_up", "Whether the source could be read the last time.",
                          Combine::kMin};
constexpr GaugeFamily kLastSuccess{"swarm_source_last_success_timestamp_seconds",
                                   "When the source was last read with success.", Combine::kMax};
constexpr GaugeFamily kDataTime{"swarm_source_data_timestamp_seconds",
                                "When the source's data was written, as the source tells it.",
                                Combine::kMax};
constexpr GaugeFamily kLastProgress{"swarm_last_progress_timestamp_seconds",
                                    "When a task last changed its status or progress.",
                                    Combine::kMax};
constexpr GaugeFamily kUntracked{
    "swarm_history_untracked",
    "Tasks and agents of the source whose changes are not counted since too many are known."};
constexpr GaugeFamily kDropped{"skep_exporter_swarm_series_dropped",
                               "Series of swarms left out of this page since a family was full."};

Place PlaceOf(const SourceKey& key) { return {key.workspace, key.source}; }

struct Entry {
  std::shared_ptr<const Snapshot> last;  // the last good one; null: never read
  bool is_up = false;
  Timestamp last_success{};      // of a complete one
  Clock::Steady published_at{};  // of `last`
  std::optional<Clock::Steady> last_logged;
};

}  // namespace

struct Board::Impl {
  Impl(BoardOptions o, History& h, const Flow& f, state::Store& s, const Clock& c, Logger l)
      : options(o), history(h), flow(f), store(s), clock(c), log(std::move(l)) {}

  Status CountFailure(const SourceKey& key, std::string_view reason, bool is_lost);
  // Once per source and minute.
  void LogFailure(const SourceKey& key, std::string_view reason, std::string_view detail);
  bool IsTooOld(const Entry& entry) const {
    return entry.last == nullptr || clock.SteadyNow() - entry.published_at > options.max_age;
  }

  // Whether the source has a place, or gets one: it is kept while its unit runs.
  Status Admit(const SourceKey& key);
  bool IsFull() const { return entries.size() + joining.size() >= options.max_sources; }

  std::mutex mutex;
  BoardOptions options;                       // guarded by mutex
  std::set<SourceKey> joining;                // guarded by mutex; new, its first unit is running
  std::map<SourceKey, Entry> entries;         // guarded by mutex
  std::vector<const SnapshotSource*> others;  // guarded by mutex

  History& history;
  const Flow& flow;
  state::Store& store;
  const Clock& clock;
  Logger log;
};

Status Board::Impl::Admit(const SourceKey& key) {
  const std::lock_guard lock(mutex);
  if (entries.contains(key)) return {};
  if (IsFull()) {
    return Invalid("more than " + std::to_string(options.max_sources) + " sources of swarms");
  }
  joining.insert(key);
  return {};
}

Status Board::Impl::CountFailure(const SourceKey& key, std::string_view reason, bool is_lost) {
  return store.Update([&](state::Changes& changes) -> Status {
    flow.ReadError(changes, PlaceOf(key), reason);
    if (is_lost) history.Lost(key, flow, changes);
    return {};
  });
}

void Board::Impl::LogFailure(const SourceKey& key, std::string_view reason,
                             std::string_view detail) {
  {
    const std::lock_guard lock(mutex);
    const auto at = entries.find(key);
    if (at == entries.end()) return;
    const Clock::Steady now = clock.SteadyNow();
    if (at->second.last_logged && now - *at->second.last_logged < std::chrono::minutes(1)) return;
    at->second.last_logged = now;
  }
  log.Warn("a source of swarms cannot be read", {{"workspace", key.workspace},
                                                 {"source", key.source},
                                                 {"reason", reason},
                                                 {"detail", detail}});
}

Board::Board(BoardOptions options, History& history, const Flow& flow, state::Store& store,
             const Clock& clock, Logger log)
    : impl_(std::make_unique<Impl>(options, history, flow, store, clock, std::move(log))) {}
Board::~Board() = default;

void Board::Apply(BoardOptions options) {
  const std::lock_guard lock(impl_->mutex);
  impl_->options = options;
}

Status Board::Publish(Snapshot snapshot,
                      const std::function<Status(state::Changes& changes)>& also) {
  const Timestamp now = impl_->clock.Now();
  auto shared = std::make_shared<const Snapshot>(std::move(snapshot));
  RETURN_IF_ERROR(impl_->Admit(shared->key));
  const Status counted = impl_->store.Update([&](state::Changes& changes) -> Status {
    impl_->history.Advance(*shared, impl_->flow, changes, now);
    return also ? also(changes) : Status();
  });
  const std::lock_guard lock(impl_->mutex);
  impl_->joining.erase(shared->key);
  if (!counted) return counted;
  Entry& entry = impl_->entries[shared->key];
  entry.is_up = shared->is_complete;
  if (entry.is_up) entry.last_success = now;
  entry.published_at = impl_->clock.SteadyNow();
  entry.last = std::move(shared);
  return {};
}

void Board::Failed(const SourceKey& key, std::string_view reason, std::string_view detail) {
  bool is_lost = false;
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->entries.contains(key) && impl_->IsFull()) return;
    Entry& entry = impl_->entries[key];
    entry.is_up = false;
    is_lost = impl_->IsTooOld(entry);
    if (is_lost) entry.last = nullptr;
  }
  // A state file that cannot be written is logged by the store; the failure shows as up 0.
  (void)impl_->CountFailure(key, reason, is_lost);
  impl_->LogFailure(key, reason, detail);
}

void Board::PartFailed(const SourceKey& key, std::string_view reason, std::string_view detail) {
  (void)impl_->CountFailure(key, reason, false);  // as above
  impl_->LogFailure(key, reason, detail);
}

void Board::Forget(const SourceKey& key) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->entries.erase(key);
  }
  // Not written: the source is forgotten when it is configured no more the next time.
  (void)impl_->store.Update([&](state::Changes& changes) -> Status {
    impl_->history.Forget(key, impl_->flow, changes);
    return {};
  });
}

void Board::AddSource(const SnapshotSource& source) {
  const std::lock_guard lock(impl_->mutex);
  impl_->others.push_back(&source);
}

namespace {

// Keeps what only pages need: which label values and series there were before.
class BoardCollector final : public exporter::Collector {
 public:
  // What a page is made of, taken under the board's lock.
  struct View {
    BoardOptions options;
    std::map<SourceKey, Entry> entries;
    std::vector<const SnapshotSource*> others;
  };

  BoardCollector(std::function<View()> view, const History& history, const Clock& clock)
      : view_(std::move(view)), history_(history), clock_(clock) {}

  std::string_view name() const override { return "swarm"; }

  Status Collect(exporter::CollectContext& context) override {
    const View view = view_();
    const Timestamp now = clock_.Now();
    GaugeSheet sheet(view.options.max_series);
    for (const auto& [key, entry] : view.entries) OneSource(key, entry, view.options, now, sheet);
    std::set<SourceKey> visited;
    for (const SnapshotSource* other : view.others) {
      other->Visit(now, [&](const Snapshot& snapshot) {
        AddGauges(snapshot, view.options, now, caps_, shown_[snapshot.key], sheet);
        visited.insert(snapshot.key);
      });
    }
    std::erase_if(shown_, [&](const auto& shown) {
      return !view.entries.contains(shown.first) && !visited.contains(shown.first);
    });
    if (!view.entries.empty() || !visited.empty()) {
      sheet.Add(kDropped, {}, static_cast<double>(sheet.dropped()));
    }
    sheet.Write(context.page);
    return {};
  }

 private:
  void OneSource(const SourceKey& key, const Entry& entry, const BoardOptions& options,
                 Timestamp now, GaugeSheet& sheet) {
    const std::string labels = SourceLabels(key);
    sheet.Add(kUp, labels, entry.is_up ? 1 : 0);
    if (entry.last_success != Timestamp{}) {
      sheet.Add(kLastSuccess, labels, ToSeconds(entry.last_success));
    }
    if (entry.last == nullptr) return;
    const Snapshot& snapshot = *entry.last;
    if (snapshot.data_time) sheet.Add(kDataTime, labels, ToSeconds(*snapshot.data_time));
    AddGauges(snapshot, options, now, caps_, shown_[key], sheet);
    if (!snapshot.tasks) return;
    const History::Progress progress = history_.ProgressOf(key, now - options.stall_timeout);
    sheet.Add(kStalledTasks, labels, static_cast<double>(progress.stalled));
    sheet.Add(kUntracked, labels, static_cast<double>(progress.untracked));
    if (progress.last) sheet.Add(kLastProgress, labels, ToSeconds(*progress.last));
  }

  std::function<View()> view_;
  const History& history_;
  const Clock& clock_;
  ValueCaps caps_;
  std::map<SourceKey, ShownSeries> shown_;
};

}  // namespace

std::unique_ptr<exporter::Collector> Board::MakeCollector() {
  const auto view = [impl = impl_.get()]() -> BoardCollector::View {
    const std::lock_guard lock(impl->mutex);
    BoardCollector::View page{impl->options, impl->entries, impl->others};
    for (auto& [key, entry] : page.entries) {
      if (impl->IsTooOld(entry)) {
        entry.last = nullptr;
        entry.is_up = false;
      }
    }
    return page;
  };
  return std::make_unique<BoardCollector>(view, impl_->history, impl_->clock);
}

}  // namespace skep::swarm
