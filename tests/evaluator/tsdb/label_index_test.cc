#include "evaluator/tsdb/label_index.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace skep::tsdb {
namespace {

// Label sets at the place of their number.
struct Fixture {
  LabelIndex index;
  std::vector<Labels> labels{Labels()};  // number 0 stays free
  std::vector<std::vector<PairId>> pairs{{}};

  void Add(const Labels& set) {
    const auto numbers = index.Intern(set);
    pairs.emplace_back(numbers.begin(), numbers.end());
    index.Add(pairs.back(), static_cast<std::uint32_t>(labels.size()));
    labels.push_back(set);
  }
  void Remove(const Postings& series) {
    std::vector<PairId> gone;
    for (const std::uint32_t one : series) {
      gone.insert(gone.end(), pairs[one].begin(), pairs[one].end());
    }
    index.Remove(series, std::move(gone));
  }
  Postings Select(const std::vector<Matcher>& matchers) const {
    return index.Select(matchers, [this](std::uint32_t series) -> std::span<const PairId> {
      return pairs[series];
    });
  }
  // The plain way.
  Postings Scan(const std::vector<Matcher>& matchers) const {
    Postings found;
    for (const std::uint32_t series : index.all()) {
      if (MatchesAll(matchers, labels[series])) found.push_back(series);
    }
    return found;
  }
};

Matcher Make(MatchType type, std::string_view name, std::string_view value) {
  return Matcher::Create(type, name, value).value();
}

TEST_CASE("Random selections find what a scan finds", "[tsdb]") {
  std::mt19937 random(11);
  const auto pick = [&random](std::size_t n) { return random() % n; };
  Fixture fixture;
  for (int i = 0; i < 2000; ++i) {
    LabelsBuilder builder;
    builder.Set("__name__", "m" + std::to_string(pick(5)));
    if (pick(2)) builder.Set("a", "v" + std::to_string(pick(20)));
    if (pick(3)) builder.Set("b", std::to_string(pick(3)));
    builder.Set("id", std::to_string(i));
    fixture.Add(builder.Build());
  }
  const std::vector<std::string> names = {"__name__", "a", "b", "id", "none"};
  const std::vector<std::string> values = {"",     "m1",      "v3",   "1",          "v1|v2|x",
                                           "v1.*", ".*",      ".+",   "m[12]",      "(v3|)",
                                           "1?",   "1[0-9]*", "v.*5", "m1|m2|m3|m1"};
  for (int round = 0; round < 3000; ++round) {
    std::vector<Matcher> matchers;
    for (std::size_t i = 0; i <= pick(3); ++i) {
      matchers.push_back(Make(static_cast<MatchType>(pick(4)), names[pick(names.size())],
                              values[pick(values.size())]));
    }
    CAPTURE(matchers.front().ToString(), matchers.back().ToString(), matchers.size());
    REQUIRE(fixture.Select(matchers) == fixture.Scan(matchers));
    if (round % 300 == 299) {
      // Every now and then some series go.
      Postings gone;
      for (const std::uint32_t series : fixture.index.all()) {
        if (pick(10) == 0) gone.push_back(series);
      }
      fixture.Remove(gone);
    }
  }
}

TEST_CASE("Names and values vanish with their last series", "[tsdb]") {
  Fixture fixture;
  fixture.Add({{"a", "1"}, {"b", "x"}});
  fixture.Add({{"a", "2"}});
  CHECK(fixture.index.Names() == std::vector<std::string>{"a", "b"});
  CHECK(fixture.index.Values("a") == std::vector<std::string>{"1", "2"});
  CHECK(fixture.index.Values("c").empty());
  CHECK(fixture.index.pair_count() == 3);
  fixture.Remove({1});
  CHECK(fixture.index.Names() == std::vector<std::string>{"a"});
  CHECK(fixture.index.Values("a") == std::vector<std::string>{"2"});
  CHECK(Postings(fixture.index.all().begin(), fixture.index.all().end()) == Postings{2});
  CHECK(fixture.index.pairs().size() == 1);
}

TEST_CASE("Pairs that no series got are released, the others stay", "[tsdb]") {
  Fixture fixture;
  fixture.Add({{"a", "1"}});
  (void)fixture.index.Intern({{"a", "2"}, {"b", "never used"}});
  CHECK(fixture.index.pair_count() == 3);
  fixture.index.ReleaseUnused();
  CHECK(fixture.index.pair_count() == 1);
  CHECK(fixture.index.Names() == std::vector<std::string>{"a"});
  CHECK(fixture.index.Values("a") == std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace skep::tsdb
