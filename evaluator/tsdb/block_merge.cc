#include "evaluator/tsdb/block_merge.h"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "evaluator/tsdb/block_writer.h"
#include "evaluator/tsdb/chunk_cut.h"
#include "evaluator/tsdb/labels_cursor.h"
#include "evaluator/tsdb/sample_merge.h"

namespace skep::tsdb {
namespace {

// A block's series, one after the other.
class SourceWalk {
 public:
  SourceWalk(const BlockSource& source, std::size_t number)
      : block_(source.block.get()),
        deleted_(source.deleted),
        number_(number),
        cursor_(block_->index()) {}

  // To the first or next series; `done` at the end.
  Status Next() {
    if (++series_ == block_->series_count()) return {};
    Result<Labels> labels = cursor_.LabelsOf(series_);
    if (!labels) return labels.error();
    labels_ = *std::move(labels);
    return {};
  }
  bool done() const { return series_ == block_->series_count(); }
  const Labels& labels() const { return labels_; }
  std::size_t number() const { return number_; }

  Status ReadChunks(std::vector<BlockChunk>& out) const {
    return block_->ReadChunks(series_, {}, out);
  }
  Tombstones::Spans deleted() const {
    return deleted_ ? deleted_->Of(series_) : Tombstones::Spans();
  }
  const Block& block() const { return *block_; }

 private:
  const Block* block_;
  const Tombstones* deleted_;
  std::size_t number_;
  LabelsCursor cursor_;
  std::uint32_t series_ = ~0U;
  Labels labels_;
};

// The heap has the walk with the lowest labels at its top.
bool IsAfter(const SourceWalk* a, const SourceWalk* b) {
  const auto order = a->labels() <=> b->labels();
  return std::is_eq(order) ? a->number() > b->number() : std::is_gt(order);
}

struct SourceChunk {
  BlockChunk chunk;
  const SourceWalk* source = nullptr;
};

// Chunks that share time with a neighbour, or one that shares it with none.
using Cluster = std::span<const SourceChunk>;

class Merger {
 public:
  explicit Merger(BlockWriter& writer) : writer_(&writer) {}

  // Writes the series that all of `sources`, in their order, stand at.
  Status Merge(std::span<const SourceWalk* const> sources) {
    RETURN_IF_ERROR(Collect(sources));
    RETURN_IF_ERROR(writer_->BeginSeries(sources.front()->labels()));
    for (std::size_t begin = 0; begin < chunks_.size();) {
      const std::size_t end = EndOfCluster(begin);
      RETURN_IF_ERROR(Add(Cluster(chunks_).subspan(begin, end - begin)));
      begin = end;
    }
    RETURN_IF_ERROR(WritePending());
    return writer_->EndSeries();
  }

 private:
  Status Collect(std::span<const SourceWalk* const> sources) {
    chunks_.clear();
    for (const SourceWalk* source : sources) {
      listed_.clear();
      RETURN_IF_ERROR(source->ReadChunks(listed_));
      for (const BlockChunk& chunk : listed_) chunks_.push_back({chunk, source});
    }
    std::stable_sort(chunks_.begin(), chunks_.end(),
                     [](const SourceChunk& a, const SourceChunk& b) {
                       return a.chunk.min_time < b.chunk.min_time;
                     });
    return {};
  }

  std::size_t EndOfCluster(std::size_t begin) const {
    Timestamp last = chunks_[begin].chunk.max_time;
    std::size_t end = begin + 1;
    while (end < chunks_.size() && chunks_[end].chunk.min_time <= last) {
      last = std::max(last, chunks_[end++].chunk.max_time);
    }
    return end;
  }

  Status Add(Cluster cluster) {
    const SourceChunk& first = cluster.front();
    const BlockChunk& chunk = first.chunk;
    if (cluster.size() == 1 && chunk.parts.count >= kKeptChunkSamples &&
        !Touches(first.source->deleted(), {chunk.min_time, chunk.max_time})) {
      RETURN_IF_ERROR(WritePending());
      RETURN_IF_ERROR(first.source->block().Check(chunk));
      return writer_->AddChunk(chunk.parts);
    }
    return ReadCluster(cluster);
  }

  // Adds the cluster's samples to those that wait to be written.
  Status ReadCluster(Cluster cluster) {
    // The samples of one source never have equal times, so they may come in any order.
    std::vector<SourceChunk> by_source(cluster.begin(), cluster.end());
    std::stable_sort(by_source.begin(), by_source.end(),
                     [](const SourceChunk& a, const SourceChunk& b) {
                       return a.source->number() < b.source->number();
                     });
    storage::SampleColumns merged;
    for (const SourceChunk& one : by_source) {
      storage::SampleColumns samples;
      RETURN_IF_ERROR(Read(one, samples));
      MergeSamples(merged, samples);
    }
    AppendSamples(pending_, merged);
    return {};
  }

  Status Read(const SourceChunk& from, storage::SampleColumns& out) {
    left_.clear();
    Subtract({from.chunk.min_time, from.chunk.max_time}, from.source->deleted(), left_);
    for (const storage::TimeRange& range : left_) {
      RETURN_IF_ERROR(from.source->block().Decode(from.chunk, range, out));
    }
    return {};
  }

  Status WritePending() {
    Status status = writer_->AddSamples(pending_);
    pending_.clear();
    return status;
  }

  BlockWriter* writer_;
  std::vector<SourceChunk> chunks_;
  storage::SampleColumns pending_;  // of the present series
  std::vector<BlockChunk> listed_;
  std::vector<storage::TimeRange> left_;
};

// Takes the walks with the lowest labels from the heap.
void TakeLowest(std::vector<SourceWalk*>& heap, std::vector<SourceWalk*>& lowest) {
  lowest.clear();
  do {
    std::pop_heap(heap.begin(), heap.end(), IsAfter);
    lowest.push_back(heap.back());
    heap.pop_back();
  } while (!heap.empty() && heap.front()->labels() == lowest.front()->labels());
}

Status GoOn(std::span<SourceWalk* const> walks, std::vector<SourceWalk*>& heap) {
  for (SourceWalk* walk : walks) {
    RETURN_IF_ERROR(walk->Next());
    if (walk->done()) continue;
    heap.push_back(walk);
    std::push_heap(heap.begin(), heap.end(), IsAfter);
  }
  return {};
}

}  // namespace

Result<BlockMeta> MergeBlocks(Disk& disk, std::span<const BlockSource> sources, std::string path,
                              const std::atomic<bool>* cancel) {
  Result<std::unique_ptr<BlockWriter>> writer = BlockWriter::Create(disk, std::move(path));
  if (!writer) return writer.error();
  std::vector<std::unique_ptr<SourceWalk>> walks;
  std::vector<SourceWalk*> lowest;
  for (const BlockSource& source : sources) {
    walks.push_back(std::make_unique<SourceWalk>(source, walks.size()));
    lowest.push_back(walks.back().get());
  }
  std::vector<SourceWalk*> heap;
  RETURN_IF_ERROR(GoOn(lowest, heap));
  Merger merger(**writer);
  while (!heap.empty()) {
    if (cancel && cancel->load(std::memory_order_relaxed)) {
      return Error(ErrorKind::kCanceled, "merging blocks was stopped");
    }
    TakeLowest(heap, lowest);
    RETURN_IF_ERROR(merger.Merge(lowest));
    RETURN_IF_ERROR(GoOn(lowest, heap));
  }
  for (const BlockSource& source : sources) RETURN_IF_ERROR(source.block->CheckMapping());
  return (*writer)->Finish();
}

}  // namespace skep::tsdb
