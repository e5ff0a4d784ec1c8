// Keeps all targets scraped: discovery, pools, threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/instrument/instruments.h"
#include "evaluator/scrape/config.h"
#include "evaluator/scrape/status.h"
#include "evaluator/storage/appender.h"
#include "evaluator/storage/commit_watches.h"

namespace skep::scrape {

// Thread-safe. One thread keeps time and discovery, one holds all connections (curl multi), and
// `workers` threads parse pages and append; a target that hangs occupies none of them.
//
// A target's scrapes come at a fixed offset within its interval, hashed from its labels, aligned to
// the wall clock; one that is still under way when the next is due skips that one. Each scrape is
// one batch.
class Manager {
 public:
  struct Options {
    int workers = 0;                 // 0: one per core, at most 4
    std::string version = {};        // for the User-Agent, "skep/VERSION"
    std::string external_host = {};  // for global_url; "" takes the machine's host name
    bool stale_on_stop = false;      // Stop writes staleness markers for everything
    const storage::CommitFeed* commits = nullptr;  // who is told of each page; outlives the Manager
  };

  // All references must outlive the Manager.
  static Result<std::unique_ptr<Manager>> Create(storage::Appendable& store, const Clock& clock,
                                                 Logger log, instrument::Instruments& instruments,
                                                 Options options);
  // Stops.
  ~Manager();

  // Takes `config` into force. Pools whose job did not change go on untouched; in one that did,
  // targets that remain keep their rhythm. What goes gets its staleness markers before Apply
  // returns, but for a target whose page is being worked on: that one gets them right after.
  void Apply(ScrapeConfig config);

  // Ends all scrapes; no batch is written afterwards.
  void Stop();

  TargetsStatus Targets() const;
  // One entry per target, also those never scraped.
  std::vector<TargetMetadata> Metadata() const;
  // Of the heap, what is kept of the targets' series from page to page.
  std::size_t CacheBytes() const;

 private:
  struct Impl;
  explicit Manager(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::scrape
