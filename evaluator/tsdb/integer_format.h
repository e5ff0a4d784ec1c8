// What writer and reader of integer columns must agree on; the picture is in integer_column.h.
#pragma once

#include <cstdint>

namespace skep::tsdb {

inline constexpr std::uint8_t kWidthCode64 = 57;
inline constexpr std::uint8_t kFlatCode = 63;
inline constexpr unsigned kMaxExceptions = 63;

// What is packed of a block.
inline constexpr unsigned kFromFirst = 0;
inline constexpr unsigned kFromBefore = 1;
inline constexpr unsigned kTwice = 2;
inline constexpr unsigned kChanges = 3;

}  // namespace skep::tsdb
