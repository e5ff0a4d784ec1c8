// What writer and reader of integer columns must agree on; the picture is in integer_column.h.
#pragma once

#include <cstdint>

namespace skep::tsdb {

inline constexpr std::uint8_t kWidthCode64 = 57;
inline constexpr std::uint8_t kFlatCode = 63;
inline constexpr unsigned kMaxExceptions = 63;
inline constexpr unsigned kOrders = 3;

}  // namespace skep::tsdb
