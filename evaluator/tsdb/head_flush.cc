#include "evaluator/tsdb/head_flush.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "evaluator/tsdb/block_writer.h"
#include "evaluator/tsdb/head_state.h"
#include "evaluator/tsdb/sample_merge.h"

namespace skep::tsdb {

HeadFlush::HeadFlush(Head& head, Timestamp before)
    : snapshot_(std::make_shared<const Snapshot>(head.state_)) {
  flushed_.before = before;
  flushed_.newest = snapshot_->number;
  HeadState& state = *snapshot_->state;
  const storage::TimeRange past{kMinTimestamp, before - Duration(1)};
  std::vector<Series*> some;
  Timestamp oldest = kMaxTimestamp;
  const std::shared_lock lock(state.index_mutex);
  {
    StripeLock stripe(state.stripes);
    for (const std::uint32_t number : state.index.all()) {
      stripe.Take(number);
      Series* const series = state.pages.Get(number);
      if (!series->Overlaps(past)) continue;
      oldest = std::min(oldest, series->min_time());
      some.push_back(series);
    }
  }
  if (some.empty()) return;
  span_ = {oldest, past.max};
  state.order.Sort(some, state.pages, state.index);
  auto list = std::make_shared<SeriesList>();
  list->Take(std::move(some));
  list_ = std::move(list);
}

HeadFlush::~HeadFlush() = default;

Status HeadFlush::Write(storage::TimeRange range, BlockWriter& writer) {
  if (!span_) return {};
  HeadState& state = *snapshot_->state;
  storage::SampleColumns samples;
  for (const Series* series : list_->series) {
    samples.clear();
    {
      const std::lock_guard lock(state.stripes.Of(series->number()));
      if (!series->Overlaps(range)) continue;
      RETURN_IF_ERROR(series->Read(snapshot_->number, range, samples));
    }
    if (samples.empty()) continue;
    RETURN_IF_ERROR(writer.Add(state.CopyLabels(*series), samples));
    flushed_.series.emplace_back(series->number(), LastTime(samples));
  }
  return {};
}

FlushedSamples HeadFlush::Finish() {
  snapshot_.reset();
  list_.reset();
  span_.reset();
  return std::move(flushed_);
}

}  // namespace skep::tsdb
