// Whether files have changed, without reading them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace skep {

// What the file system says of a file at one moment; taken before reading, so that a write in
// between shows at the next look. A value.
class FileStamp {
 public:
  // Of a file that is not there (or may not be looked at): all such stamps are the same.
  FileStamp() = default;
  // Follows symbolic links.
  static FileStamp Of(const std::string& path);

  // False where a second change could hide behind the first: the kernel's time stamps go in steps,
  // so a file that was written just before it was looked at counts as changed once more. Hence this
  // is no operator==.
  bool SameAs(const FileStamp& other) const;

 private:
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::int64_t size_bytes_ = -1;
  std::int64_t modified_ns_ = 0;
  std::int64_t changed_ns_ = 0;
  bool settled_ = true;
};

// Of several files, in a fixed order.
class FileStamps {
 public:
  FileStamps() = default;
  explicit FileStamps(const std::vector<std::string>& paths);
  // Stamps one more, now.
  void Add(const std::string& path);

  // As FileStamp::SameAs; other paths are a change.
  bool SameAs(const FileStamps& other) const;

 private:
  std::vector<std::pair<std::string, FileStamp>> stamps_;
};

}  // namespace skep
