// Whether the parts that the head says it takes of memory are what malloc gave.
#include <malloc.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "common/model/histogram.h"
#include "evaluator/tsdb/head.h"
#include "evaluator/tsdb/series_table.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

std::size_t HeapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Labels LabelsOf(int i) {
  return {{"__name__", "http_requests_total"},
          {"agent", "agent-with-a-long-name-" + std::to_string(i)},
          {"handler", "/api/v1/items/" + std::to_string(i % 10)},
          {"instance", "10.0.0." + std::to_string(i / 100) + ":9100"},
          {"job", "service"},
          {"le", std::to_string(i % 12)}};
}

// `samples` of each series, of one target per hundred.
void Fill(Head& head, int series, int samples) {
  std::vector<storage::SeriesRef> refs(static_cast<std::size_t>(series), 0);
  for (int round = 0; round < samples; ++round) {
    for (int from = 0; from < series; from += 100) {
      const auto appender = head.NewAppender();
      for (int i = from; i < std::min(from + 100, series); ++i) {
        (void)appender->Append(refs[static_cast<std::size_t>(i)], LabelsOf(i),
                               {FromMillis(round * 5000 + from), i * 0.37 * round});
      }
      (void)appender->Commit();
    }
  }
}

void QueryAll(Head& head) {
  const auto querier = head.NewQuerier({});
  const std::vector<Matcher> all = {Matcher::Equal("job", "service")};
  REQUIRE((*querier)->Select(all, {}));
}

TEST_CASE("The parts of the head's memory are what malloc gave, within a fifth", "[tsdb]") {
  const int series = test::Many(4000);
  for (const int samples : {1, 59, 150}) {
    const std::size_t before = HeapInUse();
    Head head({});
    Fill(head, series, samples);
    QueryAll(head);
    const HeadMemory memory = head.MeasureMemory();
    const std::size_t taken = HeapInUse() - before;
    CAPTURE(samples, memory.labels, memory.index, memory.series, memory.open_runs,
            memory.sealed_chunks, memory.rare, taken);
    for (const std::uint64_t part :
         {memory.labels, memory.index, memory.series, memory.open_runs}) {
      CHECK(part > 0);
    }
    CHECK((memory.sealed_chunks > 0) == (samples > 60));
    CHECK(memory.rare == 0);
    CHECK(memory.kept_selects == 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(static_cast<double>(memory.sum()) > 0.8 * static_cast<double>(taken));
    CHECK(static_cast<double>(memory.sum()) < 1.2 * static_cast<double>(taken));
#endif
  }
}

TEST_CASE("One old reader costs the same after thousands of commits", "[tsdb]") {
  Head head({});
  Fill(head, 50, 3);
  const auto reader = head.NewQuerier({});
  Fill(head, 50, 10);
  const std::uint64_t after_few = head.MeasureMemory().rare;
  CHECK(after_few > 0);
  storage::SeriesRef refs[50] = {};
  for (int commit = 1; commit <= 3000; ++commit) {
    const auto appender = head.NewAppender();
    for (int i = 0; i < 50; ++i) {
      (void)appender->Append(refs[i], LabelsOf(i), {FromMillis(100'000 + commit), 1});
    }
    REQUIRE(appender->Commit());
  }
  CHECK(head.MeasureMemory().rare == after_few);
  const std::vector<Matcher> all = {Matcher::Equal("job", "service")};
  const auto set = (*reader)->Select(all, {});
  storage::SampleColumns columns;
  while ((*set)->Next()) REQUIRE((*set)->ReadSamples(columns));
  CHECK(columns.size() == 50 * 3);
}

TEST_CASE("Series that come and go leave nothing in memory but what they may use again", "[tsdb]") {
  Head head({});
  HeadMemory after_first;
  for (int turn = 0; turn < 6; ++turn) {
    const auto appender = head.NewAppender();
    for (int i = 0; i < 500; ++i) {
      storage::SeriesRef ref = 0;
      (void)appender->Append(
          ref,
          {{"__name__", "m"},
           {"session", "session-" + std::to_string(turn) + "-of-many-" + std::to_string(i)}},
          {FromMillis(turn * 1000 + 1), 1});
    }
    REQUIRE(appender->Commit());
    head.DropBefore(FromMillis(turn * 1000 + 2));
    CHECK(head.series_count() == 0);
    const HeadMemory memory = head.MeasureMemory();
    CHECK(memory.series == 0);
    CHECK(memory.open_runs == 0);
    if (turn == 0) after_first = memory;
    CHECK(memory.labels == after_first.labels);
    CHECK(memory.index == after_first.index);
  }
}

// A batch of new series at a time that no earlier batch has.
void AppendNew(Head& head, int turn, int series) {
  const auto appender = head.NewAppender();
  for (int i = 0; i < series; ++i) {
    storage::SeriesRef ref = 0;
    const std::string id = std::to_string(turn) + "-" + std::to_string(i);
    (void)appender->Append(ref, {{"__name__", "m"}, {"id", id}}, {FromMillis(turn + 1), 1});
  }
  REQUIRE(appender->Commit());
}

TEST_CASE("Numbers of series that are gone take no memory", "[tsdb]") {
  Head head({});
  storage::SeriesRef first = 0;
  std::uint64_t after_few = 0;
  const int turns = test::Many(24);  // one, where a sanitizer looks on
  for (int turn = 0; turn < turns; ++turn) {
    {
      // One series stays all the time.
      const auto appender = head.NewAppender();
      REQUIRE(appender->Append(first, {{"__name__", "stays"}}, {FromMillis(turn + 1), 1}) ==
              storage::AppendOutcome::kAccepted);
      REQUIRE(appender->Commit());
    }
    AppendNew(head, turn, 5000);
    REQUIRE((*head.NewQuerier({}))->Select({}, {}));
    head.DropBefore(FromMillis(turn + 1));
    REQUIRE(head.series_count() == 5001);
    // As many as a page has.
    if (turn == 8) after_few = head.MeasureMemory().index;
  }
  CHECK(first == 1);
  if (turns <= 8) return;
  CHECK(head.MeasureMemory().index <= after_few + SeriesPages::kPageSize * sizeof(void*));
}

TEST_CASE("Histograms and late samples count as rare", "[tsdb]") {
  Head head({});
  head.SetOutOfOrderWindow(std::chrono::hours(1));
  const auto append = [&head](Timestamp time, HistogramPtr histogram) {
    const auto appender = head.NewAppender();
    storage::SeriesRef ref = 0;
    const Labels labels = {{"__name__", histogram == nullptr ? "f" : "h"}};
    (void)appender->AppendFull(ref, labels, {.time = time, .value = 1, .histogram = histogram});
    REQUIRE(appender->Commit());
  };
  append(FromMillis(2000), nullptr);
  CHECK(head.MeasureMemory().rare == 0);
  append(FromMillis(1000), nullptr);
  const std::uint64_t late = head.MeasureMemory().rare;
  CHECK(late > 0);
  append(FromMillis(2000), std::make_shared<Histogram>());
  CHECK(head.MeasureMemory().rare > late);
}

}  // namespace
}  // namespace skep::tsdb
