// How often processors were slowed down because of heat.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/exposition/writer.h"
#include "exporter/collectors/proc_files.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {

// Finds the counters once, then reads them: each core's and each package's from the first of its
// threads that has one. Thread-compatible.
class CpuThrottle {
 public:
  explicit CpuThrottle(const Paths& paths) : paths_(paths) {}

  // To be called when processors came or went.
  void Discover();

  // node_cpu_core_throttles_total, node_cpu_package_throttles_total; nothing on machines without
  // such counters (virtual ones).
  void Write(exposition::PageWriter& writer);

 private:
  struct Counter {
    std::string labels;
    SourceFile file;
  };

  void DiscoverCpu(const std::string& folder);

  const Paths& paths_;
  std::vector<Counter> cores_;
  std::vector<Counter> packages_;
};

}  // namespace skep::exporter
