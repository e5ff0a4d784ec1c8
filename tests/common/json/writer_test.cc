#include "common/json/writer.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "common/json/value.h"

using skep::json::AppendString;
using skep::json::JsonWriter;
using skep::json::Value;

namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  AppendString(out, text);
  return out;
}

}  // namespace

TEST_CASE("Strings are escaped as Go escapes them", "[json]") {
  CHECK(Escaped("") == R"("")");
  CHECK(Escaped("plain") == R"("plain")");
  CHECK(Escaped("a\"b\\c\n\r\t\x01") == R"("a\"b\\c\n\r\t\u0001")");
  CHECK(Escaped("a<b>&c") == R"("a\u003cb\u003e\u0026c")");
  CHECK(Escaped("Gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\x89") ==
        "\"Gr\xc3\xbc\xc3\x9f \xf0\x9f\x8e\x89\"");
  CHECK(Escaped("\xe2\x80\xa8\xe2\x80\xa9") == R"("\u2028\u2029")");
}

TEST_CASE("Bytes that are no UTF-8 become U+FFFD, one each", "[json]") {
  CHECK(Escaped("a\xff"
                "b") == R"("a\ufffdb")");
  CHECK(Escaped("\xc3") == R"("\ufffd")");
  CHECK(Escaped("\xe4\xb8") == R"("\ufffd\ufffd")");
  CHECK(Escaped("\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd")");
  CHECK(Escaped("\xc0\xaf") == R"("\ufffd\ufffd")");
  CHECK(Escaped("\xf4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST_CASE("Any bytes written are valid JSON that reads back", "[json]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  REQUIRE(Value::Parse(Escaped(all)));
  const std::string ascii = all.substr(0, 128);
  CHECK(Value::Parse(Escaped(ascii))->text() == ascii);
}

TEST_CASE("JsonWriter puts commas and colons", "[json]") {
  std::string out;
  JsonWriter json(out);
  json.BeginObject().Field("s", "x").Key("list").BeginArray();
  json.Int(-1).Uint(18446744073709551615ULL).Double(0.1).Double(NAN).Bool(true).Null().Raw("{}");
  json.BeginArray().EndArray().EndArray().Key("o").BeginObject().EndObject().EndObject();
  CHECK(out == R"({"s":"x","list":[-1,18446744073709551615,0.1,null,true,null,{},[]],"o":{}})");
}
