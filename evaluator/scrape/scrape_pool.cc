#include "evaluator/scrape/scrape_pool.h"

#include <optional>
#include <utility>

namespace skep::scrape {
namespace {

std::shared_ptr<const net::HttpClientOptions> WithUserAgent(const JobOptions& job,
                                                            const std::string& user_agent) {
  auto http = job.http ? std::make_shared<net::HttpClientOptions>(*job.http)
                       : std::make_shared<net::HttpClientOptions>();
  if (http->user_agent.empty()) http->user_agent = user_agent;
  return http;
}

}  // namespace

ScrapePool::ScrapePool(PageSink sink, JobOptions job, std::string user_agent, Logger log)
    : sink_(sink),
      user_agent_(std::move(user_agent)),
      log_(std::move(log)),
      job_(std::make_shared<JobOptions>(std::move(job))),
      http_(WithUserAgent(*job_, user_agent_)),
      files_(job_->file_discoveries, log_) {}

void ScrapePool::ChangeJob(JobOptions job) {
  job_ = std::make_shared<JobOptions>(std::move(job));
  http_ = WithUserAgent(*job_, user_agent_);
  files_ = FileDiscovery(job_->file_discoveries, log_);
}

void ScrapePool::AddTargets(const TargetGroup& group, std::map<std::string, Target>& targets) {
  for (const std::string& address : group.targets) {
    Result<DiscoveredTarget> found = MakeTarget(*job_, group, address);
    if (!found) {
      log_.Error("target cannot be scraped", {{"scrape_pool", job_->name}, {"err", found.error()}});
      continue;
    }
    if (found->target) {
      std::string identity = found->target->Identity();
      targets.emplace(std::move(identity), *std::move(found->target));
      continue;
    }
    ++dropped_count_;
    const std::uint64_t limit = job_->limits.dropped_targets;
    if (limit == 0 || dropped_.size() < limit) dropped_.push_back(found->discovered_labels);
  }
}

std::map<std::string, Target> ScrapePool::FindTargets() {
  dropped_.clear();
  dropped_count_ = 0;
  std::map<std::string, Target> targets;
  for (const TargetGroup& group : job_->static_groups) AddTargets(group, targets);
  for (const TargetGroup& group : files_.Groups()) AddTargets(group, targets);
  return targets;
}

ScrapePool::Changes ScrapePool::Sync() {
  std::map<std::string, Target> targets = FindTargets();
  Changes changes;
  std::optional<Error> refused;
  if (const std::uint64_t limit = job_->limits.targets; limit != 0 && targets.size() > limit) {
    changes.over_target_limit = true;
    refused =
        Invalid("target_limit exceeded (number of targets: " + std::to_string(targets.size()) +
                ", limit: " + std::to_string(limit) + ")");
  }
  for (auto at = loops_.begin(); at != loops_.end();) {
    if (targets.contains(at->first)) {
      ++at;
      continue;
    }
    changes.removed.push_back(at->second);
    at = loops_.erase(at);
  }
  for (auto& [identity, target] : targets) {
    LoopOptions options{job_, http_, std::move(target), refused};
    if (const auto at = loops_.find(identity); at != loops_.end()) {
      if (at->second->Change(std::move(options))) changes.retimed.push_back(at->second);
      continue;
    }
    auto loop = std::make_shared<ScrapeLoop>(sink_, std::move(options));
    changes.added.push_back(loop);
    loops_.emplace(identity, std::move(loop));
  }
  return changes;
}

}  // namespace skep::scrape
