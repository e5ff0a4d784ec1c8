// Prometheus's own PromQL scripts, which are the specification where the documentation is silent.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "common/base/file.h"
#include "evaluator/promqltest/script.h"
#include "evaluator/tsdb/head.h"
#include "tests/promql/memory_script_store.h"

namespace skep::promqltest {
namespace {

const std::string kFolder = SKEP_SOURCE_DIR "/../shared/promqltest/";

// How many evals a script has; all must pass.
struct Expected {
  std::string file;
  std::size_t evals;
};

const Expected kScripts[] = {
    {"aggregators.test", 160},
    {"at_modifier.test", 78},
    {"collision.test", 2},
    {"duration_expression.test", 59},
    {"extended_vectors.test", 169},
    {"fill-modifier.test", 46},
    {"functions.test", 431},
    {"histograms.test", 185},
    {"info.test", 53},
    {"limit.test", 37},
    {"literals.test", 25},
    {"name_label_dropping.test", 30},
    {"native_histograms.test", 522},
    {"operators.test", 214},
    {"range_queries.test", 18},
    {"selectors.test", 31},
    {"staleness.test", 17},
    {"start_timestamps.test", 26},
    {"subquery.test", 34},
    {"trig_functions.test", 19},
    {"type_and_unit.test", 58},
};

void RunAll(const StoreFactory& stores) {
  std::size_t evals = 0;
  for (const Expected& expected : kScripts) {
    CAPTURE(expected.file);
    const Result<std::string> text = ReadFile(kFolder + expected.file);
    REQUIRE(text);
    const Result<ScriptReport> report = RunScript(*text, stores);
    if (!report) FAIL(report.error().message());
    for (const ScriptReport::Remark& remark : report->failed) {
      FAIL_CHECK(expected.file << ":" << remark.line << ": " << remark.query << "\n  "
                               << remark.message);
    }
    CHECK(report->evals == expected.evals);
    CHECK(report->passed == expected.evals);
    evals += report->evals;
  }
  CHECK(evals == 2214);
}

TEST_CASE("The engine passes every eval of Prometheus's scripts", "[promql]") {
  if (!std::filesystem::exists(kFolder)) {
    WARN("not run: Prometheus's scripts are not at " + kFolder);
    return;
  }
  RunAll(NewMemoryStore);
}

TEST_CASE("The head passes every eval of Prometheus's scripts", "[promql]") {
  if (!std::filesystem::exists(kFolder)) {
    WARN("not run: Prometheus's scripts are not at " + kFolder);
    return;
  }
  RunAll([] { return std::make_unique<WholeStore<tsdb::Head>>(tsdb::HeadOptions{}); });
}

}  // namespace
}  // namespace skep::promqltest
