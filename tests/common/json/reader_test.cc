#include "common/json/reader.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "common/json/value.h"

namespace skep::json {
namespace {

// The tree is the oracle: the same kinds, texts and numbers everywhere.
void CheckSame(const Value& tree, Element flat) {
  REQUIRE(flat.kind() == tree.kind());
  CHECK(flat.boolean() == tree.boolean());
  CHECK(flat.number() == tree.number());
  CHECK(flat.AsInt() == tree.AsInt());
  if (tree.IsString()) CHECK(flat.text() == tree.text());
  std::size_t i = 0;
  for (const Element item : flat.items()) CheckSame(tree.items().at(i++), item);
  CHECK(i == tree.items().size());
  i = 0;
  for (const auto& [key, value] : flat.members()) {
    CHECK(key == tree.members().at(i).first);
    CheckSame(tree.members().at(i++).second, value);
  }
  CHECK(i == tree.members().size());
}

}  // namespace

TEST_CASE("A Document holds what the tree holds", "[json]") {
  const char* texts[] = {
      "null",
      " [] ",
      "{}",
      R"({"a":1,"b":[true,false,null,"x"],"c":{"d":-1.5e3},"e":[]})",
      R"("plain text that is longer than eight bytes")",
      R"("quote \" slash \/ \\ \b\f\n\r\t \u00e9 \u20ac \ud83d\ude00 end")",
      "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"",
      R"({"\u0061bc":"\u0041","k":"\""})",
      "[0,-0,0.5,1e3,1E-3,9223372036854775807,9223372036854775808,18446744073709551615]",
      R"([[[[{"a":[{"b":[]}]}]]]])",
      "\xef\xbb\xbf{\"bom\":1}",
      "{\"a\" : 1 ,\n\t\"b\" : [ 1 , 2 ] }\r\n",
      R"({"same":1,"same":2})",
  };
  Document document;
  for (const std::string text : texts) {
    CAPTURE(text);
    const Result<Value> tree = Value::Parse(text);
    REQUIRE(tree);
    REQUIRE(document.Parse(text));
    CheckSame(*tree, document.root());
  }
}

TEST_CASE("A Document refuses what the tree refuses and says where", "[json]") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "byte 1: expected a value"},
      {"[1,]", "byte 4: expected a value"},
      {"[1 2]", "byte 4: expected ',' or ']'"},
      {R"({"a" 1})", "byte 6: expected ':'"},
      {R"({"a":1,})", "byte 8: expected a key between quotes"},
      {"{a:1}", "byte 2: expected a key between quotes"},
      {"{\"a\":1", "byte 7: expected ',' or '}'"},
      {"01", "byte 2: nothing may follow the value"},
      {"1.", "byte 3: expected a digit"},
      {"-", "byte 2: expected a digit"},
      {"1e+", "byte 4: expected a digit"},
      {"+1", "byte 1: expected a value"},
      {"nul", "byte 1: expected a value"},
      {"NaN", "byte 1: expected a value"},
      {"\"abc", "byte 5: the string has no end"},
      {"\"a\nb\"", "byte 3: a control byte in a string"},
      {"\"\\n\x01\"", "byte 4: a control byte in a string"},
      {R"("\x")", "byte 3: unknown escape"},
      {R"("\u12g4")", "byte 6: expected four hexadecimal digits"},
      {R"("\ud83d")", "byte 8: half of a surrogate pair"},
      {R"("\ude00")", "byte 8: half of a surrogate pair"},
      {"\"\\", "byte 2: the string has no end"},
      {"\"\xff\"", "byte 3: the string is no UTF-8"},
      {"\"\xc3\"", "byte 3: the string is no UTF-8"},
      {"[]]", "byte 3: nothing may follow the value"},
      {"[}", "byte 2: expected a value"},
  };
  Document document;
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Status read = document.Parse(text);
    REQUIRE(!read);
    CHECK(read.error().message() == std::string("JSON: ") + message);
    CHECK(!Value::Parse(text));
  }
}

TEST_CASE("A Document is deep up to 200", "[json]") {
  Document document;
  CHECK(document.Parse(std::string(200, '[') + std::string(200, ']')));
  CHECK(!document.Parse(std::string(201, '[') + std::string(201, ']')));
}

TEST_CASE("An element that is not there reads as null", "[json]") {
  Document document;
  const std::string text = R"({"a":{"b":"x","n":7},"list":[1,{"c":2}]})";
  REQUIRE(document.Parse(text));
  const Element root = document.root();
  CHECK(root["a"]["b"].text() == "x");
  CHECK(root["a"].raw() == R"({"b":"x","n":7})");
  CHECK(root["list"].raw() == R"([1,{"c":2}])");
  CHECK(root["a"]["n"].text() == "7");
  CHECK_FALSE(root["no"]["such"].exists());
  CHECK(root["no"].IsNull());
  CHECK(root["no"].text().empty());
  CHECK(root["a"]["b"].number() == 0);
  for (const Element item : root["a"].items()) FAIL("no array: " << item.text());
}

TEST_CASE("A text cut at any byte is refused", "[json]") {
  const std::string text = R"({"a":[1,"x\u00e9",{"b":null}],"c":"long enough for a word"})";
  Document document;
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(document.Parse(std::string_view(text).substr(0, length)));
  }
  CHECK(document.Parse(text));
}

}  // namespace skep::json
