#include "common/base/html.h"

#include <catch2/catch.hpp>

TEST_CASE("Text within a page cannot end a tag or an attribute", "[html]") {
  CHECK(skep::EscapeHtml("<a href=\"x\" b='c'>&amp;</a>") ==
        "&lt;a href=&#34;x&#34; b=&#39;c&#39;&gt;&amp;amp;&lt;/a&gt;");
  CHECK(skep::EscapeHtml(std::string_view("a\0b", 3)) ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(skep::EscapeHtml("für").size() == 4);
}
