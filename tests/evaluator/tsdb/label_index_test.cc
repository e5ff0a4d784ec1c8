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

  void Add(const Labels& set) {
    index.Add(set, static_cast<std::uint32_t>(labels.size()));
    labels.push_back(set);
  }
  Postings Select(const std::vector<Matcher>& matchers) const {
    return index.Select(matchers, [this](std::uint32_t series, std::string_view name) {
      return labels[series].Get(name);
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
      std::vector<const Labels*> labels;
      for (const std::uint32_t series : fixture.index.all()) {
        if (pick(10) > 0) continue;
        gone.push_back(series);
        labels.push_back(&fixture.labels[series]);
      }
      fixture.index.Remove(gone, labels);
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
  fixture.index.Remove({1}, std::vector<const Labels*>{&fixture.labels[1]});
  CHECK(fixture.index.Names() == std::vector<std::string>{"a"});
  CHECK(fixture.index.Values("a") == std::vector<std::string>{"2"});
  CHECK(fixture.index.all() == Postings{2});
}

}  // namespace
}  // namespace skep::tsdb
