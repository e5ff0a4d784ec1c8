// Labels of series that come and go, as answers, kept selects and lists of labels have them.
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

Timestamp At(int seconds) { return Timestamp(std::chrono::seconds(seconds)); }

void Append(Head& head, const Labels& labels, Timestamp time) {
  const auto appender = head.NewAppender();
  storage::SeriesRef ref = 0;
  REQUIRE(appender->Append(ref, labels, {time, 1}) == storage::AppendOutcome::kAccepted);
  REQUIRE(appender->Commit());
}

const std::vector<Matcher>& Everything() {
  static const std::vector<Matcher> kMatchers = {
      Matcher::Create(MatchType::kRegex, "__name__", ".+").value()};
  return kMatchers;
}

std::vector<Labels> ReadAll(storage::SeriesSet& set) {
  std::vector<Labels> labels;
  while (set.Next()) labels.push_back(set.labels());
  return labels;
}

std::unique_ptr<storage::SeriesSet> Select(Head& head) {
  auto set = (*head.NewQuerier({}))->Select(Everything(), {});
  REQUIRE(set);
  return *std::move(set);
}

TEST_CASE("An answer has the labels of series that left the head, though others have their place",
          "[tsdb]") {
  Head head({});
  const std::vector<Labels> old = {{{"__name__", "old"}, {"id", "a rather long value of a label"}},
                                   {{"__name__", "old"}, {"id", "b"}}};
  for (const Labels& labels : old) Append(head, labels, At(10));
  const auto before = Select(head);
  const auto late = Select(head);
  REQUIRE(before->Next());
  CHECK(before->labels() == old[0]);
  head.DropBefore(At(20));
  CHECK(head.series_count() == 0);
  for (int i = 0; i < 10; ++i)
    Append(head, {{"__name__", "new"}, {"n", std::to_string(i)}}, At(30));

  CHECK(before->labels() == old[0]);  // made before
  REQUIRE(before->Next());
  CHECK(before->labels() == old[1]);  // made now
  CHECK(before->CopyLabels(0) == old[0]);
  CHECK(ReadAll(*late) == old);
  CHECK(ReadAll(*Select(head)).size() == 10);
}

TEST_CASE("Labels can be asked for at their place, in any order and after the end", "[tsdb]") {
  Head head({});
  for (int i = 0; i < 5; ++i) Append(head, {{"__name__", "m"}, {"i", std::to_string(i)}}, At(1));
  const auto set = Select(head);
  std::vector<std::uint32_t> places;
  while (set->Next()) places.push_back(set->place());
  REQUIRE(places.size() == 5);
  for (const std::uint32_t i : {4U, 0U, 2U}) {
    const Labels& labels = set->LabelsAt(places[i]);
    CHECK(labels.Get("i") == std::to_string(i));
    CHECK(set->CopyLabels(places[i]) == labels);
    CHECK(&set->LabelsAt(places[i]) == &labels);
  }
}

// The head, and what it should say.
class Churn {
 public:
  // Some series get a sample, some of them new.
  void AppendSome() {
    ++now_;
    const auto appender = head_.NewAppender();
    for (int i = 0; i < 40; ++i) {
      const Labels labels = RandomLabels();
      storage::SeriesRef ref = 0;
      (void)appender->Append(ref, labels, {At(now_), 1});
      model_[labels] = now_;
    }
    REQUIRE(appender->Commit());
  }
  void Retain() {
    head_.DropBefore(At(now_ - 4));
    std::erase_if(model_, [this](const auto& series) { return series.second < now_ - 4; });
  }
  void Check() {
    const std::vector<Labels> expected = Expected();
    REQUIRE(head_.series_count() == expected.size());
    REQUIRE(ReadAll(*Select(head_)) == expected);
    auto again = (*head_.NewQuerier({}))->SelectAgain(Everything(), {}, kept_);
    REQUIRE(again);
    REQUIRE(ReadAll(**again) == expected);
    CheckLists(expected);
  }
  std::vector<Labels> Expected() const {
    std::vector<Labels> all;
    for (const auto& [labels, time] : model_) all.push_back(labels);
    return all;
  }
  Head& head() { return head_; }

 private:
  struct Order {
    bool operator()(const Labels& a, const Labels& b) const { return a < b; }
  };

  Labels RandomLabels() {
    LabelsBuilder builder;
    builder.Set("__name__", "m" + std::to_string(random_() % 3));
    builder.Set("job", "job-of-a-long-name-" + std::to_string(random_() % 4));
    if (random_() % 2 == 0)
      builder.Set("pod", std::to_string(now_) + "-" + std::to_string(random_() % 9));
    if (random_() % 9 == 0) builder.Set("rare_" + std::to_string(now_ / 3), "x");
    return builder.Build();
  }
  void CheckLists(const std::vector<Labels>& expected) {
    std::map<std::string, std::set<std::string>> values;
    std::size_t pairs = 0;
    for (const Labels& labels : expected) {
      for (const auto& [name, value] : labels) {
        pairs += values[std::string(name)].emplace(value).second ? 1 : 0;
      }
    }
    const auto querier = head_.NewQuerier({});
    std::vector<std::string> names;
    for (const auto& [name, list] : values) {
      names.push_back(name);
      const std::vector<std::string> sorted(list.begin(), list.end());
      REQUIRE((*querier)->LabelValues(name, {}).value() == sorted);
      REQUIRE((*querier)->LabelValues(name, Everything()).value() == sorted);
    }
    REQUIRE((*querier)->LabelNames({}).value() == names);
    REQUIRE((*querier)->LabelNames(Everything()).value() == names);
    REQUIRE(head_.Status(1).label_pairs == pairs);
  }

  std::mt19937 random_{17};
  Head head_{{}};
  std::unique_ptr<storage::KeptSelect> kept_;
  std::map<Labels, int, Order> model_;  // and the time of the newest sample
  int now_ = 100;
};

TEST_CASE("Label sets that come and go at random are those of a plain map", "[tsdb]") {
  Churn churn;
  struct Held {
    std::unique_ptr<storage::SeriesSet> set;
    std::vector<Labels> expected;
  };
  std::vector<Held> held;  // answers that are read some rounds later
  const int rounds = test::Many(120);
  for (int round = 0; round < rounds; ++round) {
    churn.AppendSome();
    if (round % 3 == 0) held.push_back({Select(churn.head()), churn.Expected()});
    if (round % 2 == 0) churn.Retain();
    churn.Check();
    if (held.size() < 4) continue;
    REQUIRE(ReadAll(*held.front().set) == held.front().expected);
    held.erase(held.begin());
  }
}

}  // namespace
}  // namespace skep::tsdb
