#include "evaluator/rulequery/group_queries.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "evaluator/engine/prepared_plan.h"
#include "evaluator/engine/shared_parts.h"
#include "evaluator/promql/printer.h"

namespace skep::rulequery {

// One query, which several rules may have.
struct GroupQueries::Shared {
  Shared(engine::Query q, const QuerySource& source) : query(std::move(q)), plan(source.selects) {}

  const engine::Query query;
  engine::PreparedPlan plan;
  std::size_t users = 0;  // rules

  std::mutex mutex;  // held while it runs: who wants the same waits
  // Guarded by mutex:
  std::optional<Timestamp> time;  // of `answer`
  std::optional<promql::Value> answer;
  std::size_t left = 0;  // rules that will ask for it in this round
};

struct GroupQueries::State {
  explicit State(QuerySource s) : source(std::move(s)) {}
  ~State() { CountPlans(0); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void CountPlans(std::uint64_t bytes) {
    *source.plan_bytes += bytes - counted;  // may wrap around and back
    counted = bytes;
  }

  const QuerySource source;
  std::uint64_t counted = 0;              // of plan_bytes, for this group
  std::map<std::string, Shared> queries;  // by text and what is written before it
  engine::SharedParts parts;
};

class GroupQueries::Member final : public rules::PreparedQuery {
 public:
  Member(std::shared_ptr<State> state, Shared& shared)
      : state_(std::move(state)), shared_(shared) {}

  Result<promql::Value> Run(Timestamp time, const std::atomic<bool>* cancel) override {
    const std::lock_guard lock(shared_.mutex);
    if (shared_.time == time && shared_.answer) return Take();
    Result<promql::Value> value = Compute(time, cancel);
    if (!value || shared_.users < 2) return value;
    shared_.answer = *value;
    shared_.time = time;
    shared_.left = shared_.users - 1;
    return value;
  }

 private:
  // The last one takes it away.
  promql::Value Take() {
    if (--shared_.left > 0) return *shared_.answer;
    promql::Value answer = std::move(*shared_.answer);
    shared_.answer.reset();
    return answer;
  }

  Result<promql::Value> Compute(Timestamp time, const std::atomic<bool>* cancel) {
    engine::QueryOptions when = engine::QueryOptions::At(time);
    when.cancel = cancel;
    when.plan = &shared_.plan;
    when.shared = &state_->parts;
    Result<engine::QueryResult> result =
        state_->source.engine.Run(shared_.query, state_->source.storage, when);
    if (!result) return result.error();
    Result<promql::Value> value(promql::Value{});  // g++ 12 warns of a move out of an unnamed one
    std::swap(*value, result->value);
    return value;
  }

  const std::shared_ptr<State> state_;
  Shared& shared_;  // in state_
};

namespace {

// Equal for queries whose answers in one round are equal.
std::string KeyOf(const promql::Expr& expr, const rules::GroupQuery& query) {
  std::string key = promql::ToString(expr);
  for (const promql::VectorSelector* selector : promql::Selectors(expr)) {
    key += '\n' + std::to_string(query.writers_before(*selector));
  }
  return key;
}

}  // namespace

GroupQueries::GroupQueries(const QuerySource& source, const std::vector<rules::GroupQuery>& queries,
                           std::vector<std::optional<engine::Query>> parsed)
    : state_(std::make_shared<State>(source)), by_index_(queries.size(), nullptr) {
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (!parsed[i]) continue;
    const std::string key = KeyOf(parsed[i]->expr(), queries[i]);
    const auto [at, is_new] = state_->queries.try_emplace(key, std::move(*parsed[i]), source);
    ++at->second.users;
    if (is_new) state_->parts.Add(at->second.query.expr(), queries[i].writers_before);
    by_index_[i] = &at->second;
  }
}

std::unique_ptr<rules::PreparedQuery> GroupQueries::TakeQuery(std::size_t index) {
  if (by_index_[index] == nullptr) return nullptr;
  return std::make_unique<Member>(state_, *by_index_[index]);
}

void GroupQueries::EndRound() {
  std::uint64_t bytes = 0;
  for (auto& [key, shared] : state_->queries) {
    const std::lock_guard lock(shared.mutex);
    shared.answer.reset();
    shared.time.reset();
    bytes += shared.plan.heap_bytes();
  }
  state_->CountPlans(bytes);
  state_->parts.EndRound();
}

}  // namespace skep::rulequery
