// Text within a page.
#pragma once

#include <string>
#include <string_view>

namespace skep {

// `&`, `<`, `>` and both quotes as entities, numeric for the quotes, and NUL as U+FFFD, as Go's
// templates write them: safe between tags and within a quoted attribute.
std::string EscapeHtml(std::string_view text);

}  // namespace skep
