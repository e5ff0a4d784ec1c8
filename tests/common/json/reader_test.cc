#include "common/json/reader.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

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
  const std::string long_text = "a text of more than sixteen bytes";
  const std::pair<std::string, const char*> cases[] = {
      {"", "byte 1: the document is empty"},
      {"[1,]", "byte 4: invalid value"},
      {"[1 2]", "byte 4: missing a comma or ']' after an array element"},
      {R"({"a" 1})", "byte 6: missing a colon after a name of object member"},
      {R"({"a":1,})", "byte 8: missing a name for object member"},
      {"{a:1}", "byte 2: missing a name for object member"},
      {"{'a':1}", "byte 2: missing a name for object member"},
      {"{\"a\":1", "byte 7: missing a comma or '}' after an object member"},
      {"01", "byte 2: the document root must not be followed by other values"},
      {"1 // comment", "byte 3: the document root must not be followed by other values"},
      {"1.", "byte 3: miss fraction part in number"},
      {"-", "byte 2: invalid value"},
      {"1e+", "byte 4: miss exponent in number"},
      {"1e400", "byte 1: number too big to be stored in double"},
      {"+1", "byte 1: invalid value"},
      {"nul", "byte 4: invalid value"},
      {"NaN", "byte 1: invalid value"},
      {"-Infinity", "byte 2: invalid value"},
      {"\"abc", "byte 5: missing a closing quotation mark in string"},
      {"\"a\nb\"", "byte 3: invalid escape character in string"},
      {"\"\\n\x01\"", "byte 4: a control byte"},
      {"\"" + long_text + "\x1f\"", "byte 35: a control byte"},
      {"\"" + long_text + "\t\"", "byte 35: invalid escape character in string"},
      {std::string("1\0", 2), "byte 2: a control byte"},
      {std::string("[1]\0]", 5), "byte 4: a control byte"},
      {std::string("\"a\0\"", 4), "byte 3: a control byte"},
      {R"("\x")", "byte 2: invalid escape character in string"},
      {R"("\u12g4")", R"(byte 2: incorrect hex digit after \u escape in string)"},
      {R"("\ud83d")", "byte 2: the surrogate pair in string is invalid"},
      {R"("\ud83d\u0041")", "byte 2: the surrogate pair in string is invalid"},
      {R"("\ude00")", "byte 2: the string is no UTF-8"},
      {R"({"\ude00":1})", "byte 3: the string is no UTF-8"},
      {"\"\\", "byte 2: invalid escape character in string"},
      {"\"\xff\"", "byte 2: the string is no UTF-8"},
      {"\"\xc3\"", "byte 2: the string is no UTF-8"},
      {"\"\xed\xa0\x80\"", "byte 2: the string is no UTF-8"},
      {"\"\xf0", "byte 3: missing a closing quotation mark in string"},
      {"\"" + long_text + " \xc0\x80\"", "byte 2: the string is no UTF-8"},
      {"[]]", "byte 3: the document root must not be followed by other values"},
      {"[}", "byte 2: invalid value"},
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
  const Status deep = document.Parse(std::string(201, '[') + std::string(201, ']'));
  REQUIRE(!deep);
  CHECK(deep.error().message() == "JSON: byte 201: nested more than 200 deep");
  CHECK(!document.Parse(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(!document.Parse(objects));
}

TEST_CASE("At the end of a double's range digits and exponent decide", "[json]") {
  Document document;
  const std::string large = "9e308";
  REQUIRE(document.Parse(large));
  CHECK(std::isinf(document.root().number()));
  CHECK(document.root().text() == "9e308");
  CHECK_FALSE(document.Parse("0e309"));
  CHECK(document.Parse("1e-999999999999"));
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

TEST_CASE("Strings without escapes are views of the text", "[json]") {
  Document document;
  const std::string text = R"(["plain","with \" quote",12,"plain after"])";
  REQUIRE(document.Parse(text));
  std::vector<bool> in_text;
  for (const Element item : document.root().items()) {
    const char* const at = item.text().data();
    in_text.push_back(at >= text.data() && at < text.data() + text.size());
  }
  CHECK(in_text == std::vector<bool>{true, false, true, true});
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
