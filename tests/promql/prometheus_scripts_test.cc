// Prometheus's own PromQL scripts, which are the specification where the documentation is silent.
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "common/base/file.h"
#include "tests/promql/script.h"

namespace skep::test {
namespace {

const std::string kFolder = SKEP_SOURCE_DIR "/../shared/promqltest/";

// What a script must come to. Skipped: native histograms and start timestamps (issue 4).
struct Expected {
  std::string file;
  std::size_t evals;
  std::size_t histograms;
  std::size_t start_timestamps = 0;
};

const Expected kScripts[] = {
    {"aggregators.test", 160, 35},
    {"at_modifier.test", 78, 0},
    {"collision.test", 2, 0},
    {"duration_expression.test", 59, 0},
    {"extended_vectors.test", 169, 49},
    {"fill-modifier.test", 46, 0},
    {"functions.test", 431, 108},
    {"histograms.test", 185, 92},
    {"info.test", 53, 1},
    {"limit.test", 37, 36},
    {"literals.test", 25, 0},
    {"name_label_dropping.test", 30, 0},
    {"native_histograms.test", 522, 519},
    {"operators.test", 214, 72},
    {"range_queries.test", 18, 2},
    {"selectors.test", 31, 0},
    {"staleness.test", 17, 0},
    {"start_timestamps.test", 26, 7, 19},
    {"subquery.test", 34, 2},
    {"trig_functions.test", 19, 0},
    {"type_and_unit.test", 58, 0},
};

std::map<std::string, std::size_t> CountReasons(const ScriptReport& report) {
  std::map<std::string, std::size_t> counts;
  for (const ScriptReport::Remark& remark : report.skipped) ++counts[remark.message];
  return counts;
}

TEST_CASE("The engine passes every eval of Prometheus's scripts that floats can answer",
          "[promql]") {
  if (!std::filesystem::exists(kFolder)) {
    WARN("SKIPPED: Prometheus's scripts are not at " + kFolder);
    return;
  }
  std::size_t evals = 0;
  for (const Expected& expected : kScripts) {
    CAPTURE(expected.file);
    const Result<std::string> text = ReadFile(kFolder + expected.file);
    REQUIRE(text);
    const Result<ScriptReport> report = RunScript(*text, NewMemoryScriptStore);
    if (!report) FAIL(report.error().message());
    for (const ScriptReport::Remark& remark : report->failed) {
      FAIL_CHECK(expected.file << ":" << remark.line << ": " << remark.query << "\n  "
                               << remark.message);
    }
    const auto reasons = CountReasons(*report);
    const auto count = [&reasons](const std::string& reason) {
      const auto at = reasons.find(reason);
      return at == reasons.end() ? std::size_t{0} : at->second;
    };
    CHECK(report->evals == expected.evals);
    CHECK(count("native histograms") == expected.histograms);
    CHECK(count("start timestamps") == expected.start_timestamps);
    CHECK(report->passed + report->skipped.size() == expected.evals);
    evals += report->evals;
  }
  CHECK(evals == 2214);
}

}  // namespace
}  // namespace skep::test
