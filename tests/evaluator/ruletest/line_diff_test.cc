#include "evaluator/ruletest/line_diff.h"

#include <catch2/catch.hpp>

namespace skep::ruletest {
namespace {

std::string Show(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::string out;
  for (const DiffLine& line : DiffLines(a, b)) {
    out += line.kind == DiffLine::Kind::kBoth        ? ' '
           : line.kind == DiffLine::Kind::kOnlyFirst ? '-'
                                                     : '+';
    out += line.text;
  }
  return out;
}

// A line of each character.
std::vector<std::string> Lines(std::string_view characters) {
  std::vector<std::string> lines;
  for (const char c : characters) lines.emplace_back(1, c);
  return lines;
}

TEST_CASE("Lines in common are kept together", "[ruletest]") {
  CHECK(Show({}, {}).empty());
  CHECK(Show(Lines("a"), Lines("a")) == " a");
  CHECK(Show(Lines("a"), {}) == "-a");
  CHECK(Show({}, Lines("a")) == "+a");
  CHECK(Show(Lines("abc"), Lines("axc")) == " a-b+x c");
  CHECK(Show(Lines("ab"), Lines("bc")) == "-a b+c");
}

TEST_CASE("Long lists are compared without a table of their size", "[ruletest]") {
  const std::vector<std::string> first(3000, "a");
  std::vector<std::string> second(2999, "a");
  second.emplace_back("b");
  const std::vector<DiffLine> lines = DiffLines(first, second);
  CHECK(lines.size() == 3001);
  CHECK(lines[2998].kind == DiffLine::Kind::kBoth);
}

}  // namespace
}  // namespace skep::ruletest
