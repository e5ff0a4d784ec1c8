#include "evaluator/scrape/manager.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "common/base/thread.h"
#include "evaluator/scrape/counters.h"
#include "evaluator/scrape/scrape_driver.h"
#include "evaluator/scrape/scrape_pool.h"

namespace skep::scrape {
namespace {

constexpr std::string_view kTargetsGauge = "skep_evaluator_scrape_pool_targets";
constexpr std::string_view kTargetsHelp = "Targets of a scrape job.";
// How often discovery files are looked at; only changed ones are read.
constexpr std::chrono::seconds kLookInterval(1);

std::string HostName() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

int WorkerCount(int wanted) {
  if (wanted > 0) return wanted;
  constexpr int kMost = 4;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
}

}  // namespace

struct Manager::Impl {
  Impl(storage::Appendable& s, const Clock& c, Logger l, instrument::Instruments& i, Options o)
      : store(s), clock(c), log(std::move(l)), instruments(i), options(std::move(o)), counters(i) {}

  void Apply(ScrapeConfig config);
  void RemovePoolsBut(const std::set<std::string>& names);
  void SyncPool(ScrapePool& pool);
  void End(const std::vector<LoopPtr>& loops);
  void WatchFiles();
  void CountFailures(const ScrapePool& pool, std::uint64_t before);
  std::vector<LoopPtr> AllLoops() const;

  storage::Appendable& store;
  const Clock& clock;
  const Logger log;
  instrument::Instruments& instruments;
  const Options options;
  const Counters counters;

  // Changes follow each other: a reload, a file. Taken before pools_mutex.
  std::mutex change_mutex;
  bool stopped = false;  // guarded by change_mutex

  mutable std::mutex pools_mutex;
  std::map<std::string, std::unique_ptr<ScrapePool>> pools;  // guarded by pools_mutex

