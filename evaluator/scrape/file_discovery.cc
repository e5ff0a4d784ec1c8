#include "evaluator/scrape/file_discovery.h"

#include <sys/stat.h>

#include <utility>

#include "common/base/file.h"

namespace skep::scrape {

FileDiscovery::FileDiscovery(std::vector<FileDiscoveryOptions> options, Logger log)
    : options_(std::move(options)), log_(std::move(log)) {}

bool FileDiscovery::Refresh(Clock::Steady now) {
  bool changed = false;
  for (auto& [path, file] : files_) file.present = false;
  for (const FileDiscoveryOptions& discovery : options_) {
    for (const std::string& pattern : discovery.files) {
      const Result<std::vector<std::string>> paths = Glob(pattern);
      if (!paths) {
        Complain(pattern, paths.error());
        continue;
      }
      for (const std::string& path : *paths) {
        changed = Look(path, discovery.refresh_interval, now) || changed;
      }
    }
  }
  const auto gone = [](const auto& entry) { return !entry.second.present; };
  return std::erase_if(files_, gone) > 0 || changed;
}

FileDiscovery::Stamp FileDiscovery::StampOf(const std::string& path) {
  struct ::stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size,
          static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec};
}

bool FileDiscovery::Look(const std::string& path, Duration refresh_interval, Clock::Steady now) {
  const auto [at, is_new] = files_.try_emplace(path);
  File& file = at->second;
  file.present = true;
  // Taken before reading: a write in between is seen at the next look.
  const Stamp stamp = StampOf(path);
  if (!is_new && stamp == file.stamp && now - file.read_at < refresh_interval) return false;
  file.stamp = stamp;
  file.read_at = now;
  const Result<std::string> content = ReadFile(path);
  if (!content) {
    Complain(path, content.error());
    return false;
  }
  Result<std::vector<TargetGroup>> groups = ParseTargetFile(*content, path);
  if (!groups) {
    Complain(path, groups.error());
    return false;
  }
  if (!is_new && *groups == file.groups) return false;
  file.groups = *std::move(groups);
  return true;
}

void FileDiscovery::Complain(const std::string& path, const Error& error) {
  ++failures_;
  log_.Error("discovery file cannot be used, its last good targets stay",
             {{"file", path}, {"err", error}});
}

std::vector<TargetGroup> FileDiscovery::Groups() const {
  std::vector<TargetGroup> groups;
  for (const auto& [path, file] : files_) {
    groups.insert(groups.end(), file.groups.begin(), file.groups.end());
  }
  return groups;
}

}  // namespace skep::scrape
