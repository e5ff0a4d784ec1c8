#include "evaluator/tsdb/upkeep.h"

#include <algorithm>
#include <utility>

#include "evaluator/tsdb/block_check.h"
#include "evaluator/tsdb/block_merge.h"
#include "evaluator/tsdb/block_planner.h"
#include "evaluator/tsdb/block_writer.h"
#include "evaluator/tsdb/write_block.h"

namespace skep::tsdb {
namespace {

using std::chrono::hours;

constexpr std::chrono::seconds kInboxRhythm{2};
constexpr std::chrono::seconds kInboxAtStart{2};
constexpr std::uint64_t kFewNew = 8;              // one of so many series
constexpr std::string_view kUnfinished = ".tmp";  // of snapshots
constexpr const char* kSnapshotFolder = "snapshots";

Timestamp Floor(Timestamp time, Duration span) {
  const Duration since = time.time_since_epoch();
  const Duration rest = since % span;
  return time - (rest < Duration{} ? rest + span : rest);
}

// A flush of a live head is within two hours. One that has an import of months makes few blocks.
Duration SpanOf(storage::TimeRange all) {
  const Duration length = all.max - all.min;
  if (length <= hours(24)) return hours(2);
  if (length <= hours(64 * 24)) return hours(24);
  return hours(24) * (length / hours(64 * 24) + 1);
}

// Does `work` with each block. A damaged one does not keep the others from it; the first error of
// such is given in the end.
template <typename Work>
Status BesideDamage(const BlockList& list, const Work& work) {
  Status first;
  for (const LiveBlock& block : list) {
    Status done = work(block);
    if (!done && done.error().kind() != ErrorKind::kCorrupt) return done;
    if (!done && first) first = std::move(done);
  }
  return first;
}

}  // namespace

Upkeep::Upkeep(Disk& disk, Head& head, BlockFolder& blocks, UpkeepOptions options,
               const Clock& clock, Logger log)
    : disk_(disk),
      head_(head),
      blocks_(blocks),
      options_(options),
      clock_(clock),
      log_(std::move(log)) {
  head_.NoteFlush(FlushTime(options_.flush_span));
}

Timestamp Upkeep::FlushTime(Duration span) const {
  return Floor(clock_.Now() - options_.flush_delay, span);
}

// What one of them cannot do is no reason for the others to wait: retention above all makes room.
Status Upkeep::Run(std::uint64_t log_bytes) {
  const std::lock_guard lock(mutex_);
  Status first;
  const auto also = [&first](Status done) {
    if (!done && first) first = std::move(done);
  };
  Forget();
  also(DropOld(log_bytes));
  also(RemoveUnshown());
  also(LookIntoInbox());
  also(Flush());
  also(Merge());
  TellDamage();
  if (is_stopping_) return {};
  if (!first) Count(&UpkeepCounters::failures);
  return first;
}

// Whoever met it: a merge, or a query meanwhile.
void Upkeep::TellDamage() {
  const BlockListPtr list = blocks_.list();
  for (const LiveBlock& block : *list) {
    const std::optional<std::string> damage = block.block->damage();
    if (!damage || !told_.insert(block.number).second) continue;
    log_.Error("a block is damaged: it is read beside the damage, and not merged any more",
               {{"block", block.block->path()}, {"err", *damage}});
  }
}

void Upkeep::Forget() {
  if (!unforgotten_ || !MayForget()) return;
  head_.DropFlushed(unforgotten_->samples);
  unforgotten_.reset();
  has_forgotten_ = true;
  Count(&UpkeepCounters::forgotten_flushes);
}

bool Upkeep::IsLateDue(std::uint64_t late) {
  const bool is_quiet = std::exchange(late_seen_, late) == late;
  const std::uint64_t waiting = late - late_;
  return waiting >= options_.flush_late_samples ||
         (is_quiet && waiting >= options_.flush_late_rest);
}

std::optional<Timestamp> Upkeep::DueFlush() {
  const HeadCounters counters = head_.counters();
  const bool is_late_due = IsLateDue(counters.samples_behind_flush);
  const Timestamp latest = NewestWorthIt(counters);
  if (!flushed_ || *flushed_ < latest) return latest;
  return is_late_due ? flushed_ : std::nullopt;
}

bool Upkeep::IsDense(Duration piece, std::uint64_t appended) const {
  const Duration passed = std::chrono::floor<Duration>(clock_.SteadyNow() - flushed_at_);
  const double pieces =
      flushed_ && passed > piece ? std::chrono::duration<double>(passed) / piece : 1;
  return static_cast<double>(appended) >=
         pieces * static_cast<double>(options_.dense_samples * head_.series_count());
}

Timestamp Upkeep::NewestWorthIt(const HeadCounters& counters) const {
  const std::uint64_t appended = counters.samples_appended - appended_;
  const std::uint64_t created = counters.series_created - created_;
  const Duration span = options_.flush_span;
  if (IsDense(span / 2, appended)) return FlushTime(span / 2);
  const bool is_long = !IsDense(span, appended) && created * kFewNew <= head_.series_count();
  return FlushTime(is_long ? span * UpkeepOptions::kFewSpans : span);
}

bool Upkeep::MayForget() {
  if (!blocks_.IsOlderHeld(unforgotten_->shown)) return true;
  if (clock_.SteadyNow() < unforgotten_->since + options_.reader_patience) return false;
  head_.ExpireReaders(unforgotten_->shown);
  blocks_.GiveUpOlder(unforgotten_->shown);
  Count(&UpkeepCounters::expiries);
  log_.Warn("a query that reads for too long fails: memory waits for it no longer",
            {{"patience", options_.reader_patience}});
  return true;
}

Status Upkeep::Flush() {
  if (unforgotten_) return {};
  const std::optional<Timestamp> due = DueFlush();
  if (!due) return {};
  const HeadCounters counters = head_.counters();
  head_.NoteFlush(*due);
  HeadFlush flush(head_, *due);
  if (flush.span()) RETURN_IF_ERROR(WriteSpans(flush));
  flushed_ = due;
  late_ = counters.samples_behind_flush;
  appended_ = counters.samples_appended;
  created_ = counters.series_created;
  flushed_at_ = clock_.SteadyNow();
  Forget();
  return {};
}

Status Upkeep::WriteSpans(HeadFlush& flush) {
  const storage::TimeRange all = *flush.span();
  const Duration span = SpanOf(all);
  std::vector<std::uint64_t> numbers;
  const auto write = [&]() -> Status {
    for (Timestamp begin = Floor(all.min, span); begin <= all.max; begin += span) {
      const storage::TimeRange range{begin, std::min(all.max, begin + span - Duration(1))};
      RETURN_IF_ERROR(WriteSpan(flush, range, numbers));
    }
    return blocks_.Exchange(numbers, {});
  };
  if (Status written = write(); !written) {
    // The next attempt writes all of them again.
    unshown_.insert(unshown_.end(), numbers.begin(), numbers.end());
    (void)RemoveUnshown();
    return written;
  }
  unforgotten_ = {flush.Finish(), blocks_.Newest().number, clock_.SteadyNow()};
  for (const std::uint64_t number : numbers) added_[number] = clock_.SteadyNow();
  Count(&UpkeepCounters::flushes);
  Count(&UpkeepCounters::flushed_blocks, numbers.size());
  return {};
}

Status Upkeep::WriteSpan(HeadFlush& flush, storage::TimeRange range,
                         std::vector<std::uint64_t>& numbers) {
  const std::uint64_t number = blocks_.Reserve();
  auto writer = BlockWriter::Create(disk_, BlockPath(number));
  if (!writer) return writer.error();
  RETURN_IF_ERROR(flush.Write(range, **writer));
  const Result<BlockMeta> meta = (*writer)->Finish();
  // It may have got its name before something went wrong.
  if (!meta || meta->series > 0) numbers.push_back(number);
  if (!meta) return meta.error();
  Count(&UpkeepCounters::flushed_samples, meta->samples);
  return {};
}

Status Upkeep::RemoveUnshown() {
  while (!unshown_.empty()) {
    const Status removed = disk_.Remove(BlockPath(unshown_.back()));
    if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed;
    unshown_.pop_back();
  }
  return {};
}

Status Upkeep::LookIntoInbox() {
  const Clock::Steady now = clock_.SteadyNow();
  if (looked_ && now < *looked_ + kInboxRhythm) return {};
  looked_ = now;
  RETURN_IF_ERROR(disk_.MakeFolder(kInboxFolder));
  return AdoptAll(Clock::Steady::max());
}

void Upkeep::Begin() {
  const std::lock_guard lock(mutex_);
  static_cast<void>(AdoptAll(clock_.SteadyNow() + kInboxAtStart));
  const auto snapshots = disk_.List(kSnapshotFolder);
  if (!snapshots) return;
  for (const DiskEntry& entry : *snapshots) {
    if (!entry.name.ends_with(kUnfinished)) continue;
    static_cast<void>(disk_.RemoveFolder(std::string(kSnapshotFolder) + "/" + entry.name));
  }
}

Status Upkeep::AdoptAll(Clock::Steady until) {
  const Result<std::vector<DiskEntry>> entries = disk_.List(kInboxFolder);
  if (!entries) return entries.error();
  for (const DiskEntry& entry : *entries) {
    if (clock_.SteadyNow() >= until) return {};
    if (!entry.name.ends_with(".block")) continue;
    const Status adopted = Adopt(entry.name);
    if (adopted || !passed_over_.insert(entry.name).second) continue;
    log_.Error("a block in the inbox cannot be taken", {{"err", adopted.error().message()}});
  }
  return {};
}

Status Upkeep::Adopt(const std::string& name) {
  const std::string path = std::string(kInboxFolder) + "/" + name;
  const Status good = CheckBlock(disk_, path);
  if (!good && good.error().kind() != ErrorKind::kCorrupt &&
      good.error().kind() != ErrorKind::kInvalid) {
    return good;
  }
  if (!good) {
    log_.Error("a block in the inbox is refused", {{"err", good.error().message()}});
    Count(&UpkeepCounters::refused_blocks);
    RETURN_IF_ERROR(disk_.Rename(path, path + ".refused"));
    return disk_.SyncFolder(kInboxFolder);
  }
  const std::uint64_t number = blocks_.Reserve();
  RETURN_IF_ERROR(disk_.Rename(path, BlockPath(number)));
  const auto show = [&]() -> Status {
    RETURN_IF_ERROR(disk_.SyncFolder(kBlockFolder));
    RETURN_IF_ERROR(disk_.SyncFolder(kInboxFolder));
    return blocks_.Exchange({&number, 1}, {});
  };
  if (Status shown = show(); !shown) {
    (void)disk_.Rename(BlockPath(number), path);  // for the next attempt
    return shown;
  }
  added_[number] = clock_.SteadyNow();
  Count(&UpkeepCounters::adopted_blocks);
  log_.Info("a block was taken from the inbox", {{"name", name}, {"block", BlockPath(number)}});
  return {};
}

Status Upkeep::Merge() {
  const BlockListPtr list = blocks_.list();
  std::vector<PlannedBlock> planned;
  for (const LiveBlock& block : *list) {
    const auto added = added_.find(block.number);
    const bool is_settled =
        added == added_.end() || clock_.SteadyNow() >= added->second + options_.settle;
    planned.push_back({.span = block.span(),
                       .samples = block.block->meta().samples,
                       .is_settled = is_settled,
                       .is_damaged = block.block->damage().has_value()});
  }
  const std::vector<Duration> spans = MergeSpans(options_.retention);
  std::vector<LiveBlock> some;
  const Timestamp complete = FlushTime(options_.flush_span);
  for (const std::size_t at : PlanMerge(planned, complete, spans)) some.push_back((*list)[at]);
  if (some.empty()) return {};
  Status merged = MergeInto(blocks_.Reserve(), some);
  // The next plan goes without it.
  const bool found_damage = std::ranges::any_of(
      some, [](const LiveBlock& block) { return block.block->damage().has_value(); });
  if (!merged && merged.error().kind() == ErrorKind::kCorrupt && found_damage) return {};
  return merged;
}

// The block `number` takes the place of `blocks`, which rise in number. It may be the only one of
// them, anew.
Status Upkeep::MergeInto(std::uint64_t number, std::span<const LiveBlock> blocks) {
  std::vector<BlockSource> sources;
  std::vector<std::uint64_t> gone;
  for (const LiveBlock& block : blocks) {
    sources.push_back({block.block, block.deleted.get()});
    gone.push_back(block.number);
  }
  const Result<BlockMeta> meta = MergeBlocks(disk_, sources, BlockPath(number), &is_stopping_);
  if (!meta) return meta.error();
  std::vector<std::uint64_t> added;
  if (meta->series > 0) added.push_back(number);
  RETURN_IF_ERROR(blocks_.Exchange(added, gone));
  for (const std::uint64_t one : gone) {
    added_.erase(one);
    told_.erase(one);
  }
  Count(&UpkeepCounters::merges);
  Count(&UpkeepCounters::merged_blocks, gone.size());
  return {};
}

Status Upkeep::DropOld(std::uint64_t log_bytes) {
  std::vector<LiveBlock> list = *blocks_.list();
  std::ranges::sort(list, {}, [](const LiveBlock& block) { return block.span().max; });
  std::uint64_t bytes = log_bytes;
  for (const LiveBlock& block : list) bytes += block.block->meta().size_bytes;
  std::vector<std::uint64_t> gone;
  Timestamp until{};  // the newest that goes
  for (const LiveBlock& block : list) {
    const bool is_old =
        options_.retention > Duration{} && block.span().max < clock_.Now() - options_.retention;
    const bool is_too_much = options_.most_bytes > 0 && bytes > options_.most_bytes;
    if (!is_old && !is_too_much) break;
    bytes -= block.block->meta().size_bytes;
    gone.push_back(block.number);
    until = block.span().max;
  }
  if (gone.empty()) return {};
  RETURN_IF_ERROR(blocks_.Exchange({}, gone));
  Count(&UpkeepCounters::dropped_blocks, gone.size());
  log_.Info("blocks were dropped by retention",
            {{"blocks", gone.size()}, {"until", FormatTimestamp(until)}, {"left_bytes", bytes}});
  return {};
}

Status Upkeep::Delete(std::span<const Matcher> matchers, storage::TimeRange range) {
  const std::lock_guard lock(mutex_);
  // What is being forgotten by the head is in blocks already.
  RETURN_IF_ERROR(head_.Delete(matchers, range));
  const BlockListPtr list = blocks_.list();
  return BesideDamage(*list, [&](const LiveBlock& block) -> Status {
    if (block.span().max < range.min || range.max < block.span().min) return {};
    return DeleteFrom(block, matchers, range);
  });
}

Status Upkeep::DeleteFrom(const LiveBlock& block, std::span<const Matcher> matchers,
                          storage::TimeRange range) {
  const Result<Postings> series = block.block->Select(matchers);
  if (!series) return series.error();
  if (series->empty()) return {};
  Tombstones deleted = block.deleted == nullptr ? Tombstones() : *block.deleted;
  deleted.Add(*series, range);
  return blocks_.SetDeleted(block.number, std::move(deleted));
}

Status Upkeep::CleanTombstones() {
  const std::lock_guard lock(mutex_);
  const BlockListPtr list = blocks_.list();
  return BesideDamage(*list, [this](const LiveBlock& block) -> Status {
    if (block.deleted == nullptr) return {};
    // It keeps its number, which says what was written later.
    return MergeInto(block.number, {&block, 1});
  });
}

Status Upkeep::Copy(const std::string& name, storage::Queryable* head) {
  const std::lock_guard lock(mutex_);
  const std::string folder = std::string(kSnapshotFolder) + "/" + name;
  const std::string unfinished = folder + std::string(kUnfinished);
  const auto copy = [&]() -> Status {
    RETURN_IF_ERROR(CopyInto(unfinished, head));
    RETURN_IF_ERROR(disk_.Rename(unfinished, folder));
    RETURN_IF_ERROR(disk_.SyncFolder(kSnapshotFolder));
    return disk_.SyncFolder("");
  };
  Status copied = copy();
  if (!copied) (void)disk_.RemoveFolder(unfinished);
  return copied;
}

Status Upkeep::CopyInto(const std::string& folder, storage::Queryable* head) {
  const std::string blocks = folder + "/" + kBlockFolder;
  RETURN_IF_ERROR(disk_.MakeFolder(blocks));
  std::uint64_t highest = 0;
  const BlockListPtr list = blocks_.list();
  for (const LiveBlock& block : *list) {
    RETURN_IF_ERROR(disk_.Link(BlockPath(block.number), folder + "/" + BlockPath(block.number)));
    if (block.deleted != nullptr) {
      RETURN_IF_ERROR(SaveTombstones(disk_, folder + "/" + TombstonesPath(block.number),
                                     *block.block, *block.deleted));
    }
    highest = block.number;
  }
  if (head != nullptr) {
    const Result<std::unique_ptr<storage::Querier>> querier = head->NewQuerier({});
    if (!querier) return querier.error();
    const Result<BlockMeta> written =
        WriteBlock(disk_, folder + "/" + BlockPath(highest + 1), **querier, {});
    if (!written) return written.error();
  }
  RETURN_IF_ERROR(disk_.SyncFolder(blocks));
  return disk_.SyncFolder(folder);
}

void Upkeep::Count(std::uint64_t UpkeepCounters::*counter, std::uint64_t n) {
  const std::lock_guard lock(counters_mutex_);
  counters_.*counter += n;
}

UpkeepCounters Upkeep::counters() const {
  const std::lock_guard lock(counters_mutex_);
  return counters_;
}

}  // namespace skep::tsdb
