// The first 8 bytes of each of the store's files: what it is, and the version of its format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep::tsdb {

inline constexpr std::size_t kMagicBytes = 8;

struct FileMagic {
  std::string_view kind;     // 7 characters: "skepwal"
  std::string_view meaning;  // for people: "segment of the write-ahead log"
  std::uint8_t version = 1;

  std::string bytes() const { return std::string(kind) + static_cast<char>(version); }
};

// Whether `content`, the beginning of the file `path`, is of this kind and version. kCorrupt: it is
// something else, or too short. kInvalid: another version of it, which must not be touched.
inline Status CheckMagic(const FileMagic& magic, std::string_view content,
                         const std::string& path) {
  if (content.size() < kMagicBytes || !content.starts_with(magic.kind)) {
    return Corrupt(path + " does not begin as a " + std::string(magic.meaning));
  }
  const auto version = static_cast<std::uint8_t>(content[kMagicBytes - 1]);
  if (version == magic.version) return {};
  return Invalid(path + " is a " + std::string(magic.meaning) + " of version " +
                 std::to_string(version) + "; this program knows version " +
                 std::to_string(magic.version));
}

}  // namespace skep::tsdb
