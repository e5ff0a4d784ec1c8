// Every query and every series of Prometheus's own test scripts.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"
#include "common/model/regex.h"
#include "evaluator/promql/parser.h"
#include "evaluator/promql/printer.h"

namespace skep::promql {
namespace {

const std::string kFolder = SKEP_SOURCE_DIR "/../shared/promqltest";

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string Trim(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return {};
  return std::string(text.substr(start, text.find_last_not_of(" \t\r") - start + 1));
}

bool ExpectsFailure(const std::vector<std::string>& lines, std::size_t eval) {
  if (lines[eval].find("eval_fail") != std::string::npos) return true;
  for (std::size_t i = eval + 1; i < lines.size() && !Trim(lines[i]).empty(); ++i) {
    if (Trim(lines[i]).rfind("expect fail", 0) == 0) return true;
  }
  return false;
}

TEST_CASE("Every query of Prometheus's scripts parses and prints to itself", "[promql]") {
  if (!std::filesystem::exists(kFolder)) {
    WARN("SKIPPED: " + kFolder + " is not there");
    return;
  }
  const Regex instant = Regex::Create("eval(?:_\\w+)? instant (?:at \\S+ )?(.*)").value();
  const Regex range =
      Regex::Create("eval(?:_\\w+)? range from \\S+ to \\S+ step \\S+ (.*)").value();
  std::size_t queries = 0;
  const auto files = Glob(kFolder + "/*.test");
  REQUIRE(files);
  for (const std::string& file : *files) {
    const std::vector<std::string> lines = Lines(ReadFile(file).value());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::vector<std::string_view> groups;
      const std::string line = Trim(lines[i]);
      if (line.rfind("eval", 0) != 0) continue;
      ++queries;
      CAPTURE(file, i + 1, line);
      REQUIRE((instant.FullMatch(line, groups) || range.FullMatch(line, groups)));
      const Result<ExprPtr> expr = ParseExpr(groups[1], ParseOptions::All());
      if (!expr) {
        INFO(expr.error().message());
        CHECK(ExpectsFailure(lines, i));
        continue;
      }
      const std::string printed = ToString(**expr);
      CAPTURE(printed);
      const Result<ExprPtr> again = ParseExpr(printed, ParseOptions::All());
      REQUIRE(again);
      CHECK(ToString(**again) == printed);
      const Result<ExprPtr> pretty = ParseExpr(Prettify(**expr), ParseOptions::All());
      REQUIRE(pretty);
      CHECK(ToString(**pretty) == printed);
    }
  }
  CHECK(queries == 2214);
}

TEST_CASE("Every loaded series of Prometheus's scripts is read", "[promql]") {
  if (!std::filesystem::exists(kFolder)) {
    WARN("SKIPPED: " + kFolder + " is not there");
    return;
  }
  std::size_t series = 0;
  const auto files = Glob(kFolder + "/*.test");
  REQUIRE(files);
  for (const std::string& file : *files) {
    bool loading = false;
    for (const std::string& raw : Lines(ReadFile(file).value())) {
      std::string line = Trim(raw);
      if (line.rfind("load", 0) == 0) {
        loading = true;
        continue;
      }
      if (line.empty() || line.rfind("eval", 0) == 0 || line == "clear") loading = false;
      if (!loading || line[0] == '#') continue;
      // Start timestamps are written as values of `SERIES@st`.
      if (const std::size_t st = line.find("@st"); st != std::string::npos) line.erase(st, 3);
      CAPTURE(file, line);
      const auto parsed = ParseSeriesDescription(line);
      if (!parsed) FAIL_CHECK(parsed.error().message());
      ++series;
    }
  }
  CHECK(series > 500);
}

}  // namespace
}  // namespace skep::promql
