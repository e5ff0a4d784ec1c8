// Families gathered device by device and written family by family, as a page wants them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/collectors/device_collectors.h"
#include "exporter/registry/collector.h"

namespace skep::exporter {

using exposition::LabelPairs;
using exposition::MetricType;

// Invalid UTF-8 replaced by U+FFFD: firmware puts anything into its strings, and one bad byte in a
// label would cost the whole page at the scraper.
std::string ValidUtf8(std::string_view text);

// For collectors with few samples: each costs a string. Thread-compatible.
class FamilySet {
 public:
  // `help` and `type` count when `name` is new.
  void Add(std::string_view name, std::string_view help, MetricType type, LabelPairs labels,
           double value);
  // With labels from RenderLabels or AppendRenderedLabel.
  void AddRendered(std::string_view name, std::string_view help, MetricType type,
                   std::string labels, double value);

  bool empty() const { return families_.empty(); }

  // By name, the samples of each by their labels, all as valid UTF-8. A second sample with equal
  // labels is left out: it would cost the whole page at the scraper.
  void Write(exposition::PageWriter& page);

 private:
  struct Sample {
    std::string labels;
    double value;
  };
  struct Family {
    std::string help;
    MetricType type;
    std::vector<Sample> samples;
  };

  std::map<std::string, Family, std::less<>> families_;
};

// A collector that is nothing but a function.
CollectorPtr MakeFunctionCollector(std::string name,
                                   std::function<Status(CollectContext&)> collect);

}  // namespace skep::exporter
