// The cycle of one target: asked, answered, stored.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/net/http_fetcher.h"
#include "evaluator/scrape/page_ingester.h"
#include "evaluator/scrape/status.h"
#include "evaluator/scrape/target.h"

namespace skep::scrape {

// What a loop runs by. Replaced as a whole at a reload.
struct LoopOptions {
  std::shared_ptr<const JobOptions> job;
  std::shared_ptr<const net::HttpClientOptions> http;
  Target target;
  std::optional<Error> refused;  // set: the target is not asked, each scrape fails with this
};

// Thread-safe. Asking and answering alternate; whoever drives it waits for neither.
class ScrapeLoop {
 public:
  ScrapeLoop(PageSink sink, LoopOptions options);

  struct Order {
    std::shared_ptr<net::RepeatedRequest> request;
    std::optional<Error> refused;
  };
  enum class Readiness : std::uint8_t { kReady, kBusy, kGone };
  // kReady: `order` is to be carried out and End called with its outcome, exactly once.
  Readiness Begin(Order& order);

  // Stores what came for the scrape at `time`. Nothing is stored once the loop is gone.
  std::optional<IngestResult> End(const Result<net::ClientResponse>& response, Timestamp time,
                                  double duration_seconds);

  // True: the interval is another one, so the loop wants other turns.
  bool Change(LoopOptions options);
  // Ends all of its series; waits for a page that is being stored.
  skep::Status MarkGone(Timestamp now);
  // No batch any more; series stay as they are.
  void Abandon();

  Duration interval() const;
  std::uint64_t generation() const;  // rises when the interval changes
  std::string Identity() const;
  std::string url() const;
  TargetStatus Status(const std::string& external_host) const;
  TargetMetadata Metadata() const;
  // Of the heap, what is kept of the target's series from page to page.
  std::size_t cache_bytes() const { return cache_bytes_.load(std::memory_order_relaxed); }

 private:
  ScrapedPage PageOf(const Result<net::ClientResponse>& response) const;

  // Held while a page is stored; taken before mutex_.
  std::mutex ingest_mutex_;
  PageIngester ingester_;                  // guarded by ingest_mutex_
  std::shared_ptr<const JobOptions> job_;  // of the ingester; guarded by ingest_mutex_

  std::atomic<std::size_t> cache_bytes_{0};

  mutable std::mutex mutex_;
  LoopOptions options_;  // guarded by mutex_, as all below
  std::shared_ptr<net::RepeatedRequest> request_;
  std::uint64_t generation_ = 0;
  bool busy_ = false;
  bool gone_ = false;
  Health health_ = Health::kUnknown;
  std::string last_error_;
  Timestamp last_scrape_{};
  double last_duration_seconds_ = 0;
  std::shared_ptr<const MetadataTable> metadata_ = std::make_shared<MetadataTable>();
};

}  // namespace skep::scrape
