// Follows log files and turns their lines into counters and histograms of the store.
#pragma once

#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "exporter/logs/options.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"

namespace skep::logs {

class BookmarkSection;
class TemplateSection;

// What of the logs is in the state file: how far files were read ("log_offsets") and which
// templates of lines are known ("log_templates"). Made before Store::Open, outlives the store.
class Sections {
 public:
  Sections();
  ~Sections();

  std::vector<state::Section*> all();

 private:
  friend class Logs;

  std::unique_ptr<BookmarkSection> bookmarks_;
  std::unique_ptr<TemplateSection> templates_;
};

// Owns its threads: one that is told of changes by the kernel, and Options::threads that read.
// Thread-safe but for Start and Stop.
class Logs {
 public:
  // `sections` were given to the Store::Open that made `store`. All references outlive this.
  Logs(Options options, Sections& sections, state::Store& store, const Clock& clock,
       const Logger& log);
  // Stops.
  ~Logs();

  void Start();
  // What was read is in the store; the rest is read after the next Start.
  void Stop();

  // Takes another configuration: sources whose name stays go on where they are. Waits until no
  // source is being read. What is known of a source that is not in it is kept until 30 days after
  // its files were written to, so that it may come back.
  void Apply(Options options);

  // Deployment of any service: templates that are known by `at` are no longer new, and those first
  // seen since `at` are. For whoever learns of deployments; cmd plugs it in. Not from within
  // Store::Update.
  void OnDeployment(Timestamp at);

  // log_source_up, log_files, log_file_size_bytes, log_unread_bytes,
  // log_last_line_timestamp_seconds, log_patterns, log_patterns_since_deployment. Must not outlive
  // this.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::logs
