// Queries that clients send again and again, as dashboards do at every refresh: their trees, and
// what was prepared for them (prepared_plan.h).
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/engine/engine.h"
#include "evaluator/engine/prepared_plan.h"
#include "evaluator/engine/select_pool.h"

namespace skep::engine {

struct RecentQueriesOptions {
  promql::ParseOptions parse = {};
  std::size_t most_queries = 128;
  std::size_t most_text_bytes = 4096;  // longer ones are not kept
  // A plan takes 20 bytes for each series that its query selects, and some 200 more for each one
  // that it matches one to one. Queries over more series have none.
  std::size_t most_series = 20'000;
  std::size_t most_series_of_all = 100'000;
  Duration keep = std::chrono::minutes(5);  // after its last use
};

// Of one store. Thread-safe.
class RecentQueries {
 private:
  struct Entry;

 public:
  // `clock` outlives it.
  explicit RecentQueries(const Clock& clock, RecentQueriesOptions options = {});
  RecentQueries(const RecentQueries&) = delete;
  RecentQueries& operator=(const RecentQueries&) = delete;
  ~RecentQueries();

  // A query for one run, which the RecentQueries must outlive.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)),
          entry_(other.entry_),
          query_(std::move(other.query_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (owner_ != nullptr) owner_->GiveBack(*entry_);
    }

    const Query& query() const { return query_; }
    // Null at the first run, while another one uses it, and where it would be too large.
    PreparedPlan* plan() const;
    // What the run came to.
    void Note(const QueryStats& stats);

   private:
    friend RecentQueries;
    Lease(RecentQueries* owner, Entry* entry, Query query)
        : owner_(owner), entry_(entry), query_(std::move(query)) {}

    RecentQueries* owner_;  // null: nothing is to be given back
    Entry* entry_;
    Query query_;
  };

  // As Query::Parse.
  Result<Lease> Take(std::string_view text);

  // Of the heap, about: texts and plans, but those of queries that run just now.
  std::size_t heap_bytes() const;

 private:
  void Add(std::string_view text, const Query& query);
  void GiveBack(Entry& entry);
  void ForgetOld();
  void LimitSeries();

  const Clock& clock_;
  const RecentQueriesOptions options_;
  const std::shared_ptr<SelectPool> selects_ = std::make_shared<SelectPool>();
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the last used ones first; guarded by mutex_
};

}  // namespace skep::engine
