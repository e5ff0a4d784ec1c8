#include "exporter/logs/folder.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/file.h"

namespace skep::logs {
namespace {

constexpr std::size_t kMaxEntries = 100'000;

}  // namespace

LookOutcome Look(const std::string& path, FileInfo& out) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return LookOutcome::kGone;
    return errno == EACCES || errno == EPERM ? LookOutcome::kForbidden : LookOutcome::kFailed;
  }
  if (!S_ISREG(info.st_mode)) return LookOutcome::kNotRegular;
  out.key = {info.st_dev, info.st_ino};
  out.path = path;
  out.size = static_cast<std::uint64_t>(info.st_size);
  out.modified = std::chrono::sys_time<std::chrono::nanoseconds>(
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec));
  return LookOutcome::kFile;
}

bool IsCompressed(std::string_view name) {
  constexpr std::string_view kEndings[] = {".gz",  ".bz2", ".xz",   ".zst", ".lz4",
                                           ".zip", ".Z",   ".lzma", ".tgz"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

bool IsRotatedName(std::string_view name, std::string_view base) {
  if (name.size() <= base.size()) return false;
  if (name.starts_with(base)) {
    const char next = name[base.size()];
    return next == '.' || next == '-' || next == '_' || next == '~';
  }
  const std::size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view stem = base.substr(0, dot);
  const std::string_view ending = base.substr(dot);
  if (!name.starts_with(stem) || !name.ends_with(ending)) return false;
  const std::string_view between = name.substr(stem.size(), name.size() - base.size());
  const bool separated = between[0] == '.' || between[0] == '-' || between[0] == '_';
  return separated && between.size() > 1 && IsDigit(between[1]);
}

const std::vector<FolderListings::Entry>* FolderListings::Of(const std::string& folder) {
  const auto [place, is_new] = listings_.try_emplace(folder);
  std::optional<std::vector<Entry>>& listing = place->second;
  if (is_new) {
    const std::unique_ptr<DIR, int (*)(DIR*)> handle(::opendir(folder.c_str()), ::closedir);
    if (handle != nullptr) {
      listing.emplace();
      // NOLINTNEXTLINE(concurrency-mt-unsafe): one stream per call
      while (const dirent* entry = ::readdir(handle.get())) {
        if (listing->size() >= kMaxEntries) break;
        listing->push_back({entry->d_name, entry->d_ino});
      }
    }
  }
  return listing ? &*listing : nullptr;
}

std::optional<FileInfo> FolderListings::FindFile(const std::string& folder, FileKey key) {
  const std::vector<Entry>* entries = Of(folder);
  if (entries == nullptr) return std::nullopt;
  for (const Entry& entry : *entries) {
    if (entry.inode != key.inode) continue;
    FileInfo info;
    if (Look(JoinPath(folder, entry.name), info) == LookOutcome::kFile && info.key == key)
      return info;
  }
  return std::nullopt;
}

std::vector<FileInfo> FolderListings::RotatedFrom(const std::string& path) {
  std::vector<FileInfo> files;
  const std::string folder = DirName(path);
  const std::vector<Entry>* entries = Of(folder);
  if (entries == nullptr) return files;
  for (const Entry& entry : *entries) {
    if (!IsRotatedName(entry.name, BaseName(path)) || IsCompressed(entry.name)) continue;
    FileInfo info;
    if (Look(JoinPath(folder, entry.name), info) == LookOutcome::kFile)
      files.push_back(std::move(info));
  }
  std::sort(files.begin(), files.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.modified < b.modified; });
  return files;
}

}  // namespace skep::logs
