// Targets from files that somebody else writes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file_stamp.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/yaml/node.h"
#include "evaluator/scrape/target_group.h"

namespace skep::scrape {

// One entry of `file_sd_configs`.
struct FileDiscoveryOptions {
  std::vector<std::string> files;  // paths, whose last part may be a pattern
  Duration refresh_interval = std::chrono::minutes(5);
};

// The sequence below `file_sd_configs`, of a scrape job or of `alertmanagers`. Relative paths begin
// at `folder`. Strict; errors name file, line and column.
Result<std::vector<FileDiscoveryOptions>> ReadFileDiscoveries(const yaml::Node& node,
                                                              const std::string& folder);

// Thread-compatible. A file is read again when it changed (FileStamp), or refresh_interval passed.
// One that cannot be read or understood keeps its last good groups; one that is gone loses them.
class FileDiscovery {
 public:
  FileDiscovery(std::vector<FileDiscoveryOptions> options, Logger log);

  // Looks at all files. True: the groups are others than before.
  bool Refresh(Clock::Steady now);

  // Of all files, by path.
  std::vector<TargetGroup> Groups() const;
  // Files that could not be read or understood, counted at each look.
  std::uint64_t failures() const { return failures_; }

 private:
  struct File {
    FileStamp stamp;
    Clock::Steady read_at{};
    std::vector<TargetGroup> groups;
    bool present = false;
  };

  bool Look(const std::string& path, Duration refresh_interval, Clock::Steady now);
  void Complain(const std::string& path, const Error& error);

  std::vector<FileDiscoveryOptions> options_;
  Logger log_;
  std::map<std::string, File> files_;
  std::uint64_t failures_ = 0;
};

}  // namespace skep::scrape
