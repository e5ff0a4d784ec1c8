#include "evaluator/tsdb/store.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string_view>
#include <utility>

#include "evaluator/tsdb/foreign_folder.h"
#include "evaluator/tsdb/head_restore.h"
#include "evaluator/tsdb/merged_querier.h"
#include "evaluator/tsdb/wal_files.h"

namespace skep::tsdb {
namespace {

constexpr std::chrono::minutes kRetentionRhythm{1};
// After a checkpoint or a block that failed.
constexpr std::chrono::minutes kRetry{1};

// As Prometheus names them: "20260131T120000Z-" and what tells two of one second apart.
std::string SnapshotName(Timestamp now) {
  std::string name;
  for (const char c : FormatTimestamp(std::chrono::floor<std::chrono::seconds>(now))) {
    if (c != '-' && c != ':') name += c;
  }
  std::random_device random;
  constexpr std::string_view kDigits = "0123456789abcdef";
  name += '-';
  for (int i = 0; i < 16; ++i) name += kDigits[random() % kDigits.size()];
  return name;
}

}  // namespace

Store::Store(Disk& disk, StoreOptions options, const Clock& clock, Logger log)
    : disk_(disk),
      options_(std::move(options)),
      clock_(clock),
      log_(std::move(log)),
      head_(options_.head) {}

Result<std::unique_ptr<Store>> Store::Open(Disk& disk, StoreOptions options, const Clock& clock,
                                           Logger log) {
  RETURN_IF_ERROR(CheckNotForeign(disk));
  std::unique_ptr<Store> store(new Store(disk, std::move(options), clock, std::move(log)));
  RETURN_IF_ERROR(store->Replay());
  RETURN_IF_ERROR(store->OpenBlocks());
  store->Forget();
  store->wal_ = std::make_unique<WalWriter>(disk, store->options_.wal, store->replay_.end);
  store->head_.AttachLog(*store->wal_, store->options_.wal_sync);
  store->upkeep_->Begin();
  return store;
}

Status Store::OpenBlocks() {
  Result<std::unique_ptr<BlockFolder>> blocks = BlockFolder::Open(disk_, log_);
  if (!blocks) return blocks.error();
  blocks_ = std::move(*blocks);
  UpkeepOptions upkeep = options_.upkeep;
  upkeep.retention = options_.retention;
  upkeep_ = std::make_unique<Upkeep>(disk_, head_, *blocks_, upkeep, clock_, log_);
  return {};
}

void Store::Forget() {
  if (options_.retention > Duration{}) head_.DropBefore(clock_.Now() - options_.retention);
}

Result<std::unique_ptr<storage::Querier>> Store::NewQuerier(storage::TimeRange range) {
  // The list first: what the head forgets meanwhile is in a newer one alone, but the head forgets
  // nothing as long as somebody holds an older one, or makes him fail.
  BlockFolder::Shown blocks = blocks_->Newest();
  Result<std::unique_ptr<storage::Querier>> head =
      head_.NewQuerier(range, ReaderBlocks{blocks.list, blocks.number});
  if (!head) return head.error();
  return {NewMergedQuerier(std::move(blocks.list), std::move(*head), range)};
}

Store::~Store() {
  if (wal_) static_cast<void>(Sync());
}

Status Store::Replay() {
  const Clock::Steady begin = clock_.SteadyNow();
  HeadRestore restore(head_);
  Result<WalReplay> replay =
      ReplayWal(disk_, options_.wal.folder,
                [&restore](const Record& record) { return restore.Apply(record); });
  if (!replay) return replay.error();
  restore.Finish();
  replay_ = std::move(*replay);
  replayed_samples_ = restore.samples();
  replay_time_ = std::chrono::duration_cast<Duration>(clock_.SteadyNow() - begin);
  TellProblems();
  RETURN_IF_ERROR(MeasureFiles());
  if (replay_.records == 0) return {};
  log_.Info("samples of the last run are there again", {{"series", head_.series_count()},
                                                        {"log_samples", replayed_samples_},
                                                        {"segments", replay_.segments},
                                                        {"checkpoint", replay_.checkpoint},
                                                        {"took", replay_time_}});
  return {};
}

void Store::TellProblems() const {
  for (const WalProblem& problem : replay_.problems) {
    // A torn end is what every crash leaves.
    if (problem.kind == WalProblem::Kind::kTornTail) {
      log_.Info("the log's end was being written", {{"what", problem.ToString()}});
    } else {
      log_.Warn("a part of the log is lost", {{"what", problem.ToString()}});
    }
  }
  if (replay_.problem_count > replay_.problems.size()) {
    log_.Warn("further parts of the log are lost",
              {{"count", replay_.problem_count - replay_.problems.size()}});
  }
}

// What the checkpoint has, and what the log has behind it.
Status Store::MeasureFiles() {
  const Result<WalFiles> files = ListWal(disk_, options_.wal.folder);
  if (!files) return files.error();
  if (files->highest() == 0) return {};
  // Left from a run that ended while it tidied up.
  RETURN_IF_ERROR(RemoveCovered(disk_, options_.wal.folder, replay_.checkpoint));
  const Result<std::vector<DiskEntry>> entries = disk_.List(options_.wal.folder);
  if (!entries) return entries.error();
  const std::string checkpoint = CheckpointPath(options_.wal.folder, replay_.checkpoint);
  for (const DiskEntry& entry : *entries) {
    const bool is_checkpoint = checkpoint.ends_with("/" + entry.name);
    (is_checkpoint ? checkpoint_bytes_ : log_bytes_at_start_) += entry.size_bytes;
  }
  return {};
}

Status Store::Sync() {
  Status synced = wal_->Sync();
  Note(Part::kSync, synced);
  return synced;
}

Status Store::WriteCheckpoint() {
  const std::uint64_t logged = wal_->counters().bytes;
  const std::uint64_t failed_syncs = wal_->counters().failed_syncs;
  const Result<std::uint64_t> written = head_.WriteCheckpoint(disk_, options_.wal.folder);
  Note(Part::kCheckpoint, written ? Status() : Status(written.error()));
  if (!written) {
    retry_ = clock_.SteadyNow() + kRetry;
    const std::lock_guard lock(mutex_);
    ++failed_checkpoints_;
    return written.error();
  }
  retry_.reset();
  has_forgotten_ = false;
  logged_at_checkpoint_ = logged;
  log_bytes_at_start_ = 0;
  healed_syncs_ = failed_syncs;
  const std::lock_guard lock(mutex_);
  ++checkpoints_;
  checkpoint_bytes_ = *written;
  return {};
}

bool Store::IsCheckpointDue() {
  const WalCounters log = wal_->counters();
  const std::uint64_t grown = log_bytes_at_start_ + log.bytes - logged_at_checkpoint_;
  const std::lock_guard lock(mutex_);
  grown_bytes_ = grown;
  // What a failed sync may have lost on the disk is in memory; what the head has forgotten need not
  // be in the log.
  return log.failed_syncs != healed_syncs_ || has_forgotten_ ||
         grown >= std::max(options_.checkpoint_bytes, checkpoint_bytes_ / 2);
}

void Store::Maintain() {
  const Clock::Steady now = clock_.SteadyNow();
  static_cast<void>(Sync());
  NoteAppends();
  if (!retained_ || now >= *retained_ + kRetentionRhythm) {
    Forget();
    MeasureMemory();
    retained_ = now;
  }
  if (upkeep_->TakeForgotten()) has_forgotten_ = true;
  const bool may_try = !retry_ || now >= *retry_;
  if (may_try && IsCheckpointDue()) static_cast<void>(WriteCheckpoint());
}

void Store::MeasureMemory() {
  const HeadMemory memory = head_.MeasureMemory();
  const std::lock_guard lock(mutex_);
  memory_ = memory;
}

bool Store::TendBlocks() {
  const Clock::Steady now = clock_.SteadyNow();
  if (tend_again_ && now < *tend_again_) return false;
  tend_again_.reset();
  const Status done = upkeep_->Run(LogBytes());
  if (!done) tend_again_ = now + kRetry;
  Note(Part::kBlocks, done);
  const std::uint64_t forgotten = upkeep_->counters().forgotten_flushes;
  return std::exchange(forgotten_flushes_, forgotten) != forgotten;
}

std::uint64_t Store::LogBytes() const {
  const std::lock_guard lock(mutex_);
  return checkpoint_bytes_ + grown_bytes_;
}

Status Store::Delete(std::span<const Matcher> matchers, storage::TimeRange range) {
  return upkeep_->Delete(matchers, range);
}

Status Store::CleanTombstones() { return upkeep_->CleanTombstones(); }

Result<std::string> Store::Snapshot(Copied what) {
  const std::string name = SnapshotName(clock_.Now());
  RETURN_IF_ERROR(upkeep_->Copy(name, what == Copied::kAll ? &head_ : nullptr));
  return name;
}

// Whoever appends is told by his Commit; here it is told once for all.
void Store::NoteAppends() {
  const std::uint64_t failed = wal_->counters().failed_appends;
  const std::uint64_t records = wal_->counters().records;
  if (failed != failed_appends_) {
    Note(Part::kAppend,
         Unavailable("batches were refused: the log cannot be written: " + wal_->append_error()));
  } else if (records != records_) {
    Note(Part::kAppend, {});
  }
  failed_appends_ = failed;
  records_ = records;
}

// A line when something begins to fail, and when it does no more.
void Store::Note(Part part, const Status& result) {
  const std::lock_guard lock(mutex_);
  std::string& problem = problems_[static_cast<std::size_t>(part)];
  const std::string now = result ? "" : result.error().message();
  if (problem.empty() && !now.empty()) log_.Error("the store cannot write", {{"err", now}});
  if (!problem.empty() && now.empty()) log_.Info("the store can write again", {{"was", problem}});
  problem = now;
}

StoreStatus Store::status() const {
  StoreStatus status;
  status.replay = replay_;
  status.replayed_samples = replayed_samples_;
  status.replay_time = replay_time_;
  status.wal = wal_->counters();
  status.wal_unsynced_bytes = wal_->unsynced_bytes();
  status.upkeep = upkeep_->counters();
  status.damaged_blocks = blocks_->damaged();
  const BlockListPtr blocks = blocks_->list();
  for (const LiveBlock& block : *blocks) {
    ++status.blocks;
    if (block.block->damage()) ++status.damaged_blocks;
    status.block_bytes += block.block->meta().size_bytes;
    status.block_samples += block.block->meta().samples;
    status.oldest = std::min(status.oldest.value_or(kMaxTimestamp), block.span().min);
  }
  const std::lock_guard lock(mutex_);
  status.memory = memory_;
  status.checkpoints = checkpoints_;
  status.failed_checkpoints = failed_checkpoints_;
  status.checkpoint_bytes = checkpoint_bytes_;
  for (const std::string& problem : problems_) {
    if (status.problem.empty()) status.problem = problem;
  }
  return status;
}

}  // namespace skep::tsdb
