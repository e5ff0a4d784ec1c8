#include "evaluator/scrape/scrape_loop.h"

#include <algorithm>
#include <utility>

#include "evaluator/scrape/request.h"

namespace skep::scrape {
namespace {

std::shared_ptr<net::RepeatedRequest> RequestOf(const LoopOptions& options) {
  return std::make_shared<net::RepeatedRequest>(options.http,
                                                MakeRequest(*options.job, options.target));
}

}  // namespace

std::string_view HealthName(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "unknown";
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
  }
  return {};
}

ScrapeLoop::ScrapeLoop(PageSink sink, LoopOptions options)
    : ingester_(sink, options.job, options.target.labels),
      job_(options.job),
      options_(std::move(options)),
      request_(RequestOf(options_)) {}

ScrapeLoop::Readiness ScrapeLoop::Begin(Order& order) {
  const std::lock_guard lock(mutex_);
  if (gone_) return Readiness::kGone;
  if (busy_) return Readiness::kBusy;
  busy_ = true;
  order.refused = options_.refused;
  order.request = request_;
  return Readiness::kReady;
}

ScrapedPage ScrapeLoop::PageOf(const Result<net::ClientResponse>& response) const {
  ScrapedPage page;
  if (!response) {
    page.failure = response.error();
    return page;
  }
  const Result<exposition::Format> format = PageFormat(*job_, *response);
  if (!format) {
    page.failure = format.error();
    return page;
  }
  page.body = response->body;
  page.format = *format;
  return page;
}

std::optional<IngestResult> ScrapeLoop::End(const Result<net::ClientResponse>& response,
                                            Timestamp time, double duration_seconds) {
  const std::lock_guard ingest_lock(ingest_mutex_);
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    if (gone_) return std::nullopt;
  }
  ScrapedPage page = PageOf(response);
  page.time = time;
  page.duration_seconds = duration_seconds;
  IngestResult result = ingester_.Ingest(page);
  cache_bytes_ = ingester_.cache_bytes();
  const std::lock_guard lock(mutex_);
  health_ = result.status ? Health::kUp : Health::kDown;
  last_error_ = result.status ? "" : result.status.error().message();
  last_scrape_ = time;
  last_duration_seconds_ = duration_seconds;
  metadata_ = ingester_.metadata().table();
  return result;
}

bool ScrapeLoop::Change(LoopOptions options) {
  const std::lock_guard ingest_lock(ingest_mutex_);
  if (options.job != job_) {
    job_ = options.job;
    ingester_.ChangeJob(job_);
  }
  const std::lock_guard lock(mutex_);
  const bool other_interval = options.target.interval != options_.target.interval;
  options_ = std::move(options);
  request_ = RequestOf(options_);
  if (other_interval) ++generation_;
  return other_interval;
}

skep::Status ScrapeLoop::MarkGone(Timestamp now) {
  const std::lock_guard ingest_lock(ingest_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (gone_) return {};
    gone_ = true;
    now = std::max(now, last_scrape_ + Duration(1));
  }
  return ingester_.MarkGone(now);
}

void ScrapeLoop::Abandon() {
  const std::lock_guard ingest_lock(ingest_mutex_);
  const std::lock_guard lock(mutex_);
  gone_ = true;
}

Duration ScrapeLoop::interval() const {
  const std::lock_guard lock(mutex_);
  return options_.target.interval;
}

std::uint64_t ScrapeLoop::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::string ScrapeLoop::Identity() const {
  const std::lock_guard lock(mutex_);
  return options_.target.Identity();
}

std::string ScrapeLoop::url() const {
  const std::lock_guard lock(mutex_);
  return options_.target.url;
}

TargetStatus ScrapeLoop::Status(const std::string& external_host) const {
  const std::lock_guard lock(mutex_);
  TargetStatus status;
  status.pool = options_.job->name;
  status.discovered_labels = options_.target.discovered_labels;
  status.labels = options_.target.labels;
  status.scrape_url = options_.target.url;
  status.global_url = GlobalUrl(options_.target.url, external_host);
  status.last_error = last_error_;
  status.last_scrape = last_scrape_;
  status.last_duration_seconds = last_duration_seconds_;
  status.health = health_;
  status.interval = options_.target.interval;
  status.timeout = options_.target.timeout;
  return status;
}

TargetMetadata ScrapeLoop::Metadata() const {
  const std::lock_guard lock(mutex_);
  return {options_.job->name, options_.target.labels, metadata_};
}

}  // namespace skep::scrape
