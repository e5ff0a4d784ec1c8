#include "evaluator/tsdb/head.h"

#include <bit>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace skep::tsdb {
namespace {

using storage::AppendOutcome;
using storage::SeriesRef;

Sample At(std::int64_t millis, double value) { return {FromMillis(millis), value}; }

AppendOutcome Add(storage::Appender& appender, const Labels& labels, Sample sample) {
  SeriesRef ref = 0;
  return appender.Append(ref, labels, sample);
}

void AddOne(Head& head, const Labels& labels, Sample sample) {
  const auto appender = head.NewAppender();
  REQUIRE(Add(*appender, labels, sample) == AppendOutcome::kAccepted);
  REQUIRE(appender->Commit());
}

using Dump = std::map<std::string, std::vector<std::pair<std::int64_t, std::uint64_t>>>;

Dump ReadAll(storage::Querier& querier, const std::vector<Matcher>& matchers,
             storage::TimeRange range = {}) {
  Dump dump;
  auto set = querier.Select(matchers, range);
  REQUIRE(set);
  Labels before;
  while ((*set)->Next()) {
    const Labels& labels = (*set)->labels();
    CHECK((before.empty() || before < labels));
    before = labels;
    storage::SampleColumns columns;
    REQUIRE((*set)->ReadSamples(columns));
    auto& samples = dump[labels.ToString()];
    for (std::size_t i = 0; i < columns.size(); ++i) {
      samples.emplace_back(ToMillis(columns.times[i]),
                           std::bit_cast<std::uint64_t>(columns.values[i]));
    }
  }
  return dump;
}

Dump ReadAll(Head& head, const std::vector<Matcher>& matchers, storage::TimeRange range = {}) {
  const auto querier = head.NewQuerier(range);
  REQUIRE(querier);
  return ReadAll(**querier, matchers, range);
}

const std::vector<Matcher> kAll = {Matcher::Create(MatchType::kRegex, "__name__", ".+").value()};

TEST_CASE("Head shows a batch when it is committed and drops it when not", "[tsdb]") {
  Head head({});
  const Labels up{{"__name__", "up"}};
  {
    const auto appender = head.NewAppender();
    CHECK(Add(*appender, up, At(1, 1)) == AppendOutcome::kAccepted);
    CHECK(ReadAll(head, kAll).empty());
  }
  CHECK(ReadAll(head, kAll).empty());
  AddOne(head, up, At(1, 1));
  CHECK(ReadAll(head, kAll).at("up").size() == 1);
}

TEST_CASE("Head judges samples by the newest one of their series", "[tsdb]") {
  Head head({});
  const Labels a{{"__name__", "a"}};
  AddOne(head, a, At(100, 1));
  const auto appender = head.NewAppender();
  CHECK(Add(*appender, a, At(99, 1)) == AppendOutcome::kOutOfOrder);
  CHECK(Add(*appender, a, At(100, 2)) == AppendOutcome::kDuplicate);
  CHECK(Add(*appender, a, At(100, 1)) == AppendOutcome::kAccepted);  // the same again
  CHECK(Add(*appender, a, At(110, 5)) == AppendOutcome::kAccepted);
  // Also within one batch.
  CHECK(Add(*appender, a, At(110, 6)) == AppendOutcome::kDuplicate);
  CHECK(Add(*appender, a, At(105, 6)) == AppendOutcome::kOutOfOrder);
  CHECK(Add(*appender, a, At(120, kStaleNaN)) == AppendOutcome::kAccepted);
  CHECK(Add(*appender, a, At(120, kStaleNaN)) == AppendOutcome::kAccepted);
  CHECK(Add(*appender, a, At(120, kNormalNaN)) == AppendOutcome::kDuplicate);
  REQUIRE(appender->Commit());
  CHECK(ReadAll(head, kAll).at("a") == std::vector<std::pair<std::int64_t, std::uint64_t>>{
                                           {100, std::bit_cast<std::uint64_t>(1.0)},
                                           {110, std::bit_cast<std::uint64_t>(5.0)},
                                           {120, kStaleNaNBits}});
  CHECK(head.counters().samples_appended == 3);
  CHECK(head.counters().samples_out_of_order == 2);
  CHECK(head.counters().samples_duplicate == 3);
}

TEST_CASE("Of two open batches with the same sample the first committed wins", "[tsdb]") {
  Head head({});
  const Labels a{{"__name__", "a"}};
  const auto first = head.NewAppender();
  const auto second = head.NewAppender();
  CHECK(Add(*first, a, At(1, 1)) == AppendOutcome::kAccepted);
  CHECK(Add(*second, a, At(1, 2)) == AppendOutcome::kAccepted);
  REQUIRE(second->Commit());
  REQUIRE(first->Commit());
  CHECK(ReadAll(head, kAll).at("a").at(0).second == std::bit_cast<std::uint64_t>(2.0));
  CHECK(head.counters().samples_out_of_order == 1);
}

TEST_CASE("A series' number spares looking at labels until the series is gone", "[tsdb]") {
  Head head({});
  const Labels a{{"__name__", "a"}};
  SeriesRef ref = 0;
  const auto append = [&](const Labels& labels, Sample sample) {
    const auto appender = head.NewAppender();
    const AppendOutcome outcome = appender->Append(ref, labels, sample);
    REQUIRE(appender->Commit());
    return outcome;
  };
  CHECK(append(a, At(1, 1)) == AppendOutcome::kAccepted);
  const SeriesRef first = ref;
  REQUIRE(first != 0);
  CHECK(append(Labels(), At(2, 2)) == AppendOutcome::kAccepted);
  CHECK(ref == first);
  head.DropBefore(FromMillis(10));
  CHECK(head.series_count() == 0);
  CHECK(append(a, At(20, 3)) == AppendOutcome::kAccepted);
  CHECK(ref != first);
  CHECK(ReadAll(head, kAll).at("a").size() == 1);
  ref = ~0ULL;  // nonsense is not found either
  CHECK(append(a, At(21, 3)) == AppendOutcome::kAccepted);
  CHECK(ref != ~0ULL);
}

TEST_CASE("A querier sees the store as it was when it was made", "[tsdb]") {
  Head head({});
  const Labels a{{"__name__", "a"}};
  const Labels b{{"__name__", "b"}};
  std::vector<std::unique_ptr<storage::Querier>> queriers;
  for (int i = 0; i < 400; ++i) {  // beyond several chunks
    if (i % 7 == 0) queriers.push_back(std::move(head.NewQuerier({})).value());
    const auto appender = head.NewAppender();
    SeriesRef ref = 0;
    (void)appender->Append(ref, a, At(i * 10, i));
    (void)appender->Append(ref, a, At(i * 10 + 5, i));
    if (i % 2 == 0) (void)Add(*appender, b, At(i * 10, i));
    REQUIRE(appender->Commit());
  }
  for (std::size_t q = 0; q < queriers.size(); ++q) {
    CAPTURE(q);
    const Dump dump = ReadAll(*queriers[q], kAll);
    const std::size_t rounds = q * 7;
    CHECK((rounds == 0 ? dump.at("a").empty() : dump.at("a").size() == 2 * rounds));
    CHECK(dump.at("b").size() == (rounds + 1) / 2);
  }
}

TEST_CASE("A series set outlives its querier, its head and its series", "[tsdb]") {
  auto head = std::make_unique<Head>(HeadOptions{});
  AddOne(*head, {{"__name__", "a"}}, At(1, 1));
  auto querier = head->NewQuerier({});
  auto set = (*querier)->Select(kAll, {});
  auto appender = head->NewAppender();
  CHECK(Add(*appender, {{"__name__", "b"}}, At(1, 1)) == AppendOutcome::kAccepted);
  querier->reset();
  head->DropBefore(FromMillis(100));
  head.reset();
  REQUIRE((*set)->Next());
  CHECK((*set)->labels().metric_name() == "a");
  storage::SampleColumns columns;
  CHECK((*set)->ReadSamples(columns));
  CHECK(appender->Commit());
}

TEST_CASE("Retention forgets whole chunks, then series, and refuses what is older", "[tsdb]") {
  Head head({});
  const Labels old{{"__name__", "old"}};
  const Labels live{{"__name__", "live"}, {"x", "y"}};
  AddOne(head, old, At(0, 1));
  for (int i = 0; i < 1000; ++i) AddOne(head, live, At(i * 1000, i));
  const auto pending = head.NewAppender();
  CHECK(Add(*pending, {{"__name__", "pending"}}, At(999'000, 1)) == AppendOutcome::kAccepted);
  head.DropBefore(FromMillis(500'000));
  CHECK(head.series_count() == 2);
  const Dump dump = ReadAll(head, kAll);
  REQUIRE(dump.size() == 1);
  const auto& samples = dump.at("live{x=\"y\"}");
  CHECK(samples.front().first <= 500'000);
  CHECK(samples.front().first > 500'000 - 120'000);
  CHECK(samples.back().first == 999'000);
  CHECK(head.Status(1).min_time == FromMillis(500'000));
  REQUIRE(pending->Commit());
  CHECK(ReadAll(head, kAll).size() == 2);
  const auto appender = head.NewAppender();
  CHECK(Add(*appender, old, At(499'999, 1)) == AppendOutcome::kTooOld);
  CHECK(Add(*appender, old, At(500'000, 1)) == AppendOutcome::kAccepted);
  CHECK(head.counters().samples_too_old == 1);
  CHECK(head.counters().series_removed == 1);
}

HistogramPtr Counting(double count, CounterResetHint hint = CounterResetHint::kUnknown) {
  auto histogram = std::make_shared<Histogram>();
  histogram->reset_hint = hint;
  histogram->count = count;
  histogram->positive.Append(1, count);
  return histogram;
}

AppendOutcome AddHistogram(storage::Appender& appender, std::int64_t millis, HistogramPtr value) {
  SeriesRef ref = 0;
  return appender.AppendFull(ref, {{"__name__", "h"}},
                             {.time = FromMillis(millis),
                              .value = 0,
                              .histogram = std::move(value),
                              .start = FromMillis(millis - 5)});
}

storage::SampleColumns ReadOne(storage::Querier& querier, storage::TimeRange range = {}) {
  storage::SampleColumns columns;
  auto set = querier.Select(kAll, range);
  REQUIRE(set);
  while ((*set)->Next()) REQUIRE((*set)->ReadSamples(columns));
  return columns;
}

TEST_CASE("A series may hold histograms, floats and starts, in the order of time", "[tsdb]") {
  Head head({});
  const auto before = head.NewQuerier({});
  const auto appender = head.NewAppender();
  CHECK(AddHistogram(*appender, 10, Counting(1)) == AppendOutcome::kAccepted);
  CHECK(AddHistogram(*appender, 20, Counting(3)) == AppendOutcome::kAccepted);
  CHECK(AddHistogram(*appender, 20, Counting(3)) == AppendOutcome::kAccepted);
  CHECK(AddHistogram(*appender, 20, Counting(4)) == AppendOutcome::kDuplicate);
  CHECK(AddHistogram(*appender, 15, Counting(3)) == AppendOutcome::kOutOfOrder);
  CHECK(Add(*appender, {{"__name__", "h"}}, At(20, 3)) == AppendOutcome::kDuplicate);
  SeriesRef ref = 0;
  CHECK(appender->AppendFull(ref, {{"__name__", "h"}},
                             {FromMillis(30), 7, nullptr, FromMillis(25)}) ==
        AppendOutcome::kAccepted);
  CHECK(Add(*appender, {{"__name__", "h"}}, At(40, 8)) == AppendOutcome::kAccepted);
  CHECK(AddHistogram(*appender, 50, Counting(2)) == AppendOutcome::kAccepted);
  CHECK(AddHistogram(*appender, 60, Counting(1)) == AppendOutcome::kAccepted);
  CHECK(AddHistogram(*appender, 70, Counting(1)) == AppendOutcome::kAccepted);
  REQUIRE(appender->Commit());
  CHECK(ReadOne(**before).empty());

  const auto querier = head.NewQuerier({});
  const storage::SampleColumns all = ReadOne(**querier);
  CHECK(all.values == std::vector<double>{7, 8});
  CHECK(all.starts == std::vector<Timestamp>{FromMillis(25), kNoStart});
  REQUIRE(all.histograms.size() == 5);
  CHECK(all.histograms.starts[0] == FromMillis(5));
  // A reset is what a store never vouches for; no reset only between neighbours.
  std::vector<CounterResetHint> hints;
  for (const HistogramPtr& h : all.histograms.values) hints.push_back(h->reset_hint);
  CHECK(hints ==
        std::vector<CounterResetHint>{CounterResetHint::kUnknown, CounterResetHint::kNotReset,
                                      CounterResetHint::kUnknown, CounterResetHint::kUnknown,
                                      CounterResetHint::kNotReset});
  const storage::SampleColumns some = ReadOne(**querier, {FromMillis(20), FromMillis(50)});
  CHECK(some.size() == 2);
  CHECK(some.histograms.size() == 2);
  CHECK(head.Status(1).samples == 7);
  CHECK(head.Status(1).max_time == FromMillis(70));

  head.DropBefore(FromMillis(55));
  const storage::SampleColumns left = ReadOne(**head.NewQuerier({}));
  CHECK(left.size() == 0);
  CHECK(left.histograms.times == std::vector<Timestamp>{FromMillis(60), FromMillis(70)});
  head.DropBefore(FromMillis(80));
  CHECK(head.series_count() == 0);
}

TEST_CASE("A full store refuses new series and takes samples of old ones", "[tsdb]") {
  Head head({.max_series = 2});
  const auto appender = head.NewAppender();
  CHECK(Add(*appender, {{"__name__", "a"}}, At(1, 1)) == AppendOutcome::kAccepted);
  CHECK(Add(*appender, {{"__name__", "b"}}, At(1, 1)) == AppendOutcome::kAccepted);
  SeriesRef ref = 0;
  CHECK(appender->Append(ref, {{"__name__", "c"}}, At(1, 1)) == AppendOutcome::kLimitExceeded);
  CHECK(ref == 0);
  CHECK(Add(*appender, {{"__name__", "a"}}, At(2, 1)) == AppendOutcome::kAccepted);
  CHECK(head.counters().series_refused == 1);
}

TEST_CASE("Labels are listed, for all series or for some", "[tsdb]") {
  Head head({});
  AddOne(head, {{"__name__", "a"}, {"job", "x"}, {"zone", "1"}}, At(1, 1));
  AddOne(head, {{"__name__", "b"}, {"job", "y"}}, At(1, 1));
  const auto querier = head.NewQuerier({});
  const std::vector<Matcher> only_b = {Matcher::Equal("__name__", "b")};
  CHECK((*querier)->LabelNames({}).value() == std::vector<std::string>{"__name__", "job", "zone"});
  CHECK((*querier)->LabelNames(only_b).value() == std::vector<std::string>{"__name__", "job"});
  CHECK((*querier)->LabelValues("job", {}).value() == std::vector<std::string>{"x", "y"});
  CHECK((*querier)->LabelValues("job", only_b).value() == std::vector<std::string>{"y"});
  CHECK((*querier)->LabelValues("nosuch", {}).value().empty());
}

TEST_CASE("The status counts what is there", "[tsdb]") {
  Head head({});
  CHECK_FALSE(head.Status(10).min_time.has_value());
  for (int i = 0; i < 5; ++i) {
    AddOne(head, {{"__name__", "big"}, {"i", std::to_string(i)}}, At(i, 1));
  }
  AddOne(head, {{"__name__", "small"}}, At(77, 1));
  const HeadStatus status = head.Status(2);
  CHECK(status.series == 6);
  CHECK(status.samples == 6);
  CHECK(status.chunks == 6);
  CHECK(status.label_pairs == 7);
  CHECK(status.min_time == FromMillis(0));
  CHECK(status.max_time == FromMillis(77));
  REQUIRE(status.series_by_metric_name.size() == 2);
  CHECK(status.series_by_metric_name[0].name == "big");
  CHECK(status.series_by_metric_name[0].value == 5);
  CHECK(status.values_by_label_name[0].name == "i");
  CHECK(status.values_by_label_name[0].value == 5);
  CHECK(status.bytes_by_label_name[0].name == "__name__");
  CHECK(status.bytes_by_label_name[0].value == 5 * 11 + 13);
  CHECK(status.series_by_label_pair[0].name == "__name__=big");
}

TEST_CASE("Random appends, retention and selections agree with a plain map", "[tsdb]") {
  std::mt19937_64 random(3);
  const auto pick = [&random](std::uint64_t n) { return random() % n; };
  Head head({});
  std::map<std::string, std::map<std::int64_t, std::uint64_t>> plain;
  std::map<std::string, Labels> labels;
  std::int64_t dropped = std::numeric_limits<std::int64_t>::min();
  for (int round = 0; round < 600; ++round) {
    const auto appender = head.NewAppender();
    std::vector<std::pair<std::string, std::pair<std::int64_t, std::uint64_t>>> batch;
    for (std::uint64_t i = 0; i < pick(60); ++i) {
      const Labels set{{"__name__", "m" + std::to_string(pick(3))},
                       {"i", std::to_string(pick(40))}};
      const std::string key = set.ToString();
      labels[key] = set;
      const std::int64_t time = round * 1000 + static_cast<std::int64_t>(pick(1500)) - 300;
      const double value =
          pick(4) ? static_cast<double>(pick(100)) : std::bit_cast<double>(random());
      const AppendOutcome outcome = Add(*appender, set, At(time, value));
      std::int64_t newest = std::numeric_limits<std::int64_t>::min();
      if (!plain[key].empty()) newest = plain[key].rbegin()->first;
      for (const auto& [k, sample] : batch) {
        if (k == key) newest = std::max(newest, sample.first);
      }
      CAPTURE(round, key, time, newest);
      if (time < dropped) {
        CHECK(outcome == AppendOutcome::kTooOld);
      } else if (time > newest) {
        CHECK(outcome == AppendOutcome::kAccepted);
        batch.emplace_back(key, std::pair(time, std::bit_cast<std::uint64_t>(value)));
      } else if (time < newest) {
        CHECK(outcome == AppendOutcome::kOutOfOrder);
      }
    }
    if (pick(5) > 0) {
      REQUIRE(appender->Commit());
      for (const auto& [key, sample] : batch) plain[key].insert(sample);
    }
    if (round % 50 == 49) {
      dropped = (round - 100) * 1000;
      head.DropBefore(FromMillis(dropped));
      // Chunks that overlap stay whole: only what is newer is compared below. A series without
      // newer samples is forgotten, and may begin again.
      for (auto& [key, samples] : plain) {
        if (!samples.empty() && samples.rbegin()->first < dropped) samples.clear();
      }
    }
    if (round % 20 != 0) continue;
    const std::int64_t from = std::max(dropped, static_cast<std::int64_t>(pick(600)) * 1000);
    const std::int64_t to = from + static_cast<std::int64_t>(pick(300'000));
    const std::vector<Matcher> matchers = {
        Matcher::Equal("__name__", "m1"),
        Matcher::Create(MatchType::kRegex, "i", pick(2) ? "1.*|2|33" : ".*[05]").value()};
    const Dump dump = ReadAll(head, matchers, {FromMillis(from), FromMillis(to)});
    for (const auto& [key, samples] : plain) {
      if (!MatchesAll(matchers, labels[key])) continue;
      std::vector<std::pair<std::int64_t, std::uint64_t>> expected(samples.lower_bound(from),
                                                                   samples.upper_bound(to));
      CAPTURE(round, key, from, to);
      const auto found = dump.find(key);
      if (found == dump.end()) {
        CHECK(expected.empty());
      } else {
        CHECK(found->second == expected);
      }
    }
  }
}

TEST_CASE("A sample that comes twice in a batch counts once, though another batch came between") {
  Head head({});
  const Labels labels{{"__name__", "m"}};
  storage::SeriesRef ref = 0;
  const auto one = head.NewAppender();
  const auto other = head.NewAppender();
  const Sample sample{FromMillis(1000), 1};
  CHECK(one->Append(ref, labels, sample) == storage::AppendOutcome::kAccepted);
  CHECK(other->Append(ref, labels, {FromMillis(500), 2}) == storage::AppendOutcome::kAccepted);
  static_cast<void>(one->Append(ref, labels, sample));
  REQUIRE(other->Commit());
  REQUIRE(one->Commit());
  const auto querier = head.NewQuerier({});
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kEqual, "__name__", "m").value()};
  auto set = (*querier)->Select(all, {});
  REQUIRE((*set)->Next());
  storage::SampleColumns columns;
  REQUIRE((*set)->ReadSamples(columns));
  CHECK(columns.values == std::vector<double>{2, 1});
}

}  // namespace
}  // namespace skep::tsdb
