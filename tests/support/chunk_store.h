// A store of sealed chunks with summaries, cut as a test wants them.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "common/base/result.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/chunk.h"

namespace skep::test {

// Never changes. Thread-safe.
class ChunkStore final : public storage::Queryable {
 public:
  // The series of `from`, each cut into chunks of as many samples as `length` says, but none with
  // floats and histograms.
  static Result<std::unique_ptr<ChunkStore>> Of(storage::Queryable& from,
                                                const std::function<std::size_t()>& length);

  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override;

  // What queriers gave in place of samples until now.
  std::size_t summaries_read() const { return summaries_read_; }

  struct Series {
    Labels labels;
    std::vector<tsdb::Chunk> chunks;  // in the order of time
  };

 private:
  ChunkStore() = default;

  std::vector<Series> series_;
  std::atomic<std::size_t> summaries_read_ = 0;
};

}  // namespace skep::test
