// All targets of one job.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/net/http_client.h"
#include "evaluator/scrape/file_discovery.h"
#include "evaluator/scrape/scrape_loop.h"
#include "evaluator/scrape/status.h"

namespace skep::scrape {

using LoopPtr = std::shared_ptr<ScrapeLoop>;

// Thread-compatible.
class ScrapePool {
 public:
  ScrapePool(PageSink sink, JobOptions job, std::string user_agent, Logger log);

  const JobOptions& job() const { return *job_; }

  // What a Sync changed: for whoever drives the loops.
  struct Changes {
    std::vector<LoopPtr> added;    // want their first turn
    std::vector<LoopPtr> retimed;  // stay, at another interval
    std::vector<LoopPtr> removed;  // are to be ended
    bool over_target_limit = false;
  };

  // Another job of the same name. Targets change at the next Sync.
  void ChangeJob(JobOptions job);
  // Looks at discovery files. True: a Sync is due.
  bool RefreshFiles(Clock::Steady now) { return files_.Refresh(now); }
  std::uint64_t file_failures() const { return files_.failures(); }
  // Makes the loops those of the present groups. A target that cannot be scraped is logged and left
  // out.
  Changes Sync();

  const std::map<std::string, LoopPtr>& loops() const { return loops_; }  // by identity
  const std::vector<Labels>& dropped() const { return dropped_; }
  std::uint64_t dropped_count() const { return dropped_count_; }

 private:
  std::map<std::string, Target> FindTargets();
  void AddTargets(const TargetGroup& group, std::map<std::string, Target>& targets);

  PageSink sink_;
  std::string user_agent_;
  Logger log_;
  std::shared_ptr<const JobOptions> job_;
  std::shared_ptr<const net::HttpClientOptions> http_;
  FileDiscovery files_;
  std::map<std::string, LoopPtr> loops_;
  std::vector<Labels> dropped_;
  std::uint64_t dropped_count_ = 0;
};

}  // namespace skep::scrape
