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

TEST_CASE("Lines in common are kept together", "[ruletest]") {
  CHECK(Show({}, {}).empty());
  CHECK(Show({"a"}, {"a"}) == " a");
  CHECK(Show({"a"}, {}) == "-a");
  CHECK(Show({}, {"a"}) == "+a");
  CHECK(Show({"a", "b", "c"}, {"a", "x", "c"}) == " a-b+x c");
  CHECK(Show({"a", "b"}, {"b", "c"}) == "-a b+c");
}

TEST_CASE("Long lists are compared without a table of their size", "[ruletest]") {
  const std::vector<std::string> first(3000, "a");
  std::vector<std::string> second(3000, "a");
  second.back() = "b";
  const std::vector<DiffLine> lines = DiffLines(first, second);
  CHECK(lines.size() == 3001);
  CHECK(lines[2998].kind == DiffLine::Kind::kBoth);
}

}  // namespace
}  // namespace skep::ruletest
