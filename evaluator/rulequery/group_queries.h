// The queries of one rule group, which compute once in a round what is equal in several of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "evaluator/engine/engine.h"
#include "evaluator/engine/select_pool.h"
#include "evaluator/rules/interfaces.h"
#include "evaluator/storage/querier.h"

namespace skep::rulequery {

// What queries run with; the first two outlive them.
struct QuerySource {
  const engine::Engine& engine;
  storage::Queryable& storage;
  std::shared_ptr<engine::SelectPool> selects;  // of `storage`
  // What the plans of all groups take of memory, as of the end of their last rounds.
  std::shared_ptr<std::atomic<std::uint64_t>> plan_bytes;
};

class GroupQueries final : public rules::PreparedGroup {
 public:
  // `parsed`: one for each of `queries`, none where it cannot be read.
  GroupQueries(const QuerySource& source, const std::vector<rules::GroupQuery>& queries,
               std::vector<std::optional<engine::Query>> parsed);

  std::unique_ptr<rules::PreparedQuery> TakeQuery(std::size_t index) override;
  void EndRound() override;

 private:
  struct Shared;
  struct State;
  class Member;

  std::shared_ptr<State> state_;
  std::vector<Shared*> by_index_;  // null: it cannot be read
};

}  // namespace skep::rulequery
