#include "common/model/regex.h"

#include <catch2/catch.hpp>

using skep::Regex;

TEST_CASE("Alternations of literals are recognised, others are not", "[regex]") {
  using List = std::vector<std::string>;
  CHECK(Regex::Create("a|b")->literals() == List{"a", "b"});
  CHECK(Regex::Create("(?:a|b)")->literals() == List{"a", "b"});
  CHECK(Regex::Create("(a.b)")->literals() == std::nullopt);
  CHECK(Regex::Create("a\\.b")->literals() == List{"a.b"});
  CHECK(Regex::Create("")->literals() == List{""});
  CHECK(Regex::Create("a|b*")->literals() == std::nullopt);
  CHECK(Regex::Create("(?i)a")->literals() == std::nullopt);
  CHECK(Regex::Create("(a)|(b)")->literals() == std::nullopt);
  CHECK(Regex::Create("a\\d")->literals() == std::nullopt);
}

TEST_CASE("The literal prefix is what every match begins with", "[regex]") {
  const std::pair<std::string, std::string> cases[] = {
      {"abc.*", "abc"}, {"abc*", "ab"},    {"ab?", "a"},   {"a|b", ""},    {".*", ""},
      {"ab+", "ab"},    {"\xc3\xa4*", ""}, {"abc", "abc"}, {"a{0,2}", ""}, {"(?i)abc", ""}};
  for (const auto& [pattern, prefix] : cases) {
    CAPTURE(pattern);
    CHECK(Regex::Create(pattern)->literal_prefix() == prefix);
  }
}

TEST_CASE("Expand fills groups by number and name", "[regex]") {
  const Regex regex = *Regex::Create("(?P<host>[^:]+):(\\d+)");
  std::vector<std::string_view> groups;
  REQUIRE(regex.FullMatch("node:9100", groups));
  const std::pair<std::string, std::string> cases[] = {
      {"$1", "node"},    {"${host}-$2", "node-9100"},
      {"$host", "node"}, {"$$1", "$1"},
      {"$3x", ""},       {"a$", "a$"},
      {"${1", "${1"},    {"$1_x", ""}};
  for (const auto& [replacement, expected] : cases) {
    CAPTURE(replacement);
    CHECK(regex.Expand(replacement, groups) == expected);
  }
}

TEST_CASE("ReplaceAll replaces as Go does", "[regex]") {
  CHECK(Regex::Create("a(x*)b")->ReplaceAll("-ab-axxb-", "${1}W") == "-W-xxW-");
  CHECK(Regex::Create("")->ReplaceAll("abc", "-") == "-a-b-c-");
  CHECK(Regex::Create("b*")->ReplaceAll("abc", "-") == "-a-c-");
  CHECK(Regex::Create("x")->ReplaceAll("", "-") == "");
}
