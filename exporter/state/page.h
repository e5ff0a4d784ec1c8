// A family as text: everything of a line but its value is copied.
#pragma once

#include <cstdint>
#include <string>

#include "common/exposition/writer.h"
#include "exporter/state/family.h"

namespace skep::state {

// Appends the family's born, unexpired series to `page`; nothing where there are none. `now`:
// milliseconds of the steady clock. `lines` is room to work in, kept by the caller.
void WriteFamily(const Family& family, std::int64_t now, exposition::PageWriter& page,
                 std::string& lines);

// Integers without fraction, others in the fewest digits that read back the same; NaN, +Inf, -Inf.
// Writes at most kMaxNumberBytes at `at` and returns the end.
inline constexpr std::size_t kMaxNumberBytes = 32;
char* WriteNumber(char* at, double value);

}  // namespace skep::state
