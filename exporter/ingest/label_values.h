// What the values of labels may be, whoever pushes them: OTLP attributes and measures of events.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace skep::ingest {

// Whether a text looks like an id whatever its key says: a UUID, 16 or more hexadecimal digits, an
// e-mail address, an IP address. Such a text becomes no label.
bool LooksLikeId(std::string_view text);

// Whether nothing in `text` moves, hides or turns around what stands beside it: no character of
// control (C0, DEL, C1), no mark of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
// U+2069), and nothing that is no UTF-8.
bool IsPlainValue(std::string_view text);
// Each of those becomes U+FFFD; all else stays.
std::string MakePlainValue(std::string_view text);

}  // namespace skep::ingest
