// The threads behind all scrape loops: one that keeps time and holds the connections, some that
// store pages.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/thread.h"
#include "common/net/http_fetcher.h"
#include "evaluator/scrape/counters.h"
#include "evaluator/scrape/lost_pages.h"
#include "evaluator/scrape/scrape_loop.h"

namespace skep::scrape {

// Thread-safe. A target that hangs costs a socket until its timeout, and no thread; a disk that
// hangs holds up those that store, and not the turns.
class ScrapeDriver {
 public:
  // All references must outlive the driver.
  static Result<std::unique_ptr<ScrapeDriver>> Create(const Clock& clock, Logger log,
                                                      const Counters& counters, int workers);
  // Stops.
  ~ScrapeDriver();

  // Gives the loop its turns, from the next one on, until it is gone. Again after its interval
  // changed; the turns given before then end by themselves. Requires: Stop has not been called.
  void Drive(const std::shared_ptr<ScrapeLoop>& loop);

  // Afterwards no loop is asked and none stores.
  void Stop();

 private:
  struct Turn {
    Clock::Steady due;
    Timestamp time;
    std::weak_ptr<ScrapeLoop> loop;
    std::uint64_t generation;
    // Of the loop, as long as it is of that generation.
    Duration interval;
    Duration offset;
    bool operator<(const Turn& other) const { return due > other.due; }  // earliest on top
  };
  struct Work {
    std::shared_ptr<ScrapeLoop> loop;
    Result<net::ClientResponse> response;
    Timestamp time;
    double duration_seconds;
    std::size_t max_body_bytes;
  };

  ScrapeDriver(const Clock& clock, Logger log, const Counters& counters);

  // Asks those whose turn it is; gives when the next ones are due.
  Clock::Steady TakeTurns();
  std::vector<Turn> TakeDue();
  // The loop's next turn after `after`; `turn` is one of its earlier ones.
  void Push(Turn turn, Timestamp after);
  void Take(const Turn& turn);
  void Ask(const std::shared_ptr<ScrapeLoop>& loop, ScrapeLoop::Order order, Timestamp time);
  void Enqueue(Work work);
  void StorePages();
  void Store(Work& work);
  void TellLost(const ScrapeLoop& loop, const Error& error);

  const Clock& clock_;
  Logger log_;
  const Counters& counters_;
  LostPages lost_pages_;

  std::mutex turns_mutex_;
  std::priority_queue<Turn> turns_;  // guarded by turns_mutex_

  std::mutex work_mutex_;
  std::condition_variable work_changed_;
  std::deque<Work> work_;  // guarded by work_mutex_
  bool stopping_ = false;  // guarded by work_mutex_

  std::unique_ptr<net::HttpFetcher> fetcher_;
  std::vector<std::jthread> workers_;
};

}  // namespace skep::scrape
