// Targets from files that somebody else writes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "evaluator/scrape/config.h"
#include "evaluator/scrape/target_group.h"

namespace skep::scrape {

// Thread-compatible. A file is read again when its inode, size or modification time changed, or
// refresh_interval passed. One that cannot be read or understood keeps its last good groups; one
// that is gone loses them.
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
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size_bytes = -1;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct File {
    Stamp stamp;
    Clock::Steady read_at{};
    std::vector<TargetGroup> groups;
    bool present = false;
  };

  static Stamp StampOf(const std::string& path);
  bool Look(const std::string& path, Duration refresh_interval, Clock::Steady now);
  void Complain(const std::string& path, const Error& error);

  std::vector<FileDiscoveryOptions> options_;
  Logger log_;
  std::map<std::string, File> files_;
  std::uint64_t failures_ = 0;
};

}  // namespace skep::scrape
