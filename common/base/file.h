// Whole files at a time, with errors that name the path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep {

// The content of the file. Works for /proc, whose sizes are 0. A file over `limit_bytes` is
// kInvalid.
Result<std::string> ReadFile(const std::string& path, std::size_t limit_bytes = 1UL << 30);

// The same into `out`, whose capacity is reused: for sources that are read at every scrape.
Status ReadFileInto(const std::string& path, std::string& out, std::size_t limit_bytes = 1UL << 30);

// Replaces the file in one step: writes beside it, syncs, renames, syncs the folder. On error the
// old content stays.
Status WriteFileAtomic(const std::string& path, std::string_view content);

// Whether it could be read now; the error is that of ReadFile.
Status CheckFile(const std::string& path);

// A file that a configuration names, and where it does: "skep.yml:3:5".
struct NamedFile {
  std::string path;
  std::string place;
};
// CheckFile, with the place before its message.
Status CheckNamedFile(const NamedFile& file);

// kInvalid: a bracket that is not closed, an empty one, an escape at the end. As Go's
// filepath.Match has it, stricter than the shell.
Status CheckGlob(std::string_view pattern);

// Paths that match the shell pattern (`*`, `?`, `[..]`), sorted. None is not an error.
Result<std::vector<std::string>> Glob(const std::string& pattern);

// `path` itself when absolute, else joined to `folder`.
std::string JoinPath(std::string_view folder, std::string_view path);
// "a/b" of "a/b/c.yml"; "." of "c.yml".
std::string DirName(std::string_view path);
// "c.yml" of both; a view of `path`.
std::string_view BaseName(std::string_view path);

}  // namespace skep
