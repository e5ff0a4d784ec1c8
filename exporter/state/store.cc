#include "exporter/state/store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/thread.h"
#include "exporter/state/codec.h"
#include "exporter/state/folder.h"
#include "exporter/state/frames.h"
#include "exporter/state/page.h"
#include "exporter/state/tables.h"
#include "exporter/state/unit.h"

namespace skep::state {
namespace {

using exposition::MetricType;
using namespace std::chrono_literals;

constexpr auto kSyncInterval = 1s;
constexpr auto kCheckpointRetry = 10s;
constexpr auto kRefusedLogInterval = 60s;

std::vector<std::string> NamesOf(const std::vector<Section*>& sections) {
  std::vector<std::string> names;
  names.reserve(sections.size());
  for (const Section* section : sections) names.emplace_back(section->name());
  return names;
}

// Puts a unit back unless it was applied, also when the change throws.
class UnitGuard {
 public:
  explicit UnitGuard(Unit& unit) : unit_(&unit) {}
  UnitGuard(const UnitGuard&) = delete;
  UnitGuard& operator=(const UnitGuard&) = delete;
  ~UnitGuard() {
    if (unit_ != nullptr) unit_->Rollback();
  }
  void Release() { unit_ = nullptr; }

 private:
  Unit* unit_;
};

class StoreImpl final : public Store {
 public:
  StoreImpl(StoreOptions options, std::vector<Section*> sections, const Clock& clock, Logger log)
      : options_(std::move(options)),
        clock_(clock),
        log_(std::move(log)),
        section_names_(NamesOf(sections)),
        sections_(std::move(sections)),
        tables_({options_.max_series, options_.max_families, options_.reserved_prefixes}) {}

  ~StoreImpl() override {
    wakeup_.Stop();
    if (keeper_.joinable()) keeper_.join();
    if (folder_) SyncNow();
  }

  // Requires: called once, before all else.
  Status Start() {
    if (!options_.path.empty()) RETURN_IF_ERROR(Load());
    unit_.emplace(tables_, DefineDropped(), section_names_);
    if (!folder_) return {};
    keeper_ = StartThread(
        "state", [this] { Keep(); },
        [this](const std::string& what) {
          log_.Error("the state is no longer synced", {{"err", what}});
        });
    return {};
  }

  Result<FamilyId> Define(FamilySpec spec) override {
    const std::lock_guard lock(mutex_);
    return tables_.Define(std::move(spec));
  }

  void Release(FamilyId family) override {
    const std::lock_guard lock(mutex_);
    tables_.Release(family);
  }

  Status Update(const std::function<Status(Changes& changes)>& change) override;
  void WritePage(exposition::PageWriter& page) override;
  void WriteOwn(exposition::PageWriter& page) override;

 private:
  FamilyId DefineDropped();
  Status Load();
  Status Restore(std::string_view section, std::string_view record);
  Status Journal(const Moment& now);
  void NoteWritten(const Status& written);
  void NoteUnit();

  // The keeper's thread: syncs once a second and writes snapshots.
  void Keep();
  void SyncNow();
  void CheckpointIfDue();
  bool IsCheckpointDue() const;
  std::string Snapshot(std::uint64_t number);
  void WriteFileMetrics(exposition::PageWriter& page) const;

  Moment Now() const {
    return {clock_.Now(), std::chrono::duration_cast<std::chrono::milliseconds>(
                              clock_.SteadyNow().time_since_epoch())
                              .count()};
  }

  const StoreOptions options_;
  const Clock& clock_;
  const Logger log_;
  const std::vector<std::string> section_names_;
  std::unique_ptr<Folder> folder_;  // null: nothing survives. Append, SwitchJournal: mutex_ held
  Wakeup wakeup_;
  std::jthread keeper_;

