// Puts the collectors' families together into one page.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/exposition/writer.h"
#include "exporter/registry/collector.h"
#include "exporter/registry/page_guard.h"

namespace skep::exporter {

// Thread-safe after the last Add: pages may be collected on several threads at once; each collector
// serves one of them at a time.
class Registry {
 public:
  struct Options {
    // Of one page; what goes beyond it is dropped family by family and counted. 0: no bound.
    std::size_t max_series = 200'000;
    // Families that the caller adds to pages: dropped where a collector writes them.
    std::vector<std::string> reserved = {};
  };

  // What one page is made of.
  struct Request {
    exposition::Format format = exposition::Format::kText;
    exposition::NameEscaping escaping = exposition::NameEscaping::kUnderscores;
    // After it no further collector is begun, and those that look at it give up.
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    // Which collectors take part; not set: all.
    std::function<bool(std::string_view name)> wants;
  };

  // `clock` must outlive the registry.
  Registry(Options options, const Clock& clock, Logger log);
  ~Registry();

  // Kept in order of their names. kInvalid: the name is taken. Requires: no Collect has begun.
  Status Add(std::unique_ptr<Collector> collector);

  std::vector<std::string_view> names() const;
  bool Has(std::string_view name) const;

  // Appends the page to `page`: the families of each collector in order of the collectors' names,
  // then node_scrape_collector_duration_seconds, node_scrape_collector_success and
  // skep_exporter_families_dropped_total. A collector that fails, throws or passes the deadline
  // costs only what it did not write. A family that an earlier collector has written is dropped,
  // counted and logged. The end (PageWriter::Finish) is the caller's, who may add the reserved
  // families before it.
  void Collect(const Request& request, std::string& page);

  // Families dropped since the start.
  struct Dropped {
    std::uint64_t duplicate = 0;
    std::uint64_t over_limit = 0;
  };
  Dropped dropped() const;

 private:
  struct Entry;
  struct Outcome;

  Outcome CollectOne(Entry& entry, const Request& request, std::string& page);
  void Note(Entry& entry, const Status& status) const;
  void NoteDrop(Entry& entry, const PageGuard::Verdict& verdict) const;
  void WriteOutcomes(const std::vector<Outcome>& outcomes, exposition::PageWriter& writer) const;
  void WriteDropped(exposition::PageWriter& writer) const;

  const std::size_t max_series_;
  std::string reserved_;  // each name ended by a newline
  const Clock& clock_;
  Logger log_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::atomic<std::uint64_t> duplicate_{0};
  std::atomic<std::uint64_t> over_limit_{0};
};

}  // namespace skep::exporter
