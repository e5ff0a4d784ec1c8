// The little Markdown that runbooks are written in, as HTML.
#pragma once

#include <string>
#include <string_view>

namespace skep::evaluator {

// Headings (with their text as id), paragraphs, lists of `- `, fenced code, and within lines
// `code`, **strong** and [text](http…). Anything else is text.
std::string MarkdownToHtml(std::string_view markdown);

}  // namespace skep::evaluator
