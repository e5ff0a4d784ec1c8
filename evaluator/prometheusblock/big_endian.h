// Numbers of fixed width in Prometheus's files, and the sums behind its sections.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/base/crc32c.h"

namespace skep::prometheusblock {

// Requires: 4 (8) bytes.
inline std::uint32_t LoadU32(std::string_view at) {
  std::uint32_t number = 0;
  std::memcpy(&number, at.data(), sizeof(number));
  return __builtin_bswap32(number);
}
inline std::uint64_t LoadU64(std::string_view at) {
  std::uint64_t number = 0;
  std::memcpy(&number, at.data(), sizeof(number));
  return __builtin_bswap64(number);
}

// The first `size` bytes of `bytes`, if the sum behind them is theirs.
inline std::optional<std::string_view> Summed(std::string_view bytes, std::uint64_t size) {
  if (bytes.size() < 4 || size > bytes.size() - 4) return std::nullopt;
  const std::string_view content = bytes.substr(0, size);
  if (Crc32c(content) != LoadU32(bytes.substr(size))) return std::nullopt;
  return content;
}

}  // namespace skep::prometheusblock
