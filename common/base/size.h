// Sizes in bytes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skep {

// "512", "10KB", "1.5GiB": a number and B, KB or KiB, ..., EB or EiB; all units are powers of 1024,
// as in Prometheus. Nothing where it is no size, or beyond 64 bits.
std::optional<std::uint64_t> ParseSizeBytes(std::string_view text);

// "512B", "1.5GiB": in the largest unit of which there is one, to two digits behind the point.
std::string FormatSizeBytes(std::uint64_t bytes);

}  // namespace skep
