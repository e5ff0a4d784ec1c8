#include "common/protobuf/message.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

namespace skep::protobuf {
namespace {

// All fields as text, or "broken" behind those before the broken one.
std::string Describe(std::string_view message) {
  std::string out;
  MessageReader reader(message);
  while (reader.Next()) {
    out += std::to_string(reader.tag() >> 3) + ":";
    switch (static_cast<WireType>(reader.tag() & 7)) {
      case WireType::kBytes:
        out += "'" + std::string(reader.bytes()) + "' ";
        break;
      case WireType::kVarint:
      case WireType::kFixed64:
      case WireType::kFixed32:
        out += std::to_string(reader.varint()) + " ";
        break;
    }
  }
  return reader.ok() ? out : out + "broken";
}

}  // namespace

TEST_CASE("A message reads back as it was written", "[protobuf]") {
  std::string message;
  MessageWriter writer(message);
  writer.Varint(1, 300).Bytes(2, "text").Fixed64(3, 7).Double(4, -0.5).Sint(5, -3).Varint(1000, 0);
  MessageReader reader(message);
  REQUIRE(reader.Next());
  CHECK(reader.tag() == Tag(1, WireType::kVarint));
  CHECK(reader.varint() == 300);
  REQUIRE(reader.Next());
  CHECK(reader.tag() == Tag(2, WireType::kBytes));
  CHECK(reader.bytes() == "text");
  REQUIRE(reader.Next());
  CHECK(reader.fixed64() == 7);
  REQUIRE(reader.Next());
  CHECK(reader.AsDouble() == -0.5);
  REQUIRE(reader.Next());
  CHECK(reader.AsSint64() == -3);
  REQUIRE(reader.Next());
  CHECK(reader.tag() == Tag(1000, WireType::kVarint));
  CHECK_FALSE(reader.AsBool());
  CHECK_FALSE(reader.Next());
  CHECK(reader.ok());
}

TEST_CASE("Negative numbers are ten bytes of varint", "[protobuf]") {
  std::string message;
  MessageWriter(message).Varint(1, static_cast<std::uint64_t>(-5));
  CHECK(message.size() == 11);
  MessageReader reader(message);
  REQUIRE(reader.Next());
  CHECK(reader.AsInt64() == -5);
  CHECK(reader.AsInt32() == -5);
}

TEST_CASE("What no message can hold is found", "[protobuf]") {
  using std::string_literals::operator""s;
  const std::pair<std::string, const char*> cases[] = {
      {"", ""},
      {"\x08"s, "broken"},                                          // a tag without value
      {"\x08\x80"s, "broken"},                                      // a varint cut short
      {"\x00\x01"s, "broken"},                                      // field 0
      {"\x0a\x05xyz"s, "broken"},                                   // longer than the message
      {"\x0a\x03xyz\x10\x02"s, "1:'xyz' 2:2 "},                     //
      {"\x09\x01\x02\x03"s, "broken"},                              // fixed64 cut short
      {"\x0d\x01\x00"s, "broken"},                                  // fixed32 cut short
      {"\x0d\x01\x00\x00\x00"s, "1:1 "},                            //
      {"\x0b"s, "broken"},                                          // a group
      {"\x0e\x01"s, "broken"},                                      // wire type 6
      {"\x08" + std::string(11, '\xff'), "broken"},                 // a varint of eleven bytes
      {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "broken"},  // a length of 2^64 - 1
      {"\x08\x01\x0a"s, "1:1 broken"},
  };
  for (const auto& [message, expected] : cases) {
    CAPTURE(message);
    CHECK(Describe(message) == expected);
  }
}

TEST_CASE("Packed lists", "[protobuf]") {
  std::string message;
  MessageWriter(message).PackedFixed64(1, {1, 2}).PackedDouble(2, {0.5, -1}).PackedVarint(3, {300});
  MessageReader reader(message);
  std::vector<std::uint64_t> counts;
  std::vector<double> bounds;
  REQUIRE(reader.Next());
  CHECK(AppendPackedFixed64(reader.bytes(), counts));
  REQUIRE(reader.Next());
  CHECK(AppendPackedDouble(reader.bytes(), bounds));
  REQUIRE(reader.Next());
  CHECK(AppendPackedVarint(reader.bytes(), counts));
  CHECK(counts == std::vector<std::uint64_t>{1, 2, 300});
  CHECK(bounds == std::vector<double>{0.5, -1});
  CHECK_FALSE(AppendPackedFixed64("seven b", counts));
  CHECK_FALSE(AppendPackedVarint("\x80", counts));
}

}  // namespace skep::protobuf
