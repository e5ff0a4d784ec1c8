// What a store keeps of selectors that come again and again, once for all queries that have an
// equal one.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/time.h"
#include "common/model/matcher.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

struct SharedSelect {
  std::mutex mutex;
  // Guarded by mutex. Null until the store was asked, and where it keeps nothing.
  std::unique_ptr<storage::KeptSelect> kept;
};

// Where the samples of a selector lie, from the query's time (the first step's). Selectors that
// look further back than others need more series, and those of a graph over six hours meet more
// blocks than those of one over an hour.
struct SelectReach {
  Duration back;   // to where they begin
  Duration ahead;  // to where they end; below 0 where that is before
};

// Of one store. Thread-safe.
class SelectPool {
 public:
  // The same as long as anybody has it.
  std::shared_ptr<SharedSelect> Of(const std::vector<Matcher>& matchers, SelectReach reach);

 private:
  void ForgetUnused();

  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<SharedSelect>> selects_;  // guarded by mutex_
  std::size_t forget_at_ = 64;                                            // guarded by mutex_
};

}  // namespace skep::engine
