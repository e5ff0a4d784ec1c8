#include "exporter/ingest/label_values.h"

#include <catch2/catch.hpp>
#include <string>

namespace skep::ingest {

TEST_CASE("Values that could move what stands beside them are not plain", "[ingest]") {
  using namespace std::string_literals;  // NOLINT
  for (const std::string& text :
       {"checkout"s, "Z\xC3\xBCrich"s, "\xF0\x9F\x90\x9D"s, "a b/c-d_e:f"s, ""s}) {
    CAPTURE(text);
    CHECK(IsPlainValue(text));
    CHECK(MakePlainValue(text) == text);
  }
  const std::string mark = "\xEF\xBF\xBD";
  const std::pair<std::string, std::string> cases[] = {
      {"a\0b"s, "a" + mark + "b"},
      {"a\nb\x7F", "a" + mark + "b" + mark},
      {"\xC2\x85x", mark + "x"},                         // a control of C1
      {"\xE2\x80\xAEx\xE2\x81\xA9", mark + "x" + mark},  // right-to-left override, pop isolate
      {"\xD8\x9Cx", mark + "x"},                         // Arabic letter mark
      {"a\xFFz", "a" + mark + "z"},
      {"\xED\xA0\x80", mark + mark + mark},  // half a surrogate pair
      {"\xE2\x82", mark + mark},             // cut short
      {"\xC0\x80", mark + mark},             // NUL in two bytes
  };
  for (const auto& [text, plain] : cases) {
    CAPTURE(text);
    CHECK_FALSE(IsPlainValue(text));
    CHECK(MakePlainValue(text) == plain);
  }
}

}  // namespace skep::ingest
