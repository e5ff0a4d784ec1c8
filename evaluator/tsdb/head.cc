#include "evaluator/tsdb/head.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "evaluator/tsdb/checkpoint.h"
#include "evaluator/tsdb/head_appender.h"
#include "evaluator/tsdb/head_checkpoint.h"
#include "evaluator/tsdb/head_querier.h"
#include "evaluator/tsdb/head_state.h"

namespace skep::tsdb {

Head::Head(HeadOptions options) : state_(std::make_shared<HeadState>(options)) {}
Head::~Head() = default;

std::unique_ptr<storage::Appender> Head::NewAppender() { return NewHeadAppender(state_); }

Result<std::unique_ptr<storage::Querier>> Head::NewQuerier(storage::TimeRange range,
                                                           ReaderBlocks blocks) {
  return {NewHeadQuerier(state_, range, std::move(blocks))};
}

void Head::ExpireReaders(std::uint64_t shown) { state_->expired_blocks = shown; }

void Head::DropBefore(Timestamp time) { state_->DropBefore(time); }

void Head::SetOutOfOrderWindow(Duration window) { state_->window_millis = window.count(); }

Status Head::Delete(std::span<const Matcher> matchers, storage::TimeRange range) {
  return state_->Delete(matchers, range);
}

void Head::DropFlushed(const FlushedSamples& flushed) { state_->DropFlushed(flushed); }

void Head::NoteFlush(Timestamp time) { state_->flushed_millis = ToMillis(time); }

void Head::AttachLog(WalWriter& log, HeadLogSync sync) {
  const std::lock_guard lock(state_->commit_mutex);
  state_->log = &log;
  state_->log_sync = sync;
}

Result<std::uint64_t> Head::WriteCheckpoint(Disk& disk, std::string_view wal_folder) {
  WalWriter& log = *state_->log;
  // Else commits would wait for all of it below.
  RETURN_IF_ERROR(log.Sync());
  Result<std::uint64_t> covered = 0;
  {
    // What the log has is in memory, too.
    const std::lock_guard lock(state_->commit_mutex);
    covered = log.Cut();
  }
  if (!covered) return covered.error();
  if (*covered == 0) return 0;
  Result<CheckpointWriter> writer = CheckpointWriter::Begin(disk, wal_folder, *covered);
  if (!writer) return writer.error();
  RETURN_IF_ERROR(WriteHead(*state_, *writer));
  RETURN_IF_ERROR(writer->Finish());
  RETURN_IF_ERROR(RemoveCovered(disk, wal_folder, *covered));
  return writer->size_bytes();
}

std::size_t Head::series_count() const {
  const std::shared_lock lock(state_->index_mutex);
  return state_->by_labels.size();
}

HeadCounters Head::counters() const {
  const HeadState::Counters& c = state_->counters;
  return {.series_created = c.created,
          .series_removed = c.removed,
          .samples_appended = c.appended,
          .samples_out_of_order = c.out_of_order,
          .samples_duplicate = c.duplicate,
          .samples_too_old = c.too_old,
          .series_refused = c.refused,
          .samples_late = c.late,
          .samples_behind_flush = c.behind_flush};
}

HeadMemory Head::MeasureMemory() const {
  HeadMemory memory;
  {
    const std::shared_lock lock(state_->index_mutex);
    memory.labels = state_->index.pairs().heap_bytes();
    memory.index = state_->index.heap_bytes() + state_->by_labels.heap_bytes() +
                   state_->order.heap_bytes() + state_->pages.heap_bytes();
  }
  memory.kept_selects = *state_->kept_bytes;
  state_->ForEachSeries([&memory](const Series& series) { series.AddMemory(memory); });
  return memory;
}

HeadStatus Head::Status(std::size_t limit) const {
  HeadStatus status;
  {
    const std::shared_lock lock(state_->index_mutex);
    state_->index.FillStatus(limit, status);
    status.series = state_->by_labels.size();
  }
  state_->ForEachSeries([&](const Series& series) {
    if (series.empty()) return;
    status.chunks += series.chunks();
    status.samples += series.samples();
    status.chunk_bytes += series.chunk_bytes();
    // A run goes as a whole, when its last sample is forgotten.
    const Timestamp min = std::max(series.min_time(), FromMillis(state_->oldest_millis.load()));
    const Timestamp max = *series.last_time();
    status.min_time = std::min(status.min_time.value_or(min), min);
    status.max_time = std::max(status.max_time.value_or(max), max);
  });
  return status;
}

}  // namespace skep::tsdb