  std::unique_ptr<ScrapeDriver> driver;
  Wakeup watching;
  std::jthread watcher;
};

void Manager::Impl::Apply(ScrapeConfig config) {
  const std::lock_guard change(change_mutex);
  if (stopped) return;
  std::set<std::string> names;
  for (const JobOptions& job : config.jobs) names.insert(job.name);
  RemovePoolsBut(names);
  for (JobOptions& job : config.jobs) {
    ScrapePool* pool = nullptr;
    {
      const std::lock_guard lock(pools_mutex);
      std::unique_ptr<ScrapePool>& at = pools[job.name];
      const bool same = at && !job.fingerprint.empty() && at->job().fingerprint == job.fingerprint;
      if (same) continue;
      if (at) {
        at->ChangeJob(std::move(job));
      } else {
        at = std::make_unique<ScrapePool>(PageSink{store, options.commits}, std::move(job),
                                          "skep/" + options.version, log);
      }
      pool = at.get();
    }
    (void)pool->RefreshFiles(clock.SteadyNow());  // synced in any case
    CountFailures(*pool, 0);
    SyncPool(*pool);
  }
}

void Manager::Impl::RemovePoolsBut(const std::set<std::string>& names) {
  std::vector<LoopPtr> ended;
  {
    const std::lock_guard lock(pools_mutex);
    for (auto at = pools.begin(); at != pools.end();) {
      if (names.contains(at->first)) {
        ++at;
        continue;
      }
      for (const auto& [identity, loop] : at->second->loops()) ended.push_back(loop);
      instruments.RemoveGauge(kTargetsGauge, {{"scrape_job", at->first}});
      at = pools.erase(at);
    }
  }
  End(ended);
}

void Manager::Impl::SyncPool(ScrapePool& pool) {
  ScrapePool::Changes changes;
  {
    const std::lock_guard lock(pools_mutex);
    changes = pool.Sync();
  }
  if (changes.over_target_limit) counters.target_limit.Increment();
  instruments.AddGauge(kTargetsGauge, kTargetsHelp, {{"scrape_job", pool.job().name}})
      .Set(static_cast<double>(pool.loops().size()));
  End(changes.removed);
  for (const LoopPtr& loop : changes.added) driver->Drive(loop);
  for (const LoopPtr& loop : changes.retimed) driver->Drive(loop);
}

void Manager::Impl::End(const std::vector<LoopPtr>& loops) {
  for (const LoopPtr& loop : loops) {
    const Status marked = loop->MarkGone(clock.Now());
    if (marked) continue;
    log.Error("the end of a target's series was not stored",
              {{"target", loop->url()}, {"err", marked.error()}});
  }
}

void Manager::Impl::CountFailures(const ScrapePool& pool, std::uint64_t before) {
  const std::uint64_t failures = pool.file_failures() - before;
  if (failures > 0) counters.discovery_failures.Increment(static_cast<double>(failures));
}

void Manager::Impl::WatchFiles() {
  while (watching.WaitUntil(clock.SteadyNow() + kLookInterval)) {
    const std::lock_guard change(change_mutex);
    std::vector<ScrapePool*> all;
    {
      const std::lock_guard lock(pools_mutex);
      for (const auto& [name, pool] : pools) all.push_back(pool.get());
    }
    // Pools come and go only under change_mutex, and nobody else touches their files.
    for (ScrapePool* pool : all) {
      const std::uint64_t before = pool->file_failures();
      if (pool->RefreshFiles(clock.SteadyNow())) SyncPool(*pool);
      CountFailures(*pool, before);
    }
  }
}

std::vector<LoopPtr> Manager::Impl::AllLoops() const {
  const std::lock_guard lock(pools_mutex);
  std::vector<LoopPtr> loops;
  for (const auto& [name, pool] : pools) {
    for (const auto& [identity, loop] : pool->loops()) loops.push_back(loop);
  }
  return loops;
}

Manager::Manager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Manager::~Manager() { Stop(); }

Result<std::unique_ptr<Manager>> Manager::Create(storage::Appendable& store, const Clock& clock,
                                                 Logger log, instrument::Instruments& instruments,
                                                 Options options) {
  const int workers = WorkerCount(options.workers);
  if (options.external_host.empty()) options.external_host = HostName();
  auto impl = std::make_unique<Impl>(store, clock, std::move(log), instruments, std::move(options));
  Impl* const raw = impl.get();
  Result<std::unique_ptr<ScrapeDriver>> driver =
      ScrapeDriver::Create(clock, raw->log, raw->counters, workers);
  if (!driver) return driver.error();
  impl->driver = *std::move(driver);
  impl->watcher = StartThread(
      "scrape-files", [raw] { raw->WatchFiles(); },
      [raw](const std::string& what) {
        raw->log.Error("discovery failed", {{"err", what}});
      });
  return std::unique_ptr<Manager>(new Manager(std::move(impl)));
}

void Manager::Apply(ScrapeConfig config) { impl_->Apply(std::move(config)); }

void Manager::Stop() {
  impl_->watching.Stop();
  if (impl_->watcher.joinable()) impl_->watcher.join();
  const std::lock_guard change(impl_->change_mutex);
  if (impl_->stopped) return;
  impl_->stopped = true;
  impl_->driver->Stop();
  const std::vector<LoopPtr> loops = impl_->AllLoops();
  if (impl_->options.stale_on_stop) impl_->End(loops);
  for (const LoopPtr& loop : loops) loop->Abandon();
}

TargetsStatus Manager::Targets() const {
  TargetsStatus status;
  const std::lock_guard lock(impl_->pools_mutex);
  for (const auto& [name, pool] : impl_->pools) {
    status.pools.push_back(name);
    for (const auto& [identity, loop] : pool->loops()) {
      status.active.push_back(loop->Status(impl_->options.external_host));
    }
    for (const Labels& labels : pool->dropped()) status.dropped.push_back({name, labels});
    status.dropped_counts.emplace_back(name, pool->dropped_count());
  }
  return status;
}

std::size_t Manager::CacheBytes() const {
  std::size_t bytes = 0;
  for (const LoopPtr& loop : impl_->AllLoops()) bytes += loop->cache_bytes();
  return bytes;
}

std::vector<TargetMetadata> Manager::Metadata() const {
  std::vector<TargetMetadata> metadata;
  for (const LoopPtr& loop : impl_->AllLoops()) metadata.push_back(loop->Metadata());
  return metadata;
}

}  // namespace skep::scrape
