// Reading small files of /proc and /sys again and again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep::exporter {

// One file whose descriptor stays open between readings (open costs three times what pread does)
// and whose buffer is reused. When the kernel says that the object behind the descriptor is gone,
// it is opened anew. Thread-compatible, movable.
class SourceFile {
 public:
  enum class Keep : std::uint8_t {
    kOpen,    // few files: one descriptor each, for good
    kReopen,  // many files (one per device and attribute): opened at each reading
  };

  explicit SourceFile(std::string path, Keep keep = Keep::kOpen);
  SourceFile(SourceFile&& other) noexcept;
  SourceFile& operator=(SourceFile&& other) noexcept;
  ~SourceFile();

  const std::string& path() const { return path_; }

  // The whole content; the view lives until the next call. kNotFound: no such file. A file of more
  // than 64 MiB is kInvalid.
  Result<std::string_view> Read();

  // The same for an attribute that the kernel gives in one piece of at most a page (all of sysfs):
  // saves the read that only finds the end.
  Result<std::string_view> ReadAttribute();

 private:
  Status Open();
  void Close();
  // Bytes read, or -errno.
  long ReadOnce(std::size_t offset);
  Result<std::string_view> ReadWith(bool whole);
  long Fill(bool whole);

  std::string path_;
  Keep keep_;
  int descriptor_ = -1;
  std::string buffer_;  // its size is the capacity that readings may use
  std::size_t size_ = 0;
};

}  // namespace skep::exporter
