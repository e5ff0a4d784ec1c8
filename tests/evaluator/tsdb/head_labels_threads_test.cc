// Series with ever new labels come and go while answers made earlier are asked for theirs: for the
// thread sanitizer, and for labels that are another series'.
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

constexpr int kSeries = 20;  // that a round brings

// All labels but the name say the same.
Labels LabelsOf(int writer, int round, int series) {
  const std::string value = std::to_string(writer) + "-" + std::to_string(round) + "-" +
                            std::to_string(series) + "-long enough for the heap";
  return {{"__name__", "m"}, {"a", value}, {"b", value}, {"w", std::to_string(writer)}};
}

void Write(Head& head, int writer, int rounds) {
  for (int round = 1; round <= rounds; ++round) {
    const auto appender = head.NewAppender();
    for (int i = 0; i < kSeries; ++i) {
      storage::SeriesRef ref = 0;
      (void)appender->Append(ref, LabelsOf(writer, round, i), {FromMillis(round * 1000), 1});
    }
    (void)appender->Commit();
  }
}

// How many label sets are none that somebody wrote.
int CountWrong(storage::SeriesSet& set) {
  int wrong = 0;
  while (set.Next()) {
    const Labels copy = set.CopyLabels(set.place());
    const Labels& labels = set.labels();
    if (labels.size() != 4 || labels.Get("a") != labels.Get("b") || copy != labels ||
        labels.Get("a").substr(0, 1) != labels.Get("w")) {
      ++wrong;
    }
  }
  return wrong;
}

TEST_CASE("Answers keep their labels while series come and go", "[tsdb]") {
  constexpr int kWriters = 2;
  const int rounds = 300;
  Head head({});
  std::atomic<int> writing{kWriters};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&head, &writing, writer] {
        Write(head, writer, rounds);
        --writing;
      });
    }
    threads.emplace_back([&head, &writing] {
      for (int second = 0; writing > 0; second = (second + 1) % rounds) {
        head.DropBefore(FromMillis(second * 1000));
        std::this_thread::yield();
      }
    });
    threads.emplace_back([&] {
      std::unique_ptr<storage::KeptSelect> kept;
      const std::vector<Matcher> matchers = {Matcher::Equal("__name__", "m")};
      do {
        auto querier = head.NewQuerier({});
        auto first = (*querier)->Select(matchers, {});
        auto again = (*querier)->SelectAgain(matchers, {}, kept);
        (void)(*querier)->LabelValues("a", matchers);
        wrong += CountWrong(**again);
        wrong += CountWrong(**first);
      } while (writing > 0);
    });
  }
  CHECK(wrong == 0);
  head.DropBefore(FromMillis((rounds + 1) * 1000));
  CHECK(head.series_count() == 0);
  CHECK(head.Status(1).label_pairs == 0);
}

}  // namespace
}  // namespace skep::tsdb
