#include "evaluator/cmd/markdown.h"

#include <catch2/catch.hpp>

namespace skep::evaluator {
namespace {

TEST_CASE("Runbooks become HTML", "[cmd]") {
  const std::pair<const char*, const char*> cases[] = {
      {"## HostDown", "<h2 id=\"HostDown\">HostDown</h2>\n"},
      {"a\nb\n\nc", "<p>a\nb</p>\n<p>c</p>\n"},
      {"- a\n- b\n  more\n\nc", "<ul>\n<li>a</li>\n<li>b\nmore</li>\n</ul>\n<p>c</p>\n"},
      {"```\na < b\n\n# c\n```\n", "<pre>a &lt; b\n\n# c\n</pre>\n"},
      {"x `a<b` **c** [d](https://e?f&g) z",
       "<p>x <code>a&lt;b</code> <strong>c</strong> <a href=\"https://e?f&amp;g\">d</a> z</p>\n"},
      {"<script> ` ** [x](javascript:y) [", "<p>&lt;script&gt; ` ** [x](javascript:y) [</p>\n"},
      {"#", "<h1 id=\"\"></h1>\n"},
      {"```\nopen", "<pre>open\n</pre>\n"},
      {"", ""},
  };
  for (const auto& [markdown, html] : cases) {
    CAPTURE(markdown);
    CHECK(MarkdownToHtml(markdown) == html);
  }
}

}  // namespace
}  // namespace skep::evaluator
