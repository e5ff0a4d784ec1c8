#include "evaluator/tsdb/label_pairs.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

using NamedValue = std::pair<std::string, std::string>;

std::vector<std::string> ValuesOf(const LabelPairs& pairs, const std::string& name,
                                  const std::string& prefix = "") {
  std::vector<std::string> values;
  if (const auto id = pairs.FindName(name)) {
    pairs.WalkValues(*id, prefix, [&](PairId pair) {
      values.emplace_back(pairs.value(pair));
      return true;
    });
  }
  return values;
}

// As a set of strings has it.
void CheckEqual(const LabelPairs& pairs, const std::map<NamedValue, PairId>& model) {
  REQUIRE(pairs.size() == model.size());
  std::map<std::string, std::vector<std::string>> by_name;
  for (const auto& [pair, id] : model) {
    by_name[pair.first].push_back(pair.second);
    REQUIRE(pairs.Find(pair.first, pair.second) == id);
    REQUIRE(pairs.name(id) == pair.first);
    REQUIRE(pairs.value(id) == pair.second);
    REQUIRE(pairs.Lives(id));
  }
  REQUIRE(pairs.names().size() == by_name.size());
  for (const auto& [name, values] : by_name) {
    REQUIRE(ValuesOf(pairs, name) == values);
    REQUIRE(pairs.CountValues(*pairs.FindName(name)) == values.size());
    std::vector<std::string> begin_with_1;
    for (const std::string& value : values) {
      if (value.starts_with("1")) begin_with_1.push_back(value);
    }
    REQUIRE(ValuesOf(pairs, name, "1") == begin_with_1);
  }
}

// Short and long ones, some in rising order.
std::string RandomValue(std::mt19937& random) {
  std::string value = std::to_string(random() % 3000);
  if (random() % 3 == 0) value += std::string(random() % 40, 'x');
  return value;
}

TEST_CASE("Pairs that come and go at random are those of a plain map", "[tsdb]") {
  std::mt19937 random(9);
  LabelPairs pairs;
  std::map<NamedValue, PairId> model;
  const int steps = test::Many(30'000);
  for (int step = 0; step < steps; ++step) {
    // Grows to some thousand, shrinks to nothing, and so on.
    const bool shrinks = step * 5 / steps % 2 == 1;
    if (random() % 8 < (shrinks ? 1U : 6U)) {
      const NamedValue pair{"n" + std::to_string(random() % 5), RandomValue(random)};
      const PairId id = pairs.Intern(pair.first, pair.second);
      const auto [known, is_new] = model.emplace(pair, id);
      REQUIRE(known->second == id);
    } else if (!model.empty()) {
      auto at = model.lower_bound({"n" + std::to_string(random() % 5), RandomValue(random)});
      if (at == model.end()) at = model.begin();
      pairs.Release(at->second);
      REQUIRE_FALSE(pairs.Lives(at->second));
      model.erase(at);
    }
    if (step % 1000 == 999) CheckEqual(pairs, model);
  }
  while (!model.empty()) {
    pairs.Release(model.begin()->second);
    model.erase(model.begin());
  }
  CheckEqual(pairs, model);
  CHECK_FALSE(pairs.Find("n1", "1"));
}

TEST_CASE("Pairs without end, few at a time, take no more memory", "[tsdb]") {
  LabelPairs pairs;
  std::vector<PairId> living;
  std::size_t after_first = 0;
  for (int turn = 0; turn < 20; ++turn) {
    for (int i = 0; i < 500; ++i) {
      const std::string value = "session-" + std::to_string(turn) + "-" + std::to_string(i);
      living.push_back(pairs.Intern("session_id", value));
      living.push_back(pairs.Intern("name_" + value, "1"));
    }
    for (const PairId pair : living) pairs.Release(pair);
    living.clear();
    if (turn == 0) after_first = pairs.heap_bytes();
  }
  CHECK(pairs.end() == 1000);
  CHECK(pairs.heap_bytes() == after_first);
  CHECK(pairs.names().empty());
}

TEST_CASE("A label set comes back from its numbers, equal and in the same order", "[tsdb]") {
  std::mt19937 random(3);
  LabelPairs pairs;
  std::vector<Labels> sets = {Labels(), {{"a", ""}}};
  for (int i = 0; i < 200; ++i) {
    LabelsBuilder builder;
    for (const char* name : {"__name__", "a", "ab", "b"}) {
      if (random() % 3 > 0) builder.Set(name, std::to_string(random() % 4));
    }
    if (random() % 5 == 0) builder.Set("c", std::string(20, static_cast<char>('a' + i % 3)));
    sets.push_back(builder.Build());
  }
  std::vector<std::vector<PairId>> numbers(sets.size());
  for (std::size_t i = 0; i < sets.size(); ++i) pairs.InternAll(sets[i], numbers[i]);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    REQUIRE(pairs.Make(numbers[i]) == sets[i]);
    REQUIRE(pairs.Make(numbers[i]).Hash() == sets[i].Hash());
    for (const char* name : {"__name__", "b", "c"}) {
      const auto id = pairs.FindName(name);
      REQUIRE(id.has_value());
      REQUIRE(pairs.ValueOf(numbers[i], *id) == sets[i].Get(name));
    }
    for (std::size_t k = 0; k < sets.size(); ++k) {
      REQUIRE(pairs.Equal(numbers[i], sets[k]) == (sets[i] == sets[k]));
      REQUIRE(pairs.Less(numbers[i], numbers[k]) == (sets[i] < sets[k]));
    }
  }
}

}  // namespace
}  // namespace skep::tsdb
