// What writer and reader of values must agree on; the picture is in values_column.h.
#pragma once

namespace skep::tsdb {

inline constexpr unsigned kKindMask = 3;
inline constexpr unsigned kHasExceptions = 4;
inline constexpr unsigned kScaleShift = 3;
inline constexpr unsigned kLargeIntegers = 1;  // as the scale of kInteger

}  // namespace skep::tsdb
