// What a source of metrics looks like to the exporter.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/exposition/writer.h"

namespace skep::exporter {

// What one collection is given.
struct CollectContext {
  exposition::PageWriter& page;
  // A collector that may take long looks at it and gives up with kTimeout.
  std::chrono::steady_clock::time_point deadline;
};

// One source. The registry never runs the same collector twice at once (collectors keep buffers
// between scrapes), and runs different ones one after the other.
class Collector {
 public:
  virtual ~Collector() = default;

  // As in --collector.NAME and in the label `collector`.
  virtual std::string_view name() const = 0;

  // Writes whole families. kNotFound: the source has no data on this machine, which is said at
  // debug level only (success is 0 all the same, as in node_exporter). Families written before an
  // error stay.
  virtual Status Collect(CollectContext& context) = 0;
};

}  // namespace skep::exporter
