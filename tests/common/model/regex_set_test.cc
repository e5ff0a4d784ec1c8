#include "common/model/regex_set.h"

#include <catch2/catch.hpp>
#include <random>

#include "common/model/literal_scanner.h"
#include "common/model/regex.h"

namespace skep {
namespace {

std::vector<std::uint32_t> Matches(const RegexSet& set, std::string_view text) {
  RegexSet::Scratch scratch;
  return set.PartialMatches(text, scratch);
}

TEST_CASE("RegexSet tells which patterns match a part of the text", "[regex]") {
  const std::vector<std::string> patterns = {"(?i)ERROR|FATAL|CRITICAL",
                                             R"(query took \d{4,}ms)",
                                             R"(^\d+$)",
                                             "(?i)warn",
                                             "caf\u00c9",
                                             "x"};
  const RegexSet set = *RegexSet::Create(patterns);
  CHECK(Matches(set, "an Error here") == std::vector<std::uint32_t>{0});
  CHECK(Matches(set, "WARNING: query took 1234ms") == std::vector<std::uint32_t>{1, 3});
  CHECK(Matches(set, "query took 999ms").empty());
  CHECK(Matches(set, "12345") == std::vector<std::uint32_t>{2});
  CHECK(Matches(set, "caf\u00c9") == std::vector<std::uint32_t>{4});
  CHECK(Matches(set, "").empty());
  CHECK(Matches(RegexSet(), "anything").empty());
}

TEST_CASE("RegexSet refuses a bad pattern and names it", "[regex]") {
  const Result<RegexSet> set = RegexSet::Create({"fine", "(open"});
  REQUIRE(!set);
  CHECK(set.error().message().find("(open") != std::string::npos);
}

TEST_CASE("RegexSet finds on random texts what its patterns find one by one", "[regex]") {
  const std::vector<std::string> patterns = {
      "(?i)abca|bcab", "ab.{0,3}ca", "(?i)(?:aab|bba)[^c]*ccc",
      "^cab",          "bb$",        "(?i)B{3}",
      "a|b",           "aaaa",       "abc",
      "(?i)caba"};
  const RegexSet set = *RegexSet::Create(patterns);
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t n = random() % 40; n > 0; --n) text.push_back("abcABC\n"[random() % 7]);
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < patterns.size(); ++i) {
      if (Regex::Create(patterns[i])->PartialMatch(text)) expected.push_back(i);
    }
    CAPTURE(text);
    REQUIRE(Matches(set, text) == expected);
  }
}

TEST_CASE("LiteralScanner finds literals at every place", "[regex]") {
  for (const std::size_t shortest : {1U, 2U, 3U, 4U, 6U, 9U}) {
    const std::string literal = std::string("needlework").substr(0, shortest);
    const LiteralScanner scanner({literal, "somethinglonger"});
    for (std::size_t before = 0; before < 20; ++before) {
      for (std::size_t after = 0; after < 6; ++after) {
        std::string text = std::string(before, '.') + literal + std::string(after, '.');
        text[before] = 'N';
        int found = 0;
        scanner.Scan(text, [&](std::uint32_t index) { found += index == 0 ? 1 : 0; });
        CAPTURE(literal, before, after);
        CHECK(found > 0);
      }
    }
  }
}

TEST_CASE("Regex fills the groups of a part that matches", "[regex]") {
  const Regex regex = *Regex::Create(R"(took (?P<ms>\d+)(?P<unit>ms)?)");
  std::vector<std::string_view> groups;
  REQUIRE(regex.PartialMatch("query took 17 of", groups));
  CHECK(groups == std::vector<std::string_view>{"took 17", "17", ""});
  CHECK(regex.GroupNames() == std::vector<std::string>{"", "ms", "unit"});
  CHECK(!regex.PartialMatch("took none", groups));
}

}  // namespace
}  // namespace skep
