#include "evaluator/transfer/block_import.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "evaluator/prometheusblock/block.h"

namespace skep::transfer {
namespace {

using prometheusblock::Block;
using prometheusblock::ChunkPlace;
using prometheusblock::IndexedSeries;

constexpr std::int64_t kMaxDaysOfChunk = 3660;
constexpr std::size_t kTellEach = 1000;  // series

class BlockImport {
 public:
  BlockImport(const std::string& folder, const Block& block, ImportRun& run)
      : folder_(folder), block_(block), run_(run) {}

  Status Read();

 private:
  Status FindDays();
  Status AddDays(const IndexedSeries& series);
  Status ReadDay(std::int64_t day);
  Status ReadSeries(std::size_t i, storage::TimeRange range, DayBlocks::Part& part);

  // Prometheus shows no samples beyond what meta.json says.
  storage::TimeRange Visible() const {
    return {block_.meta().min_time, block_.meta().max_time - Duration{1}};
  }

  const std::string& folder_;
  const Block& block_;
  ImportRun& run_;
  std::set<std::int64_t> days_;
  std::size_t series_read_ = 0;  // on all days
  storage::SampleColumns samples_;
  std::vector<Error> damage_;
};

Status BlockImport::AddDays(const IndexedSeries& series) {
  const storage::TimeRange visible = Visible();
  for (const ChunkPlace& chunk : series.chunks) {
    const Timestamp first = std::max(chunk.min_time, visible.min);
    const Timestamp last = std::min(chunk.max_time, visible.max);
    if (last < first) continue;
    if (DayOf(last) - DayOf(first) > kMaxDaysOfChunk) {
      RETURN_IF_ERROR(run_.Damaged(
          Corrupt(folder_ + ": " + series.labels.ToString() + ": a chunk of more than ten years")));
      continue;
    }
    for (std::int64_t day = DayOf(first); day <= DayOf(last); ++day) days_.insert(day);
  }
  return {};
}

Status BlockImport::FindDays() {
  IndexedSeries series;
  for (std::size_t i = 0; i < block_.series_count(); ++i) {
    const Status read = block_.ReadSeries(i, series);
    if (!read) {
      RETURN_IF_ERROR(run_.Damaged(read.error()));
    } else {
      RETURN_IF_ERROR(AddDays(series));
    }
  }
  return {};
}

Status BlockImport::ReadSeries(std::size_t i, storage::TimeRange range, DayBlocks::Part& part) {
  IndexedSeries series;
  if (!block_.ReadSeries(i, series)) return {};  // told when the days were found
  damage_.clear();
  block_.ReadSamples(series, range, samples_, damage_);
  for (const Error& error : damage_) RETURN_IF_ERROR(run_.Damaged(error));
  if (samples_.empty()) return {};
  const Status added = part.writer->Add(series.labels, samples_);
  if (added) {
    run_.AddSamples(samples_.times);
    run_.AddSamples(samples_.histograms.times);
    return {};
  }
  if (added.error().kind() != ErrorKind::kInvalid) return added;
  return run_.Damaged(added.error().Wrap(folder_));
}

Status BlockImport::ReadDay(std::int64_t day) {
  const storage::TimeRange visible = Visible();
  const storage::TimeRange span = SpanOfDay(day);
  const storage::TimeRange range{std::max(span.min, visible.min), std::min(span.max, visible.max)};
  Result<DayBlocks::Part> part = run_.blocks().NewPart(day);
  if (!part) return part.error();
  const auto all = static_cast<double>(block_.series_count() * days_.size());
  for (std::size_t i = 0; i < block_.series_count(); ++i) {
    RETURN_IF_ERROR(ReadSeries(i, range, *part));
    if (++series_read_ % kTellEach == 0) {
      run_.Tell(folder_, static_cast<double>(series_read_) / all);
    }
  }
  return run_.blocks().Finish(*std::move(part));
}

Status BlockImport::Read() {
  RETURN_IF_ERROR(FindDays());
  for (const std::int64_t day : days_) RETURN_IF_ERROR(ReadDay(day));
  return {};
}

}  // namespace

Status ImportBlock(const std::string& folder, ImportRun& run) {
  const Result<Block> block = Block::Open(folder);
  if (!block) return run.Damaged(block.error());
  const Status unread = block->CheckUnread();
  if (!unread) RETURN_IF_ERROR(run.Damaged(unread.error()));
  return BlockImport(folder, *block, run).Read();
}

}  // namespace skep::transfer
