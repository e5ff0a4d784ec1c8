#include "evaluator/scrape/file_discovery.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"

namespace skep::scrape {
namespace {

// As Prometheus has it: one asterisk with what follows it in the last part of the path, and a known
// ending.
bool IsTargetFilePattern(std::string_view path) {
  const std::size_t star = path.find('*');
  if (star != std::string_view::npos && path.find('/', star) != std::string_view::npos) {
    return false;
  }
  static constexpr std::string_view kEndings[] = {".json", ".yml", ".yaml",
                                                  ".JSON", ".YML", ".YAML"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return path.ends_with(ending); });
}

Result<FileDiscoveryOptions> ReadFileDiscovery(const yaml::Node& node, const std::string& folder) {
  FileDiscoveryOptions options;
  yaml::MapReader map(node);
  const yaml::Node files = map.Take("files");
  map.Read("files", options.files);
  map.Read("refresh_interval", options.refresh_interval);
  if (options.refresh_interval <= Duration::zero()) {
    map.Fail(map.Take("refresh_interval").Complain("refresh_interval must be more than 0"));
  }
  RETURN_IF_ERROR(map.Finish("file_sd_config"));
  if (options.files.empty()) {
    return node.Complain("file service discovery config must contain at least one path name");
  }
  const std::vector<yaml::Node> items = files.items();
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    std::string& path = options.files[i];
    if (!IsTargetFilePattern(path)) {
      return items[i].Complain("path name " + Quote(path) + " is not valid for file discovery");
    }
    if (const Status good = CheckGlob(path); !good)
      return items[i].Complain(good.error().message());
    path = JoinPath(folder, path);
  }
  return options;
}

}  // namespace

Result<std::vector<FileDiscoveryOptions>> ReadFileDiscoveries(const yaml::Node& node,
                                                              const std::string& folder) {
  std::vector<FileDiscoveryOptions> discoveries;
  if (!node.IsNull() && !node.IsSequence()) {
    return node.Complain("file_sd_configs: expected a list");
  }
  for (const yaml::Node& item : node.items()) {
    Result<FileDiscoveryOptions> discovery = ReadFileDiscovery(item, folder);
    if (!discovery) return discovery.error();
    discoveries.push_back(*std::move(discovery));
  }
  return discoveries;
}

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

bool FileDiscovery::Look(const std::string& path, Duration refresh_interval, Clock::Steady now) {
  const auto [at, is_new] = files_.try_emplace(path);
  File& file = at->second;
  file.present = true;
  const FileStamp stamp = FileStamp::Of(path);
  if (!is_new && stamp.SameAs(file.stamp) && now - file.read_at < refresh_interval) return false;
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
