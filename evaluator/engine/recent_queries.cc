#include "evaluator/engine/recent_queries.h"

#include <algorithm>

namespace skep::engine {

// What a lease holds is changed by it alone, the rest under the mutex.
struct RecentQueries::Entry {
  std::string text;
  Query query;
  Clock::Steady used;
  bool is_leased = false;
  std::size_t series = 0;                        // that the last run selected; the lease's
  std::unique_ptr<PreparedPlan> plan = nullptr;  // the lease's
};

RecentQueries::RecentQueries(const Clock& clock, RecentQueriesOptions options)
    : clock_(clock), options_(options) {}

RecentQueries::~RecentQueries() = default;

PreparedPlan* RecentQueries::Lease::plan() const {
  return owner_ == nullptr ? nullptr : entry_->plan.get();
}

void RecentQueries::Lease::Note(const QueryStats& stats) {
  if (owner_ != nullptr) entry_->series = stats.series_selected;
}

Result<RecentQueries::Lease> RecentQueries::Take(std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    ForgetOld();
    const auto known =
        std::ranges::find_if(entries_, [text](const Entry& entry) { return entry.text == text; });
    if (known != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, known);
      known->used = clock_.SteadyNow();
      if (std::exchange(known->is_leased, true)) return Lease(nullptr, nullptr, known->query);
      if (known->plan == nullptr && known->series <= options_.most_series) {
        known->plan = std::make_unique<PreparedPlan>(selects_);
      }
      return Lease(this, &*known, known->query);
    }
  }
  Result<Query> query = Query::Parse(text, options_.parse);
  if (!query) return query.error();
  if (text.size() <= options_.most_text_bytes) Add(text, *query);
  return Lease(nullptr, nullptr, *std::move(query));
}

void RecentQueries::Add(std::string_view text, const Query& query) {
  const std::lock_guard lock(mutex_);
  entries_.push_front({std::string(text), query, clock_.SteadyNow()});
  if (entries_.size() <= options_.most_queries) return;
  const auto oldest = std::find_if(entries_.rbegin(), entries_.rend(),
                                   [](const Entry& entry) { return !entry.is_leased; });
  if (oldest != entries_.rend()) entries_.erase(std::next(oldest).base());
}

std::size_t RecentQueries::heap_bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = entries_.size() * sizeof(Entry);
  for (const Entry& entry : entries_) {
    bytes += entry.text.capacity();
    if (!entry.is_leased && entry.plan != nullptr) bytes += entry.plan->heap_bytes();
  }
  return bytes;
}

void RecentQueries::GiveBack(Entry& entry) {
  const std::lock_guard lock(mutex_);
  entry.is_leased = false;
  LimitSeries();
}

// Requires of this and the next: the mutex is held.
void RecentQueries::ForgetOld() {
  const Clock::Steady oldest = clock_.SteadyNow() - options_.keep;
  std::erase_if(entries_,
                [oldest](const Entry& entry) { return !entry.is_leased && entry.used < oldest; });
}

void RecentQueries::LimitSeries() {
  std::size_t all = 0;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto present = entry++;
    if (present->is_leased || present->plan == nullptr) continue;
    if (present->series > options_.most_series) {
      present->plan.reset();
    } else if (all + present->series > options_.most_series_of_all) {
      entries_.erase(present);
    } else {
      all += present->series;
    }
  }
}

}  // namespace skep::engine
