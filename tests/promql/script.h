// Runs PromQL test scripts (the language of Prometheus's promqltest) over any store.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/engine/engine.h"
#include "evaluator/storage/appender.h"
#include "evaluator/storage/querier.h"

namespace skep::test {

// A store that a script fills and queries. Destroyed at `clear` and at the script's end.
class ScriptStore {
 public:
  virtual ~ScriptStore() = default;
  virtual storage::Appendable& appendable() = 0;
  virtual storage::Queryable& queryable() = 0;
};
using StoreFactory = std::function<std::unique_ptr<ScriptStore>()>;

// MemoryStore, for those who test the engine rather than a store.
std::unique_ptr<ScriptStore> NewMemoryScriptStore();

struct ScriptReport {
  struct Remark {
    std::size_t line = 0;  // of the eval, from 1
    std::string query;
    std::string message;
  };

  std::size_t evals = 0;
  std::size_t passed = 0;
  std::vector<Remark> failed;
};

// What promqltest switches on: all features, names removed at the end of a query.
engine::EngineOptions ScriptEngineOptions();

// kInvalid with the line where the script itself is wrong. An eval that does not hold is no error
// but a remark in the report.
Result<ScriptReport> RunScript(std::string_view script, const StoreFactory& stores);

}  // namespace skep::test
