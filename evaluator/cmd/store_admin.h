// The store as the API's admin endpoints see it.
#pragma once

#include <span>
#include <string>

#include "evaluator/api/api.h"
#include "evaluator/tsdb/store.h"

namespace skep::evaluator {

// Thread-safe, as the store is, which must outlive it.
class StoreAdmin final : public api::StoreAdmin {
 public:
  explicit StoreAdmin(tsdb::Store& store) : store_(store) {}

  Result<std::string> Snapshot(Copied what) override {
    return store_.Snapshot(what == Copied::kAll ? tsdb::Store::Copied::kAll
                                                : tsdb::Store::Copied::kBlocksOnly);
  }
  Status Delete(std::span<const Matcher> matchers, storage::TimeRange range) override {
    return store_.Delete(matchers, range);
  }
  Status CleanTombstones() override { return store_.CleanTombstones(); }

 private:
  tsdb::Store& store_;
};

}  // namespace skep::evaluator
