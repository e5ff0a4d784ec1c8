// What lies in the folders of logs: files by pattern, and the names that rotation gives them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "exporter/logs/sections.h"

namespace skep::logs {

// A regular file as it was when it was looked at.
struct FileInfo {
  FileKey key;
  std::string path;
  std::uint64_t size = 0;
  // With nanoseconds: which of two files was written later.
  std::chrono::sys_time<std::chrono::nanoseconds> modified{};
};

enum class LookOutcome : std::uint8_t { kFile, kGone, kNotRegular, kForbidden, kFailed };
LookOutcome Look(const std::string& path, FileInfo& out);

// "access.log.2.gz": what rotation has packed is never read.
bool IsCompressed(std::string_view name);

// Whether rotation may have made `name` of `base`: "access.log.1", "access.log-20261122" and
// "access-20261122.log" of "access.log".
bool IsRotatedName(std::string_view name, std::string_view base);

// Folders as they are within one scan, each read once when asked for. Thread-compatible.
class FolderListings {
 public:
  struct Entry {
    std::string name;
    std::uint64_t inode = 0;
  };

  // Null: the folder cannot be read.
  const std::vector<Entry>* Of(const std::string& folder);

  // The file with this identity in the folder, whatever its name.
  std::optional<FileInfo> FindFile(const std::string& folder, FileKey key);
  // The files whose names rotation may have made of `path`'s, without packed ones, oldest first.
  std::vector<FileInfo> RotatedFrom(const std::string& path);

 private:
  std::map<std::string, std::optional<std::vector<Entry>>> listings_;
};

}  // namespace skep::logs
