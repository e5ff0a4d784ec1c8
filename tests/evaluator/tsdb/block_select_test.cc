#include <catch2/catch.hpp>
#include <set>

#include "tests/evaluator/tsdb/block_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

// A block of series with one sample each, and their labels by ordinal.
struct Fixture {
  explicit Fixture(std::vector<Labels> all) : labels(std::move(all)) {
    std::sort(labels.begin(), labels.end());
    SeriesMap series;
    for (const Labels& set : labels) {
      series[set].times.push_back(FromMillis(1));
      series[set].values.push_back(1);
    }
    WriteBlock(disk, "a.block", series);
    block = Block::Open(disk, "a.block").value();
  }

  Postings Scan(const std::vector<Matcher>& matchers) const {
    Postings found;
    for (std::uint32_t i = 0; i < labels.size(); ++i) {
      if (MatchesAll(matchers, labels[i])) found.push_back(i);
    }
    return found;
  }

  test::MemoryDisk disk;
  std::vector<Labels> labels;
  std::shared_ptr<const Block> block;
};

Fixture RandomFixture(std::mt19937& random, std::size_t count) {
  const auto pick = [&random](std::size_t n) { return random() % n; };
  std::vector<Labels> all;
  for (std::size_t i = 0; i < count; ++i) {
    LabelsBuilder builder;
    builder.Set("__name__", "m" + std::to_string(pick(5)));
    if (pick(2)) builder.Set("a", "v" + std::to_string(pick(20)));
    if (pick(3)) builder.Set("b", std::to_string(pick(3)));
    builder.Set("id", std::to_string(i));
    all.push_back(builder.Build());
  }
  return Fixture(std::move(all));
}

std::vector<Matcher> RandomMatchers(std::mt19937& random) {
  static const std::vector<std::string> names = {"__name__", "a", "b", "id", "none"};
  static const std::vector<std::string> values = {
      "",   "m1",    "v3",    "1",  "v1|v2|x", "v1.*", ".*",          ".+",  "m9",
      "m0", "m[12]", "(v3|)", "1?", "1[0-9]*", "v.*5", "m1|m2|m3|m1", "(.+)"};
  std::vector<Matcher> matchers;
  for (std::size_t i = 0; i <= random() % 3; ++i) {
    matchers.push_back(Matcher::Create(static_cast<MatchType>(random() % 4),
                                       names[random() % names.size()],
                                       values[random() % values.size()])
                           .value());
  }
  return matchers;
}

TEST_CASE("Random selections of a block find what a scan finds", "[tsdb]") {
  std::mt19937 random(11);
  const Fixture fixture = RandomFixture(random, 1000);
  for (int round = 0; round < test::Many(2000); ++round) {
    const std::vector<Matcher> matchers = RandomMatchers(random);
    CAPTURE(matchers.front().ToString(), matchers.back().ToString(), matchers.size());
    const Postings found = fixture.block->Select(matchers).value();
    REQUIRE(found == fixture.Scan(matchers));
    if (round % 10 > 0) continue;
    std::set<std::string> names, values;
    for (const std::uint32_t series : found) {
      for (const auto& [name, value] : fixture.labels[series]) names.emplace(name);
      if (fixture.labels[series].Has("a")) values.emplace(fixture.labels[series].Get("a"));
    }
    REQUIRE(fixture.block->LabelNames(matchers).value() ==
            std::vector<std::string>(names.begin(), names.end()));
    REQUIRE(fixture.block->LabelValues("a", matchers).value() ==
            std::vector<std::string>(values.begin(), values.end()));
  }
  CHECK(fixture.block->Select({}).value().size() == 1000);
  CHECK(fixture.block->LabelNames({}).value() ==
        std::vector<std::string>{"__name__", "a", "b", "id"});
  CHECK(fixture.block->LabelValues("b", {}).value() == std::vector<std::string>{"0", "1", "2"});
  CHECK(fixture.block->LabelValues("none", {}).value().empty());
}

TEST_CASE("Each value of a label with very many is found, and none beside them", "[tsdb]") {
  std::vector<Labels> all;
  for (int i = 0; i < 700; ++i) {
    all.push_back({{"__name__", "m"},
                   {"id", std::string(static_cast<std::size_t>(i % 40), 'x') + std::to_string(i)}});
  }
  const Fixture fixture(all);
  for (const Labels& labels : all) {
    const std::string value(labels.Get("id"));
    const auto found = fixture.block->Select(std::vector{Matcher::Equal("id", value)}).value();
    REQUIRE(found.size() == 1);
    CHECK(fixture.block->LabelsOf(found.front()).value() == labels);
    for (const std::string& other : {value + "x", value.substr(1) + "!", "!" + value}) {
      CHECK(fixture.block->Select(std::vector{Matcher::Equal("id", other)}).value() ==
            fixture.Scan({Matcher::Equal("id", other)}));
    }
  }
}

}  // namespace
}  // namespace skep::tsdb
