// What the control groups (version 2) of the machine use, may use, and wait for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "common/model/regex.h"
#include "exporter/collectors/device_collectors.h"

namespace skep::exporter {

struct CgroupOptions {
  // Where the version 2 hierarchy is mounted; "": SYSFS/fs/cgroup, or SYSFS/fs/cgroup/unified on
  // machines that run both versions.
  std::string root;
  // Whole paths such as "/system.slice/nginx.service". Below a group left out its children still
  // count.
  std::optional<Regex> include;
  std::optional<Regex> exclude;
  // Levels below the root; deeper ones are counted in cgroup_skipped.
  int max_depth = 4;
  // The outermost ones are kept, in order of their names; the rest is counted in cgroup_skipped.
  std::size_t max_groups = 200;
};

// Families cgroup_*, label `cgroup`. A limit of "max" gives neither a limit nor a ratio.
CollectorPtr MakeCgroupCollector(const Paths& paths, CgroupOptions options = {});

}  // namespace skep::exporter
