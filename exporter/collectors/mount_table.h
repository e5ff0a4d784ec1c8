// The text of /proc/PID/mounts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep::exporter {

struct Mount {
  std::string device;
  std::string mountpoint;  // as the host names it, escapes resolved
  std::string type;
  bool readonly = false;
  bool operator==(const Mount&) const = default;
};

// In the order of the text. A line of fewer than four fields makes the whole text kInvalid: file
// systems must not vanish silently.
Result<std::vector<Mount>> ParseMounts(std::string_view text);

}  // namespace skep::exporter
