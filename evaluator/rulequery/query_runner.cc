#include "evaluator/rulequery/query_runner.h"

#include "evaluator/engine/prepared_plan.h"
#include "evaluator/rulequery/group_queries.h"

namespace skep::rulequery {
namespace {

class Prepared final : public rules::PreparedQuery {
 public:
  Prepared(engine::Query query, const QuerySource& source)
      : query_(std::move(query)),
        engine_(source.engine),
        storage_(source.storage),
        plan_(source.selects) {}

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
  return std::unique_ptr<rules::PreparedQuery>(std::make_unique<Prepared>(
      std::move(*query), QuerySource{engine_, storage_, selects_, plan_bytes_}));
}

std::unique_ptr<rules::PreparedGroup> EngineQueryRunner::PrepareGroup(
    const std::vector<rules::GroupQuery>& queries) {
  std::vector<std::optional<engine::Query>> parsed(queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    Result<engine::Query> query = engine::Query::Parse(queries[i].expr, options_);
    if (query) parsed[i] = std::move(*query);
  }
  return std::make_unique<GroupQueries>(QuerySource{engine_, storage_, selects_, plan_bytes_},
                                        queries, std::move(parsed));
}

}  // namespace skep::rulequery
