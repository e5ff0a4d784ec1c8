// A store in memory, as plain as the storage interfaces allow: what faster stores are compared
// with.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "evaluator/storage/appender.h"
#include "evaluator/storage/querier.h"

namespace skep::test {

// Takes any time, as long as a series' times rise. Keeps everything. Thread-safe.
class MemoryStore final : public storage::Appendable, public storage::Queryable {
 public:
  std::unique_ptr<storage::Appender> NewAppender() override;
  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override;

 private:
  friend class MemoryAppender;

  // Never changed once it is seen: a commit makes a new one, readers keep theirs.
  using Data = std::map<Labels, std::shared_ptr<const storage::SampleColumns>>;

  std::mutex mutex_;
  std::shared_ptr<const Data> data_ = std::make_shared<Data>();  // guarded by mutex_
};

}  // namespace skep::test
