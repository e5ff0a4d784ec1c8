#include "evaluator/tsdb/kept_series.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>

#include "evaluator/tsdb/head.h"

namespace skep::tsdb {
namespace {

Timestamp At(int seconds) { return Timestamp(std::chrono::seconds(seconds)); }

void Append(Head& head, const Labels& labels, Timestamp time) {
  const auto appender = head.NewAppender();
  storage::SeriesRef ref = 0;
  REQUIRE(appender->Append(ref, labels, {time, 1}) == storage::AppendOutcome::kAccepted);
  REQUIRE(appender->Commit());
}

Labels Pod(int number, const char* name = "m") {
  return {{"__name__", name}, {"pod", std::to_string(number)}};
}

// What one selector gives: label sets that have samples, in order, and the slots of all.
struct Answer {
  std::vector<std::string> labels;
  std::map<std::string, std::uint32_t> slots;
};

Answer Read(storage::SeriesSet& set) {
  Answer answer;
  std::set<std::uint32_t> distinct;
  while (set.Next()) {
    distinct.insert(set.slot());
    answer.slots[set.labels().ToString()] = set.slot();
    storage::SampleColumns columns;
    REQUIRE(set.ReadSamples(columns));
    if (!columns.empty()) answer.labels.push_back(set.labels().ToString());
  }
  if (!distinct.contains(0)) CHECK(distinct.size() == answer.slots.size());
  return answer;
}

const std::vector<Matcher>& Matchers() {
  static const std::vector<Matcher> kMatchers = {*Matcher::Create(MatchType::kNotEqual, "pod", "7"),
                                                 Matcher::Equal("__name__", "m")};
  return kMatchers;
}

Answer Again(Head& head, std::unique_ptr<storage::KeptSelect>& kept,
             storage::TimeRange range = {}) {
  const auto querier = head.NewQuerier({});
  const auto set = (*querier)->SelectAgain(Matchers(), range, kept);
  REQUIRE(set);
  return Read(**set);
}

Answer Plain(Head& head, storage::TimeRange range = {}) {
  const auto querier = head.NewQuerier({});
  const auto set = (*querier)->Select(Matchers(), range);
  REQUIRE(set);
  return Read(**set);
}

TEST_CASE("A kept select sees series that come, go and come back, each with its slot", "[tsdb]") {
  Head head({});
  std::unique_ptr<storage::KeptSelect> kept;
  CHECK(Again(head, kept).labels.empty());
  for (int pod : {5, 1, 7, 9}) Append(head, Pod(pod), At(10));
  Append(head, Pod(2, "other"), At(10));
  const Answer first = Again(head, kept);
  CHECK(first.labels == std::vector<std::string>{"m{pod=\"1\"}", "m{pod=\"5\"}", "m{pod=\"9\"}"});

  Append(head, Pod(3), At(20));
  Append(head, Pod(9), At(20));
  const Answer grown = Again(head, kept);
  CHECK(grown.labels == Plain(head).labels);
  CHECK(grown.labels.size() == 4);
  for (const auto& [labels, slot] : first.slots) CHECK(grown.slots.at(labels) == slot);

  head.DropBefore(At(15));
  CHECK(Again(head, kept).labels == std::vector<std::string>{"m{pod=\"3\"}", "m{pod=\"9\"}"});
  Append(head, Pod(5), At(30));
  const Answer back = Again(head, kept);
  CHECK(back.labels == Plain(head).labels);
  CHECK(back.slots.at("m{pod=\"5\"}") != first.slots.at("m{pod=\"5\"}"));
  CHECK(Plain(head).slots.at("m{pod=\"5\"}") == 0);
}

TEST_CASE("A kept select that meets many newcomers asks the index", "[tsdb]") {
  Head head({});
  std::unique_ptr<storage::KeptSelect> kept;
  int next = 0;
  for (const int newcomers : {3, 700, 2, 600}) {
    CAPTURE(newcomers);
    for (int i = 0; i < newcomers; ++i, ++next) {
      Append(head, Pod(next * 7919 % 100'000, next % 2 == 0 ? "m" : "other"), At(10));
    }
    const Answer again = Again(head, kept);
    CHECK(again.labels == Plain(head).labels);
    CHECK(again.slots.size() == again.labels.size());
  }
}

TEST_CASE("Slots of deleted series are given out anew, in another generation", "[tsdb]") {
  Head head({});
  std::unique_ptr<storage::KeptSelect> kept;
  std::set<std::uint64_t> generations;
  std::uint32_t highest = 0;
  for (int wave = 1; wave <= 12; ++wave) {
    for (int i = 0; i < 200; ++i) Append(head, Pod(wave * 1000 + i), At(wave * 10));
    head.DropBefore(At(wave * 10));
    const Answer again = Again(head, kept);
    CHECK(again.labels == Plain(head).labels);
    for (const auto& [labels, slot] : again.slots) highest = std::max(highest, slot);
    generations.insert(kept->generation());
  }
  CHECK(generations.size() == 2);
  CHECK(!generations.contains(0));
  CHECK(highest < 2000);
}

storage::TimeRange From(int seconds) { return {At(seconds), kMaxTimestamp}; }

// Asks until the ages of all series were looked at. The series of the last answer, with and without
// samples.
std::size_t KeptAfterLook(Head& head, std::unique_ptr<storage::KeptSelect>& kept,
                          storage::TimeRange range) {
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < KeptSeries::kLookEvery; ++i) {
    const Answer again = Again(head, kept, range);
    CHECK(again.labels == Plain(head, range).labels);
    size = again.slots.size();
  }
  return size;
}

TEST_CASE("A kept select leaves out series that ended, until they have samples again", "[tsdb]") {
  Head head({});
  std::unique_ptr<storage::KeptSelect> kept;
  std::unique_ptr<storage::KeptSelect> other;
  for (int pod : {1, 2, 3, 4}) Append(head, Pod(pod), At(10));
  for (int pod : {2, 4}) Append(head, Pod(pod), At(100));
  CHECK(KeptAfterLook(head, kept, From(10)) == 4);
  CHECK(KeptAfterLook(head, kept, From(11)) == 2);
  CHECK(KeptAfterLook(head, other, From(11)) == 2);

  Append(head, Pod(3), At(110));
  Append(head, Pod(4), At(110));
  for (auto* select : {&kept, &other}) {
    const Answer back = Again(head, *select, From(11));
    CHECK(back.slots.size() == 3);
    CHECK(back.labels == Plain(head, From(11)).labels);
  }
  Append(head, Pod(3), At(120));
  CHECK(Again(head, kept, From(11)).slots.size() == 3);
}

TEST_CASE("A kept select that is asked for earlier times has its old series again", "[tsdb]") {
  Head head({});
  std::unique_ptr<storage::KeptSelect> kept;
  for (int pod : {1, 2, 3}) Append(head, Pod(pod), At(pod * 10));
  CHECK(KeptAfterLook(head, kept, From(25)) == 1);
  CHECK(Again(head, kept, From(21)).slots.size() == 1);
  CHECK(Again(head, kept, From(20)).labels == Plain(head, From(20)).labels);
  CHECK(Again(head, kept, From(5)).labels.size() == 3);
}

TEST_CASE("A kept select notices when more series come back than anybody remembers", "[tsdb]") {
  Head head({});
  std::unique_ptr<storage::KeptSelect> kept;
  const auto append_all = [&head](int pods, Timestamp time) {
    const auto appender = head.NewAppender();
    for (int pod = 0; pod < pods; ++pod) {
      storage::SeriesRef ref = 0;
      (void)appender->Append(ref, Pod(pod, pod % 100 == 0 ? "m" : "other"), {time, 1});
    }
    REQUIRE(appender->Commit());
  };
  append_all(66'000, At(10));
  const std::vector<Matcher> everything = {Matcher::Equal("__name__", "other")};
  std::unique_ptr<storage::KeptSelect> others;
  for (std::uint32_t i = 0; i < KeptSeries::kLookEvery; ++i) {
    const auto querier = head.NewQuerier({});
    REQUIRE((*querier)->SelectAgain(everything, From(20), others));
  }
  CHECK(KeptAfterLook(head, kept, From(20)) == 0);
  for (const int pods : {1000, 66'000}) {
    append_all(pods, At(pods));
    const Answer back = Again(head, kept, From(20));
    CHECK(back.labels.size() == static_cast<std::size_t>(pods / 100));
    CHECK(back.labels == Plain(head, From(20)).labels);
  }
}

TEST_CASE("An answer of a kept select outlives what comes after it", "[tsdb]") {
  auto head = std::make_unique<Head>(HeadOptions{});
  std::unique_ptr<storage::KeptSelect> kept;
  for (int pod : {1, 2, 3}) Append(*head, Pod(pod), At(10));
  const auto querier = head->NewQuerier({});
  auto set = (*querier)->SelectAgain(Matchers(), {}, kept);
  REQUIRE(set);
  Append(*head, Pod(4), At(20));
  head->DropBefore(At(15));
  CHECK(Again(*head, kept).slots.size() == 1);
  head.reset();
  kept.reset();
  CHECK(Read(**set).slots.size() == 3);
}

}  // namespace
}  // namespace skep::tsdb
