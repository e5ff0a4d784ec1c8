#include "evaluator/scrape/scrape_driver.h"

#include <algorithm>
#include <utility>

#include "evaluator/scrape/schedule.h"

namespace skep::scrape {
namespace {

double Seconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace

ScrapeDriver::ScrapeDriver(const Clock& clock, Logger log, const Counters& counters)
    : clock_(clock), log_(std::move(log)), counters_(counters) {}

Result<std::unique_ptr<ScrapeDriver>> ScrapeDriver::Create(const Clock& clock, Logger log,
                                                           const Counters& counters, int workers) {
  std::unique_ptr<ScrapeDriver> driver(new ScrapeDriver(clock, std::move(log), counters));
  ScrapeDriver* const raw = driver.get();
  const auto fatal = [raw](const std::string& what) {
    raw->log_.Error("scrape thread failed", {{"err", what}});
  };
  net::HttpFetcher::Options options;
  options.fatal = fatal;
  options.tick = [raw] { return raw->TakeTurns(); };
  Result<std::unique_ptr<net::HttpFetcher>> fetcher = net::HttpFetcher::Create(options);
  if (!fetcher) return fetcher.error();
  driver->fetcher_ = *std::move(fetcher);
  for (int i = 0; i < workers; ++i) {
    driver->workers_.push_back(StartThread(
        "scrape-store", [raw] { raw->StorePages(); }, fatal));
  }
  return driver;
}

ScrapeDriver::~ScrapeDriver() { Stop(); }

void ScrapeDriver::Stop() {
  {
    const std::lock_guard lock(work_mutex_);
    stopping_ = true;
    work_.clear();
  }
  work_changed_.notify_all();
  if (fetcher_) fetcher_->Stop();
  for (std::jthread& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
}

void ScrapeDriver::Drive(const std::shared_ptr<ScrapeLoop>& loop) {
  Turn turn;
  turn.loop = loop;
  turn.generation = loop->generation();
  turn.interval = loop->interval();
  turn.offset = OffsetOf(loop->Identity(), turn.interval);
  Push(std::move(turn), clock_.Now());
  fetcher_->Wake();
}

void ScrapeDriver::Push(Turn turn, Timestamp after) {
  turn.time = NextTurn(after, turn.interval, turn.offset);
  turn.due = clock_.SteadyNow() + (turn.time - clock_.Now());
  const std::lock_guard lock(turns_mutex_);
  turns_.push(std::move(turn));
}

std::vector<ScrapeDriver::Turn> ScrapeDriver::TakeDue() {
  const Clock::Steady now = clock_.SteadyNow();
  std::vector<Turn> due;
  const std::lock_guard lock(turns_mutex_);
  while (!turns_.empty() && turns_.top().due <= now) {
    due.push_back(turns_.top());
    turns_.pop();
  }
  return due;
}

Clock::Steady ScrapeDriver::TakeTurns() {
  constexpr std::chrono::hours kLong(1);
  for (const Turn& turn : TakeDue()) Take(turn);
  const std::lock_guard lock(turns_mutex_);
  return turns_.empty() ? clock_.SteadyNow() + kLong : turns_.top().due;
}

void ScrapeDriver::Take(const Turn& turn) {
  const std::shared_ptr<ScrapeLoop> loop = turn.loop.lock();
  if (!loop || loop->generation() != turn.generation) return;
  const Timestamp now = clock_.Now();
  const Duration interval = turn.interval;
  ScrapeLoop::Order order;
  switch (loop->Begin(order)) {
    case ScrapeLoop::Readiness::kGone:
      return;
    case ScrapeLoop::Readiness::kBusy:
      counters_.skipped.Increment();
      break;
    case ScrapeLoop::Readiness::kReady:
      Ask(loop, std::move(order), ScrapeTime(turn.time, now, interval));
      break;
  }
  // The wall clock may stand just before the turn. Further off it has been set, and then it counts.
  const bool just_before = now < turn.time && turn.time - now < interval / 2;
  Push(turn, just_before ? turn.time : now);
}

void ScrapeDriver::Ask(const std::shared_ptr<ScrapeLoop>& loop, ScrapeLoop::Order order,
                       Timestamp time) {
  const std::size_t limit = order.request->request().max_body_bytes;
  if (order.refused) return Enqueue({loop, *order.refused, time, 0, limit});
  const Clock::Steady start = clock_.SteadyNow();
  auto take = [this, loop, time, start, limit](Result<net::ClientResponse> response) {
    Enqueue({loop, std::move(response), time, Seconds(clock_.SteadyNow() - start), limit});
  };
  fetcher_->Start(std::move(order.request), std::move(take));
}

void ScrapeDriver::Enqueue(Work work) {
  {
    const std::lock_guard lock(work_mutex_);
    if (stopping_) return;
    work_.push_back(std::move(work));
  }
  work_changed_.notify_one();
}

void ScrapeDriver::StorePages() {
  while (true) {
    std::unique_lock lock(work_mutex_);
    work_changed_.wait(lock, [this] { return stopping_ || !work_.empty(); });
    if (stopping_) return;
    Work work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    Store(work);
  }
}

void ScrapeDriver::Store(Work& work) {
  const Clock::Steady start = clock_.SteadyNow();
  if (work.response) {
    const Status text = net::Decompress(*work.response, work.max_body_bytes);
    if (!text) work.response = text.error();
  }
  const std::optional<IngestResult> result =
      work.loop->End(work.response, work.time, work.duration_seconds);
  if (!result) return;
  counters_.ingest_seconds.Observe(clock_.SteadyNow() - start);
  counters_.Count(*result);
  if (!work.response && work.response.error().message().starts_with("body larger than")) {
    counters_.body_limit.Increment();
  }
  if (!result->commit) TellLost(*work.loop, result->commit.error());
  if (!result->status) {
    log_.Debug("scrape failed", {{"target", work.loop->url()}, {"err", result->status.error()}});
  }
}

void ScrapeDriver::TellLost(const ScrapeLoop& loop, const Error& error) {
  const std::uint64_t scrapes = lost_pages_.Add(clock_.SteadyNow());
  if (scrapes == 0) return;
  log_.Error("scrapes were not stored",
             {{"scrapes", scrapes}, {"target", loop.url()}, {"err", error}});
}

}  // namespace skep::scrape
