#include "evaluator/engine/label_key.h"

#include <catch2/catch.hpp>
#include <deque>
#include <map>
#include <string>

namespace skep::engine {
namespace {

const Labels kA{{"__name__", "m"}, {"job", "x"}, {"pod", "1"}};
const Labels kB{{"__name__", "n"}, {"job", "x"}, {"pod", "2"}};
const Labels kC{{"__name__", "m"}, {"pod", "1"}};

TEST_CASE("A choice of labels compares and picks only those", "[engine]") {
  const LabelChoice job = LabelChoice::Only({"job"});
  CHECK(job.Equal(kA, kB));
  CHECK(job.Hash(kA) == job.Hash(kB));
  CHECK_FALSE(job.Equal(kA, kC));
  CHECK(job.Pick(kA) == Labels{{"job", "x"}});
  CHECK(job.Pick(kC) == Labels{});
  CHECK_FALSE(job.TakesMetadata());

  const LabelChoice rest = LabelChoice::AllBut({"pod", "__name__", "pod"});
  CHECK(rest.Equal(kA, kB));
  CHECK(rest.Pick(kA) == Labels{{"job", "x"}});
  CHECK(rest.TakesMetadata());  // __type__ is another
  CHECK(LabelChoice::Only({}).Equal(kA, kC));
  CHECK(LabelChoice::Only({"__name__"}).TakesMetadata());
}

TEST_CASE("Label and value do not run into each other", "[engine]") {
  const LabelChoice all = LabelChoice::AllBut({});
  const Labels a{{"ab", "c"}};
  const Labels b{{"a", "bc"}};
  CHECK(all.Hash(a) != all.Hash(b));
  CHECK_FALSE(all.Equal(a, b));
}

TEST_CASE("Equal choices get equal numbers, in the order of first appearance", "[engine]") {
  LabelIndex index(LabelChoice::Only({"job"}));
  CHECK_FALSE(index.Find(kA));
  CHECK(index.Add(kC) == 0);
  CHECK(index.Add(kA) == 1);
  CHECK(index.Add(kB) == 1);
  CHECK(index.size() == 2);
  CHECK(&index.first(1) == &kA);
  CHECK(index.Find(kB) == std::optional<std::size_t>(1));
  CHECK_FALSE(index.Find(Labels{{"job", "y"}}));
}

TEST_CASE("An index agrees with a map over many label sets", "[engine]") {
  LabelIndex index(LabelChoice::AllBut({"pod"}));
  std::map<Labels, std::size_t> plain;
  std::deque<Labels> sets;
  for (int i = 0; i < 5000; ++i) {
    const Labels& labels = sets.emplace_back(
        Labels{{"job", std::to_string(i * 7919 % 1000)}, {"pod", std::to_string(i)}});
    const Labels picked = index.choice().Pick(labels);
    const std::size_t expected = plain.try_emplace(picked, plain.size()).first->second;
    REQUIRE(index.Add(labels) == expected);
  }
  CHECK(index.size() == plain.size());
}

}  // namespace
}  // namespace skep::engine
