#include "common/exposition/validator.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "common/base/file.h"

namespace skep::exposition {
namespace {

std::string SharedFolder() {
  const char* const folder = std::getenv("SKEP_SHARED");
  return folder != nullptr ? folder : SKEP_SOURCE_DIR "/../shared";
}

TEST_CASE("Validator judges every OpenMetrics case as the specification does", "[exposition]") {
  const std::string folder = SharedFolder() + "/openmetrics";
  if (!std::filesystem::exists(folder)) {
    WARN("SKIPPED: no folder " + folder + " (set SKEP_SHARED)");
    return;
  }
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    const std::string path = entry.path().string();
    const Result<std::string> page = ReadFile(path + "/metrics");
    const Result<std::string> test = ReadFile(path + "/test.json");
    REQUIRE(page);
    REQUIRE(test);
    const bool should_parse = test->find("\"shouldParse\": true") != std::string::npos;
    const Status status = ValidateOpenMetrics(*page);
    CAPTURE(path, status ? "" : status.error().message());
    CHECK(status.has_value() == should_parse);
    if (!status) CHECK(status.error().message().starts_with("line "));
    ++cases;
  }
  CHECK(cases == 211);
}

TEST_CASE("Validator refuses what breaks the rules of families", "[exposition]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"# TYPE a counter\na_total -1\n", "line 2: a counting sample is negative"},
      {"# TYPE a gauge\na 1\na 1\n", "line 3: the same series twice"},
      {"a{b=\"c\",} 1\n", "line 1: a comma behind the last label"},
      {"# TYPE a gauge\n# TYPE b gauge\n# TYPE a gauge\n",
       "line 3: name a clashes with an earlier family"},
      {"# TYPE a histogram\na_bucket{le=\"1\"} 0\nb 1\n",
       "line 2: a histogram without bucket +Inf"},
      {"# TYPE a gauge\na 1 # {b=\"c\"} 1\n",
       "line 2: an exemplar may only stand at a counter or a bucket"},
  };
  for (const auto& [page, message] : cases) {
    CAPTURE(page);
    const Status status = ValidateOpenMetrics(std::string(page) + "# EOF\n");
    REQUIRE_FALSE(status);
    CHECK(status.error().message() == message);
  }
}

std::vector<std::string> Lint(std::string_view page) {
  const Result<std::vector<LintFinding>> findings = LintPage(page, Format::kText);
  if (!findings) return {findings.error().message()};
  std::vector<std::string> out;
  for (const LintFinding& finding : *findings) out.push_back(finding.metric + " " + finding.text);
  return out;
}

TEST_CASE("Lint says what promtool says", "[exposition]") {
  using Lines = std::vector<std::string>;
  const std::pair<std::string_view, Lines> cases[] = {
      {"# HELP a_seconds h\n# TYPE a_seconds gauge\na_seconds 1\n", {}},
      {"a 1\n", {"a no help text"}},
      {"# HELP a h\n# TYPE a counter\na 1\n", {"a counter metrics should have \"_total\" suffix"}},
      {"# HELP a_total h\n# TYPE a_total gauge\na_total 1\n",
       {"a_total non-counter metrics should not have \"_total\" suffix"}},
      {"# HELP a_milliseconds h\n# TYPE a_milliseconds gauge\na_milliseconds 1\n",
       {"a_milliseconds use base unit \"seconds\" instead of \"milliseconds\""}},
      {"# HELP a_ms h\n# TYPE a_ms gauge\na_ms 1\n",
       {"a_ms metric names should not contain abbreviated units"}},
      {"# HELP a h\n# TYPE a gauge\na{le=\"1\",someLabel=\"x\"} 1\n",
       {"a label names should be written in 'snake_case' not 'camelCase'",
        "a non-histogram metrics should not have \"le\" label"}},
      {"# HELP a:b_gauge h\n# TYPE a:b_gauge gauge\na:b_gauge 1\n",
       {"a:b_gauge metric name should not include type 'gauge'",
        "a:b_gauge metric names should not contain ':'"}},
      {"# HELP h_seconds h\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"+Inf\"} 1\n"
       "h_seconds_sum 1\nh_seconds_count 1\n",
       {}},
      {"# HELP a h\n# HELP a h\n", {"line 2: second HELP line for metric name \"a\""}},
      {"a 1\nb 2", {"line 2: unexpected end of input"}},
      {"a{b=\"\\x\"} 1\n", {"line 1: invalid escape sequence '\\x'"}},
      {"# HELP a \\\"\n", {"line 1: invalid escape sequence '\\\"'"}},
      {"# HELP a \\\\ \\n\n# TYPE a gauge\na{b=\"\\\"\\\\\\n\"} 1\n# any \\x\n", {}},
      {"a 1\n# TYPE a gauge\n",
       {"line 2: second TYPE line for metric name \"a\", or TYPE reported after samples"}},
  };
  for (const auto& [page, findings] : cases) {
    CAPTURE(page);
    CHECK(Lint(page) == findings);
  }
}

}  // namespace
}  // namespace skep::exposition
