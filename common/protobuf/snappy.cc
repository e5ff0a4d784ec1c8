#include "common/protobuf/snappy.h"

#include <snappy.h>

namespace skep::protobuf {
namespace {

// The densest that the format has are copies of 64 bytes, in 3.
constexpr std::size_t kMostOfAByte = 22;

}  // namespace

std::optional<std::size_t> UnpackedSnappyBytes(std::string_view packed) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(packed.data(), packed.size(), &size)) return std::nullopt;
  return size;
}

Result<std::string> UnpackSnappy(std::string_view packed) {
  const std::optional<std::size_t> size = UnpackedSnappyBytes(packed);
  if (!size) return Invalid("snappy: no length at the beginning");
  if (*size / kMostOfAByte > packed.size()) return Invalid("snappy: damaged");
  std::string bytes(*size, '\0');
  if (!snappy::RawUncompress(packed.data(), packed.size(), bytes.data())) {
    return Invalid("snappy: damaged");
  }
  return bytes;
}

std::string PackSnappy(std::string_view bytes) {
  std::string packed;
  snappy::Compress(bytes.data(), bytes.size(), &packed);
  return packed;
}

}  // namespace skep::protobuf
