#include "common/base/quote.h"

#include <catch2/catch.hpp>

using skep::Quote;
using skep::Unescape;

TEST_CASE("Quote and Unescape are inverse for any bytes", "[quote]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (const std::string& text :
       {all, std::string("plain"), std::string("a\"b\\c\nd"), std::string("Grüße, 世界 🎉")}) {
    const std::string quoted = Quote(text);
    const auto back = Unescape(std::string_view(quoted).substr(1, quoted.size() - 2));
    REQUIRE(back);
    CHECK(*back == text);
  }
  CHECK(Quote("Grüße") == "\"Grüße\"");
  CHECK(Quote("\x01\xff") == "\"\\x01\\xff\"");
}

TEST_CASE("Unescape resolves Go's escapes and refuses others", "[quote]") {
  CHECK(*Unescape(R"(\t\u00e4\U0001F389\101\x41\')") ==
        "\t\xc3\xa4\xf0\x9f\x8e\x89"
        "AA'");
  for (const std::string text : {"\\", "\\z", "\\x1", "\\u12", "\\ud800", "\\400", "\\U00110000"}) {
    CAPTURE(text);
    CHECK_FALSE(Unescape(text));
  }
}