  std::mutex mutex_;
  const std::vector<Section*> sections_;  // what they hold is guarded by mutex_
  Tables tables_;                         // guarded by mutex_
  std::optional<Unit> unit_;              // guarded by mutex_
  // Records of sections that this process does not have, as (name, record). Guarded by mutex_.
  std::vector<std::pair<std::string, std::string>> carried_;
  std::string lines_;                 // guarded by mutex_; room for WritePage
  std::string payload_;               // guarded by mutex_; room for Journal
  std::vector<FamilyId> announced_;   // guarded by mutex_; room for Journal
  Unit::Refused refused_;             // guarded by mutex_; since the start
  Clock::Steady refused_logged_{};    // guarded by mutex_
  bool is_unsynced_ = false;          // guarded by mutex_; the keeper was told
  bool is_checkpoint_told_ = false;   // guarded by mutex_; so was that one is due
  bool is_failing_ = false;           // guarded by mutex_; the last unit could not be written
  std::uint64_t units_ = 0;           // guarded by mutex_
  std::uint64_t write_failures_ = 0;  // guarded by mutex_

  std::atomic<std::uint64_t> restore_failures_{0};
  std::atomic<std::uint64_t> sync_failures_{0};
  std::atomic<std::uint64_t> checkpoints_{0};
  std::atomic<std::uint64_t> checkpoint_failures_{0};
  std::atomic<std::int64_t> last_sync_ms_{0};  // wall clock
  Clock::Steady next_checkpoint_{};            // the keeper's own
};

FamilyId StoreImpl::DefineDropped() {
  FamilySpec spec;
  spec.name = kDroppedFamily;
  spec.help = "Changes that a cap on series put into the series \"other\", by metric.";
  spec.max_series = options_.max_families + 1;
  const FamilyId id = tables_.Define(std::move(spec)).value();
  tables_.Get(id)->is_exempt = true;
  return id;
}

Status StoreImpl::Load() {
  Result<std::unique_ptr<Folder>> folder = Folder::Open(options_.path, log_);
  if (!folder) return folder.error();
  folder_ = std::move(*folder);
  Decoder decoder(tables_, Now(), [this](std::string_view section, std::string_view record) {
    return Restore(section, record);
  });
  RETURN_IF_ERROR(folder_->Read({[&decoder](std::string_view payload) { decoder.Read(payload); },
                                 [&decoder] { return decoder.saw_end(); }}));
  restore_failures_ = decoder.refused();
  if (decoder.refused() > 0) {
    log_.Error("entries of the state could not be used",
               {{"entries", decoder.refused()}, {"first", decoder.first_error()}});
  }
  return {};
}

Status StoreImpl::Restore(std::string_view section, std::string_view record) {
  const auto place = std::ranges::find(section_names_, section);
  if (place == section_names_.end()) {
    carried_.emplace_back(section, record);
    return {};
  }
  return sections_[static_cast<std::size_t>(place - section_names_.begin())]->Restore(record);
}

Status StoreImpl::Update(const std::function<Status(Changes& changes)>& change) {
  const std::lock_guard lock(mutex_);
  const Moment now = Now();
  unit_->Begin(now.steady_ms);
  UnitGuard guard(*unit_);
  Status collected = change(*unit_);
  NoteUnit();
  if (!collected) return collected;
  if (folder_) RETURN_IF_ERROR(Journal(now));
  guard.Release();
  unit_->Apply();
  ++units_;
  return {};
}

// The lock is held over the write: units must be in the file in the order in which they are seen,
// and a write goes to the page cache.
Status StoreImpl::Journal(const Moment& now) {
  payload_.clear();
  announced_.clear();
  EncodeUnit(tables_, *unit_, section_names_, now, payload_, announced_);
  if (payload_.empty()) return {};
  const Status written = folder_->Append(payload_);
  NoteWritten(written);
  if (!written) {
    for (const FamilyId family : announced_) tables_.Get(family)->is_in_file = false;
    if (folder_->wants_snapshot()) wakeup_.Notify();
    return written;
  }
  const bool is_due = IsCheckpointDue();
  if (is_unsynced_ && (!is_due || is_checkpoint_told_)) return {};
  is_unsynced_ = true;
  is_checkpoint_told_ = is_due;
  wakeup_.Notify();
  return {};
}

void StoreImpl::NoteWritten(const Status& written) {
  if (!written) ++write_failures_;
  if (written.has_value() != is_failing_) return;
  is_failing_ = !written;
  if (is_failing_) {
    log_.Error("the state cannot be written; nothing is accepted until it can",
               {{"err", written.error()}});
  } else {
    log_.Info("the state can be written again");
  }
}

// What is wrong in changes themselves is a mistake of a sender or of ours, and may come often.
void StoreImpl::NoteUnit() {
  if (const Family* capped = tables_.Get(unit_->first_capped());
      capped != nullptr && !capped->was_capped) {
    tables_.Get(unit_->first_capped())->was_capped = true;
    log_.Warn("a metric has reached its cap on series; further ones are counted in \"other\"",
              {{"metric", capped->spec().name}});
  }
  if (unit_->refused().total() == 0) return;
  const bool is_first = refused_.total() == 0;
  refused_ += unit_->refused();
  if (!is_first && clock_.SteadyNow() - refused_logged_ < kRefusedLogInterval) return;
  refused_logged_ = clock_.SteadyNow();
  log_.Warn("changes of the state were refused", {{"values", refused_.values},
                                                  {"labels", refused_.labels},
                                                  {"families", refused_.families},
                                                  {"sections", refused_.sections}});
}

bool StoreImpl::IsCheckpointDue() const {
  // Not more often than the snapshot is large, so that at most every second byte is one of a
  // snapshot.
  return folder_->wants_snapshot() ||
         folder_->journal_bytes() > std::max(options_.checkpoint_bytes, folder_->snapshot_bytes());
}

void StoreImpl::Keep() {
  CheckpointIfDue();
  while (wakeup_.Wait()) {
    if (!wakeup_.WaitUntil(clock_.SteadyNow() + kSyncInterval)) return;
    SyncNow();
    CheckpointIfDue();
  }
}

void StoreImpl::SyncNow() {
  Folder::Unsynced files;
  {
    const std::lock_guard lock(mutex_);
    is_unsynced_ = false;
    files = folder_->TakeUnsynced();
  }
  if (files.empty()) return;
  const Status synced = folder_->SyncFiles(files);
  if (synced) {
    last_sync_ms_ = ToMillis(clock_.Now());
    return;
  }
  ++sync_failures_;
  log_.Error("the state could not be synced", {{"err", synced.error()}});
}

void StoreImpl::CheckpointIfDue() {
  if (clock_.SteadyNow() < next_checkpoint_ || !IsCheckpointDue()) return;
  std::uint64_t number = 0;
  std::string content;
  {
    const std::lock_guard lock(mutex_);
    is_checkpoint_told_ = false;
    number = folder_->SwitchJournal();
    content = Snapshot(number);
  }
  const Status written = folder_->WriteSnapshot(number, content);
  SyncNow();  // the journal that was left, should the snapshot not stand for it
  if (written) {
    ++checkpoints_;
    return;
  }
  next_checkpoint_ = clock_.SteadyNow() + kCheckpointRetry;
  ++checkpoint_failures_;
  log_.Error("the snapshot of the state could not be written; its journal grows",
             {{"err", written.error()}});
}

// Requires: mutex_ is held.
std::string StoreImpl::Snapshot(std::uint64_t number) {
  std::string content = FileHeader(FileKind::kSnapshot, number);
  SnapshotEncoder encoder(Now(),
                          [&content](std::string_view payload) { AppendFrame(payload, content); });
  tables_.EraseExpired(Now().steady_ms);
  for (FamilyId id = 0; id < tables_.end_id(); ++id) {
    Family* const family = tables_.Get(id);
    if (family == nullptr) continue;
    if (family->size() > 0) encoder.AddFamily(id, *family);
    // Without series it is not in the snapshot.
    if (family->size() == 0) family->is_in_file = false;
  }
  for (const Section* section : sections_) {
    section->Save([&](std::string_view record) { encoder.AddRecord(section->name(), record); });
  }
  for (const auto& [section, record] : carried_) encoder.AddRecord(section, record);
  encoder.Finish();
  return content;
}

void StoreImpl::WritePage(exposition::PageWriter& page) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = Now().steady_ms;
  tables_.EraseExpired(now);
  for (const FamilyId id : tables_.Sorted()) WriteFamily(*tables_.Get(id), now, page, lines_);
}

void StoreImpl::WriteOwn(exposition::PageWriter& page) {
  const auto one = [&page](std::string_view name, std::string_view help, MetricType type,
                           double value) {
    page.Family(name, help, type);
    page.Sample(value);
  };
  const std::lock_guard lock(mutex_);
  one("skep_exporter_state_series", "Series in the state, as a scrape counts them.",
      MetricType::kGauge, static_cast<double>(tables_.lines()));
  one("skep_exporter_state_series_limit", "Beyond so many series new ones are in \"other\".",
      MetricType::kGauge, static_cast<double>(options_.max_series));
  one("skep_exporter_state_families", "Families that are defined or in the state file.",
      MetricType::kGauge, static_cast<double>(tables_.families()));
  one("skep_exporter_state_families_limit", "Beyond so many families new ones are refused.",
      MetricType::kGauge, static_cast<double>(options_.max_families));
  one("skep_exporter_state_units_total", "Units of changes that took effect.", MetricType::kCounter,
      static_cast<double>(units_));
  page.Family("skep_exporter_state_values_refused_total",
              "Changes dropped because they are wrong in themselves.", MetricType::kCounter);
  page.Sample({{"reason", "family"}}, static_cast<double>(refused_.families));
  page.Sample({{"reason", "labels"}}, static_cast<double>(refused_.labels));
  page.Sample({{"reason", "section"}}, static_cast<double>(refused_.sections));
  page.Sample({{"reason", "value"}}, static_cast<double>(refused_.values));
  one("skep_exporter_state_file_up",
      "Whether the last unit could be written to the state file; 0 as well where there is none.",
      MetricType::kGauge, folder_ && !is_failing_ ? 1 : 0);
  if (folder_) WriteFileMetrics(page);
}

void StoreImpl::WriteFileMetrics(exposition::PageWriter& page) const {
  const auto counter = [&page](std::string_view name, std::string_view help, std::uint64_t value) {
    page.Family(name, help, MetricType::kCounter);
    page.Sample(static_cast<double>(value));
  };
  counter("skep_exporter_state_write_failures_total",
          "Units that could not be written to the state file and took no effect.", write_failures_);
  counter("skep_exporter_state_sync_failures_total",
          "Times that the state file could not be synced.", sync_failures_);
  counter("skep_exporter_state_checkpoints_total", "Snapshots written.", checkpoints_);
  counter("skep_exporter_state_checkpoint_failures_total", "Snapshots that could not be written.",
          checkpoint_failures_);
  counter("skep_exporter_state_damaged_files_total",
          "Files of the state that were damaged, or of an unknown version, and set aside at start.",
          folder_->damaged_files());
  counter("skep_exporter_state_restore_failures_total",
          "Entries of the state file that could not be used at start.", restore_failures_);
  page.Family("skep_exporter_state_file_size_bytes", "Size of the snapshot and its journals.",
              MetricType::kGauge);
  page.Sample(static_cast<double>(folder_->snapshot_bytes() + folder_->journal_bytes()));
  if (last_sync_ms_ == 0) return;
  page.Family("skep_exporter_state_last_sync_timestamp_seconds",
              "When changes were synced to the disk last, in seconds since 1970.",
              MetricType::kGauge);
  page.Sample(ToSeconds(FromMillis(last_sync_ms_)));
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(StoreOptions options, std::vector<Section*> sections,
                                           const Clock& clock, Logger log) {
  auto store =
      std::make_unique<StoreImpl>(std::move(options), std::move(sections), clock, std::move(log));
  if (const Status started = store->Start(); !started) return started.error().Wrap("state");
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace skep::state
