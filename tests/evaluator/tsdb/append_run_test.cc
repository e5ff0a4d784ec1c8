// Samples offered as a run, beside the same ones offered one by one.
#include <bit>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "common/model/sample.h"
#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

using storage::AppendOutcome;
using storage::KnownSample;
using storage::RunException;

Labels LabelsOf(int series) { return {{"__name__", "m"}, {"series", std::to_string(series)}}; }

using Row = std::tuple<std::string, std::int64_t, std::uint64_t>;

std::vector<Row> ReadAll(Head& head) {
  std::vector<Row> rows;
  const auto querier = head.NewQuerier({});
  REQUIRE(querier);
  const std::vector<Matcher> all = {Matcher::Equal("__name__", "m")};
  auto set = (*querier)->Select(all, {});
  REQUIRE(set);
  while ((*set)->Next()) {
    storage::SampleColumns columns;
    REQUIRE((*set)->ReadSamples(columns));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      rows.emplace_back((*set)->labels().ToString(), ToMillis(columns.times[i]),
                        std::bit_cast<std::uint64_t>(columns.values[i]));
    }
  }
  return rows;
}

// What AppendKnown says of each.
std::vector<RunException> OneByOne(storage::Appender& batch, Timestamp time,
                                   const std::vector<KnownSample>& run) {
  std::vector<RunException> exceptions;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const std::optional<AppendOutcome> outcome =
        batch.AppendKnown(run[i].ref, {time, run[i].value});
    if (outcome != AppendOutcome::kAccepted) exceptions.push_back({i, outcome});
  }
  return exceptions;
}

// The same series under the same numbers.
class TwoHeads {
 public:
  explicit TwoHeads(int series) {
    for (Head* head : {&plain_, &runs_}) {
      head->SetOutOfOrderWindow(std::chrono::seconds(5));
      const auto batch = head->NewAppender();
      for (int i = 0; i < series; ++i) {
        storage::SeriesRef ref = 0;
        REQUIRE(batch->Append(ref, LabelsOf(i), {FromMillis(0), 0}) == AppendOutcome::kAccepted);
        REQUIRE(ref == static_cast<storage::SeriesRef>(i) + 1);
      }
      REQUIRE(batch->Commit());
    }
  }

  // A batch of each, not committed.
  struct Pair {
    std::unique_ptr<storage::Appender> plain, runs;

    void Offer(Timestamp time, const std::vector<KnownSample>& run) const {
      const std::vector<RunException> expected = OneByOne(*plain, time, run);
      std::vector<RunException> found;
      runs->AppendRun(time, run, found);
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(found[i].index == expected[i].index);
        CHECK(found[i].outcome == expected[i].outcome);
      }
    }
    void Commit() const {
      REQUIRE(plain->Commit());
      REQUIRE(runs->Commit());
    }
  };
  Pair Begin() { return {plain_.NewAppender(), runs_.NewAppender()}; }
  void Compare() { CHECK(ReadAll(plain_) == ReadAll(runs_)); }

 private:
  Head plain_{{}}, runs_{{}};
};

TEST_CASE("A run of samples fares as its samples would one by one", "[tsdb]") {
  constexpr int kSeries = 150;
  TwoHeads heads(kSeries);
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  const auto run = [&random] {
    std::vector<KnownSample> samples;
    const std::size_t from = random() % kSeries;
    const std::size_t size = random() % kSeries;
    for (std::size_t i = 0; i < size; ++i) {
      // Mostly the next one; some twice, some that the store does not have.
      const std::size_t number = random() % 10 == 0 ? random() % (kSeries + 9) : from + i;
      samples.push_back({number, static_cast<double>(random() % 3)});
    }
    return samples;
  };
  std::int64_t millis = 1000;
  std::vector<TwoHeads::Pair> open;
  for (int i = 0; i < test::Many(400); ++i) {
    millis += static_cast<std::int64_t>(random() % 4) * 1000;
    const std::int64_t back = random() % 5 == 0 ? static_cast<std::int64_t>(random() % 9000) : 0;
    open.push_back(heads.Begin());
    open.back().Offer(FromMillis(millis - back), run());
    if (random() % 2 == 0) open.back().Offer(FromMillis(millis), run());
    while (open.size() > random() % 3) {  // others stay open while this one is committed
      const std::size_t at = random() % open.size();
      open[at].Commit();
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  for (const TwoHeads::Pair& batch : open) batch.Commit();
  heads.Compare();
}

}  // namespace
}  // namespace skep::tsdb
