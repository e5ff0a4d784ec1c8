// Random expressions over random samples: the engine beside an evaluator that is plain and slow.
#include "tests/support/promql_oracle/oracle.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/number.h"
#include "evaluator/engine/engine.h"
#include "evaluator/promql/printer.h"
#include "tests/support/many.h"
#include "tests/support/memory_store.h"
#include "tests/support/promql_oracle/append.h"
#include "tests/support/promql_oracle/comparison.h"
#include "tests/support/promql_oracle/random_data.h"
#include "tests/support/promql_oracle/random_expression.h"

namespace skep::oracle {
namespace {

constexpr int kExpressionsPerData = 25;

// An expression and when it is asked for.
struct Question {
  std::string text;
  Span span;  // step 0: an instant query
};

class Arena {
 public:
  explicit Arena(std::uint64_t seed) : data_(RandomData(seed)) {
    const auto appender = store_.NewAppender();
    REQUIRE(AppendAll(data_, {}, *appender));
    REQUIRE(appender->Commit());
  }

  // What the two disagree about; "" if nothing.
  std::string Disagreement(const Question& question) {
    const Result<engine::Query> query = Parse(question.text);
    if (!query) return "it does not parse: " + query.error().message();
    const auto ours = engine_.Run(*query, store_, When(question.span));
    if (!ours && ours.error().kind() != ErrorKind::kInvalid) return ours.error().message();
    const auto theirs = Ask(query->expr(), question.span, {});
    if (ours.has_value() != theirs.has_value()) {
      return ours ? "only the oracle fails: " + theirs.error().message()
                  : "only the engine fails: " + ours.error().message();
    }
    return ours ? Difference(ours->value, *theirs) : "";
  }

  // Whether the answer depends on which of a group's values is added first.
  bool IsUndefined(const Question& question) {
    const Result<engine::Query> query = Parse(question.text);
    const auto forwards = Ask(query->expr(), question.span, {});
    const auto backwards = Ask(query->expr(), question.span, {.order = AdditionOrder::kReversed});
    if (forwards.has_value() != backwards.has_value()) return true;
    return forwards && !Difference(*forwards, *backwards).empty();
  }

  static Result<engine::Query> Parse(const std::string& text) {
    return engine::Query::Parse(text, promql::ParseOptions::All());
  }

 private:
  static engine::QueryOptions When(const Span& span) {
    return span.step.count() == 0 ? engine::QueryOptions::At(span.start)
                                  : engine::QueryOptions::Over(span.start, span.end, span.step);
  }

  Result<promql::Value> Ask(const promql::Expr& expr, const Span& span, const Settings& settings) {
    return span.step.count() == 0 ? At(data_, expr, span.start, settings)
                                  : Over(data_, expr, span, settings);
  }

  const DataSet data_;
  test::MemoryStore store_;
  SystemClock clock_;
  engine::Engine engine_{clock_};
};

// The smallest part of `question` that shows a disagreement by itself.
Question Shrink(Arena& arena, const Question& question) {
  const Result<engine::Query> query = Arena::Parse(question.text);
  for (const promql::Expr* child : promql::Children(query->expr())) {
    const bool matrix = child->type() == promql::ValueType::kMatrix;
    if (child->type() == promql::ValueType::kString) continue;
    if (matrix && question.span.step.count() != 0) continue;
    const Question part{promql::ToString(*child), question.span};
    if (!arena.Disagreement(part).empty()) return Shrink(arena, part);
  }
  return question;
}

Span RandomSpan(Random& random) {
  const Timestamp start = kDataStart + std::chrono::seconds(5 * random.Between(-20, 380));
  if (random.OneIn(3)) return {start, start, Duration(0)};
  constexpr std::int64_t kSteps[] = {5000, 15'000, 15'000, 30'000, 60'000, 61'000, 300'000};
  const Duration step{random.Of(kSteps)};
  return {start, start + step * random.Between(0, 12), step};
}

Question RandomQuestion(Random& random) {
  const Span span = RandomSpan(random);
  RandomExpression expressions(random);
  const int depth = static_cast<int>(random.Between(1, 4));
  if (span.step.count() == 0 && random.OneIn(20)) return {expressions.Range(2), span};
  return {expressions.Any(depth), span};
}

struct Tally {
  int compared = 0;
  int undefined = 0;
};

// One data set and the expressions over it.
void RunSeed(std::uint64_t seed, Tally& tally) {
  Arena arena(seed);
  Random random(seed);
  for (int i = 0; i < kExpressionsPerData; ++i) {
    const Question question = RandomQuestion(random);
    if (!Arena::Parse(question.text)) continue;  // a label named twice
    const std::string disagreement = arena.Disagreement(question);
    ++tally.compared;
    if (disagreement.empty()) continue;
    if (arena.IsUndefined(question)) {
      ++tally.undefined;
      continue;
    }
    const Question smallest = Shrink(arena, question);
    FAIL_CHECK("SKEP_ORACLE_SEED="
               << seed << ": " << question.text << "\n  from " << ToMillis(question.span.start)
               << " to " << ToMillis(question.span.end) << " every " << question.span.step.count()
               << " ms: " << disagreement << "\n  smallest part: " << smallest.text << "\n  "
               << arena.Disagreement(smallest));
  }
}

// The seed to run again, if somebody asks for one.
std::optional<std::uint64_t> WantedSeed() {
  const char* const text = std::getenv("SKEP_ORACLE_SEED");
  return text == nullptr ? std::nullopt : ParseUint(text);
}

TEST_CASE("The engine and a plain evaluator agree on random expressions", "[promql]") {
  Tally tally;
  if (const auto seed = WantedSeed()) return RunSeed(*seed, tally);
  const char* const form = std::getenv("SKEP_TEST_LONG");
  const bool is_long = form != nullptr && std::string_view(form) == "1";
  const int seeds = is_long ? 2000 : test::Many(160);
  for (int seed = 1; seed <= seeds; ++seed) RunSeed(static_cast<std::uint64_t>(seed), tally);
  INFO(tally.compared << " compared, " << tally.undefined << " depend on the order of addition");
  CHECK(tally.compared > seeds * kExpressionsPerData * 9 / 10);
  CHECK(tally.undefined * 200 <= tally.compared);
}

}  // namespace
}  // namespace skep::oracle
