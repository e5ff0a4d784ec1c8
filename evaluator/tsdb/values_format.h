// What writer and reader of values must agree on; the picture is in values_column.h.
#pragma once

namespace skep::tsdb {

inline constexpr unsigned kKindMask = 3;
inline constexpr unsigned kHasExceptions = 4;
inline constexpr unsigned kDecimalsShift = 3;

}  // namespace skep::tsdb
