#include "common/json/value.h"

#include <catch2/catch.hpp>
#include <string>

using skep::json::Value;

namespace {

std::string Refused(const std::string& text) {
  const skep::Result<Value> value = Value::Parse(text);
  return value ? "accepted" : value.error().message();
}

}  // namespace

TEST_CASE("JSON is read into a tree", "[json]") {
  const auto parsed = Value::Parse(
      R"( {"a":[1,-2.5,"x\u00e4\n",true,null],"big":9007199254740993,"e":1e3,"a2":{"b":{}},"a2":7} )");
  REQUIRE(parsed);
  const Value& root = *parsed;
  REQUIRE(root.IsObject());
  const auto& items = root["a"].items();
  REQUIRE(items.size() == 5);
  CHECK(items[0].AsInt() == 1);
  CHECK(items[1].number() == -2.5);
  CHECK_FALSE(items[1].AsInt());
  CHECK(items[2].text() == "x\xc3\xa4\n");
  CHECK(items[3].boolean());
  CHECK(items[4].IsNull());
  CHECK(root["big"].AsInt() == 9007199254740993);
  CHECK(root["e"].AsInt() == 1000);
  CHECK(root["a2"].AsInt() == 7);
  CHECK(root.members().size() == 5);
  CHECK(root["no"]["such"].IsNull());
  CHECK(root.Find("no") == nullptr);
}

TEST_CASE("What is no JSON is refused with its byte", "[json]") {
  CHECK(Refused("[1,]").find("JSON: byte 4: syntax error") == 0);
  CHECK(Refused("{\"a\" 1}").find("byte 6") != std::string::npos);
  CHECK(Refused("1 2").find("byte 3") != std::string::npos);
  for (const std::string text : {"", "nul", "[1", "\"\x01\"", "\"\xff\"", "NaN", "{1:2}", "'a'"}) {
    CAPTURE(text);
    CHECK(Refused(text).find("JSON: ") == 0);
  }
}

TEST_CASE("A zero byte does not end a text", "[json]") {
  CHECK(Refused(std::string("[1]\0]", 5)) == "JSON: byte 4: a zero byte");
  CHECK(Refused(std::string("1\0", 2)) == "JSON: byte 2: a zero byte");
}

TEST_CASE("Deep nesting ends in an error", "[json]") {
  CHECK(Refused(std::string(1'000'000, '[')).find("nested more than 200") != std::string::npos);
  CHECK(Refused(std::string(200, '[') + std::string(200, ']')) == "accepted");
}

TEST_CASE("Numbers beyond a double's range are refused, not infinite", "[json]") {
  CHECK(Refused("1e999").find("JSON: ") == 0);
  CHECK(Refused("1e-999") == "accepted");
}
