// A store's folder for reading, whether an evaluator is using it or not.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_list.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/head.h"

namespace skep::transfer {

// What stands in the store at the moment of Open: its blocks, and what its log has beyond them.
// Holds the newest samples in memory, as an evaluator does; blocks are mapped. Thread-compatible.
class StoreReader final : public storage::Queryable {
 public:
  // Called with what is damaged and therefore left out.
  using Remark = std::function<void(const std::string& message)>;

  // Changes nothing in the folder and takes no lock. kInvalid: a file of another version, or the
  // folder is no store. kUnavailable: it changes faster than it can be read.
  static Result<std::unique_ptr<StoreReader>> Open(const std::string& store, const Remark& remark);

  // Blocks and log as one.
  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override;

  const tsdb::BlockList& blocks() const { return *blocks_; }
  tsdb::Head& head() { return head_; }                    // what the log has
  std::uint64_t log_bytes() const { return log_bytes_; }  // on disk, checkpoint included

 private:
  StoreReader(const std::string& store, const Remark& remark);
  Status Read();
  Status ReadLog();
  Status ReadBlocks();
  Result<tsdb::LiveBlock> ReadBlock(std::uint64_t number) const;

  const std::string store_;
  const Remark remark_;
  const std::unique_ptr<tsdb::Disk> disk_;
  tsdb::Head head_;
  tsdb::BlockListPtr blocks_;
  std::uint64_t log_bytes_ = 0;
};

}  // namespace skep::transfer
