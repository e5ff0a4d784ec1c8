// Runs PromQL test scripts (the language of Prometheus's promqltest) over any store.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/model/regex.h"
#include "evaluator/engine/engine.h"
#include "evaluator/storage/appender.h"
#include "evaluator/storage/querier.h"

namespace skep::promqltest {

// A store that a script fills and queries. Destroyed at `clear` and at the script's end.
class ScriptStore {
 public:
  virtual ~ScriptStore() = default;
  virtual storage::Appendable& appendable() = 0;
  virtual storage::Queryable& queryable() = 0;
};
using StoreFactory = std::function<std::unique_ptr<ScriptStore>()>;

// A store that is both sides in one, such as tsdb::Head.
template <typename Store>
class WholeStore final : public ScriptStore {
 public:
  template <typename... Arguments>
  explicit WholeStore(Arguments&&... arguments) : store_(std::forward<Arguments>(arguments)...) {}

  storage::Appendable& appendable() override { return store_; }
  storage::Queryable& queryable() override { return store_; }

 private:
  Store store_;
};

// What promqltest switches on: names removed at the end of a query, start timestamps used.
engine::EngineOptions ScriptEngineOptions();

struct ScriptOptions {
  std::string file = "script";  // for messages
  engine::EngineOptions engine = ScriptEngineOptions();
  promql::ParseOptions promql = promql::ParseOptions::All();
  std::optional<Regex> run = {};  // only evals with a part of their query that matches
};

struct ScriptReport {
  struct Remark {
    std::size_t line = 0;  // of the eval, from 1
    std::string query;
    std::string message;  // what was expected and what came
  };

  std::size_t evals = 0;
  std::size_t passed = 0;
  std::vector<Remark> failed;
};

// kInvalid with file and line where the script itself is wrong. An eval that does not hold is no
// error but a remark in the report.
Result<ScriptReport> RunScript(std::string_view script, const StoreFactory& stores,
                               const ScriptOptions& options = {});

}  // namespace skep::promqltest
