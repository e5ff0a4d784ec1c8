// Text between quotes, as Prometheus's languages write it.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep {

// Double quotes around, `"`, `\` and control bytes escaped as Go's strconv.Quote does; valid UTF-8
// stands as it is, a byte that is none as \xNN.
std::string Quote(std::string_view text);

// The inside of a quoted string with its escapes resolved: \a \b \f \n \r \t \v \\ \" \' \xNN \ooo
// \uNNNN \UNNNNNNNN (Go's). kInvalid names the escape.
Result<std::string> Unescape(std::string_view inside);

// Adds `code` as UTF-8; what is no code point becomes U+FFFD.
void AppendUtf8(std::string& out, char32_t code);

}  // namespace skep
