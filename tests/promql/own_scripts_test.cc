// Our own scripts beside this file: what Prometheus's do not cover.
#include <catch2/catch.hpp>
#include <string>

#include "common/base/file.h"
#include "evaluator/promqltest/script.h"
#include "tests/promql/memory_script_store.h"

namespace skep::promqltest {
namespace {

TEST_CASE("The engine passes our own scripts", "[promql]") {
  const auto files = Glob(SKEP_SOURCE_DIR "/tests/promql/*.test");
  REQUIRE(files);
  REQUIRE_FALSE(files->empty());
  for (const std::string& file : *files) {
    CAPTURE(file);
    const Result<std::string> text = ReadFile(file);
    REQUIRE(text);
    const Result<ScriptReport> report = RunScript(*text, NewMemoryStore);
    if (!report) FAIL(report.error().message());
    for (const ScriptReport::Remark& remark : report->failed) {
      FAIL_CHECK(file << ":" << remark.line << ": " << remark.query << "\n  " << remark.message);
    }
    CHECK(report->evals > 0);
    CHECK(report->passed == report->evals);
  }
}

}  // namespace
}  // namespace skep::promqltest
