// The engine as rules see it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "evaluator/engine/engine.h"
#include "evaluator/engine/select_pool.h"
#include "evaluator/promql/parser.h"
#include "evaluator/rules/interfaces.h"
#include "evaluator/storage/querier.h"

namespace skep::rulequery {

// Thread-safe. `engine` and `storage` outlive it and what it prepared.
class EngineQueryRunner final : public rules::QueryRunner {
 public:
  EngineQueryRunner(const engine::Engine& engine, storage::Queryable& storage,
                    promql::ParseOptions options)
      : engine_(engine), storage_(storage), options_(options) {}

  Result<std::unique_ptr<rules::PreparedQuery>> Prepare(std::string_view expr) override;
  std::unique_ptr<rules::PreparedGroup> PrepareGroup(
      const std::vector<rules::GroupQuery>& queries) override;

  // What the plans of the groups take of memory, as of the end of their last rounds: which series
  // have which place in groups and matches. The lists of the series are the store's.
  std::uint64_t PlanBytes() const { return *plan_bytes_; }

 private:
  const engine::Engine& engine_;
  storage::Queryable& storage_;
  const promql::ParseOptions options_;
  // Equal selectors of all rules keep one list of series.
  const std::shared_ptr<engine::SelectPool> selects_ = std::make_shared<engine::SelectPool>();
  const std::shared_ptr<std::atomic<std::uint64_t>> plan_bytes_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace skep::rulequery
