// From a discovered address to something that can be scraped.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/scrape/config.h"
#include "evaluator/scrape/target_group.h"

namespace skep::scrape {

// One endpoint. An immutable value.
struct Target {
  Labels discovered_labels;  // before relabelling, with the job's own __ labels
  Labels labels;             // what its series get
  std::string url;
  Duration interval{};
  Duration timeout{};

  // What makes it the same target after a reload, whatever its interval.
  std::string Identity() const { return url + '\n' + labels.ToString(); }
};

struct DiscoveredTarget {
  Labels discovered_labels;
  std::optional<Target> target;  // nothing: dropped by relabelling
};

// Relabels one address of `group` as Prometheus 3 does: no port is added. kInvalid: no address, an
// address with a path, an interval that is none or shorter than the timeout.
Result<DiscoveredTarget> MakeTarget(const JobOptions& job, const TargetGroup& group,
                                    std::string_view address);

// `url` with `host` in the place of a loopback host; itself where its host is another.
std::string GlobalUrl(const std::string& url, const std::string& host);

}  // namespace skep::scrape
