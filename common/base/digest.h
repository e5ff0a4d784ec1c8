// Cryptographic digests, where a format of others asks for one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace skep {

// Prometheus shards targets by it; not for security.
std::array<std::uint8_t, 16> Md5(std::string_view text);

// 64 hexadecimal digits in lower case.
std::string Sha256Hex(std::string_view text);

}  // namespace skep
