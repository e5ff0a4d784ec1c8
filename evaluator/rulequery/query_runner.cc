#include "evaluator/rulequery/query_runner.h"

#include "evaluator/engine/prepared_plan.h"

namespace skep::rulequery {
namespace {

class Prepared final : public rules::PreparedQuery {
 public:
  Prepared(engine::Query query, const engine::Engine& engine, storage::Queryable& storage)
      : query_(std::move(query)), engine_(engine), storage_(storage) {}

  Result<promql::Value> Run(Timestamp time, const std::atomic<bool>* cancel) override {
    engine::QueryOptions when = engine::QueryOptions::At(time);
    when.cancel = cancel;
    when.plan = &plan_;
    Result<engine::QueryResult> result = engine_.Run(query_, storage_, when);
    if (!result) return result.error();
    Result<promql::Value> value(promql::Value{});  // g++ 12 warns of a move out of an unnamed one
    std::swap(*value, result->value);
    return value;
  }

 private:
  const engine::Query query_;
  const engine::Engine& engine_;
  storage::Queryable& storage_;
  engine::PreparedPlan plan_;
};

}  // namespace

Result<std::unique_ptr<rules::PreparedQuery>> EngineQueryRunner::Prepare(std::string_view expr) {
  Result<engine::Query> query = engine::Query::Parse(expr, options_);
  if (!query) return query.error();
  return std::unique_ptr<rules::PreparedQuery>(
      std::make_unique<Prepared>(std::move(*query), engine_, storage_));
}

}  // namespace skep::rulequery
