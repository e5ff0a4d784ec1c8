#include "common/model/matcher.h"

#include <catch2/catch.hpp>

using skep::Labels;
using skep::Matcher;
using skep::MatchType;

TEST_CASE("Matchers judge the whole value", "[matcher]") {
  struct Case {
    MatchType type;
    std::string value;
    std::string text;
    bool matches;
  };
  const Case cases[] = {
      {MatchType::kEqual, "a", "a", true},        {MatchType::kEqual, "", "", true},
      {MatchType::kNotEqual, "a", "b", true},     {MatchType::kNotEqual, "a", "a", false},
      {MatchType::kRegex, "a|bc", "bc", true},    {MatchType::kRegex, "a", "ab", false},
      {MatchType::kRegex, ".*", "x\ny", true},    {MatchType::kNotRegex, "a.+", "a", true},
      {MatchType::kNotRegex, "a.+", "ab", false}, {MatchType::kRegex, "(?i)ab", "AB", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.value, c.text);
    CHECK(Matcher::Create(c.type, "l", c.value)->Matches(c.text) == c.matches);
  }
  CHECK(Matcher::Create(MatchType::kRegex, "l", ".*")->MatchesEmpty());
  CHECK_FALSE(Matcher::Create(MatchType::kRegex, "l", ".+")->MatchesEmpty());
}

TEST_CASE("A matcher prints as PromQL reads it", "[matcher]") {
  CHECK(Matcher::Create(MatchType::kRegex, "job", "a\"b")->ToString() == "job=~\"a\\\"b\"");
  CHECK(Matcher::Equal("my.label", "x").ToString() == "\"my.label\"=\"x\"");
}

TEST_CASE("A broken or exploding regular expression is refused", "[matcher]") {
  for (const std::string pattern : {"(", "a{2,1}", "(?=a)", "((a{100}){100}){100}"}) {
    CAPTURE(pattern);
    const auto matcher = Matcher::Create(MatchType::kRegex, "l", pattern);
    REQUIRE_FALSE(matcher);
    CHECK(matcher.error().message().find("bad regular expression") == 0);
  }
}

TEST_CASE("A very long expression is refused, a long list of literals is not", "[matcher]") {
  std::string groups = "a";
  std::string literals = "a";
  for (int i = 0; i < 20'000; ++i) {
    groups += "|(x+)+";
    literals += "|abcde";
  }
  CHECK_FALSE(Matcher::Create(MatchType::kRegex, "l", groups));
  CHECK(Matcher::Create(MatchType::kRegex, "l", literals));
}

TEST_CASE("An absent label is the empty value", "[matcher]") {
  const Labels labels{{"a", "1"}};
  CHECK(skep::MatchesAll({Matcher::Equal("a", "1"), Matcher::Equal("b", "")}, labels));
  CHECK_FALSE(skep::MatchesAll({Matcher::Equal("b", "2")}, labels));
}
