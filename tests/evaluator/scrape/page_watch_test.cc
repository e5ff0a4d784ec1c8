#include "evaluator/scrape/page_watch.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "evaluator/scrape/page_ingester.h"
#include "tests/support/fake_watches.h"
#include "tests/support/many.h"
#include "tests/support/recording_store.h"

namespace skep::scrape {
namespace {

class Fixture {
 public:
  explicit Fixture(std::vector<std::string> names = {"a", "b", "up"}, JobOptions job = {})
      : ingester_(PageSink{store, &feed}, std::make_shared<JobOptions>(std::move(job)),
                  {{"job", "j"}}) {
    feed.Watch(std::move(names));
  }
  // What is told of a page.
  std::string Page(std::string_view body) {
    (void)ingester_.Ingest({body, exposition::Format::kText, Next(), 0.5, {}});
    return feed.TakeTold();
  }
  std::string Failure() {
    (void)ingester_.Ingest({{}, exposition::Format::kText, Next(), 0.5, Unavailable("refused")});
    return feed.TakeTold();
  }
  std::string Gone() {
    (void)ingester_.MarkGone(Next());
    return feed.TakeTold();
  }
  int Looks() { return std::exchange(feed.watches->looks, 0); }

  test::RecordingStore store;
  test::FakeFeed feed;
  PageIngester ingester_;

 private:
  Timestamp Next() { return FromMillis(1000 * ++now_); }
  int now_ = 0;
};

}  // namespace

TEST_CASE("A page tells of the series that it has, once it is stored", "[scrape]") {
  Fixture target;
  CHECK(target.Page("a 1\nc 1\n") == "1:aup ");
  CHECK(target.Page("a 2\nc 1\n") == "2:aup ");
  CHECK(target.Page("a 2\nb 1\nc 1\n") == "3:abup ");
  target.store.FailCommits(true);
  CHECK(target.Page("a 2\nb 1\nc 1\n").empty());
  target.store.FailCommits(false);
  CHECK(target.Page("a 2\nb 1\nc 1\n") == "5:abup ");
}

TEST_CASE("Nothing is told of series that nobody wants", "[scrape]") {
  Fixture target({"z"});
  CHECK(target.Page("a 1\n").empty());
  target.feed.watches = nullptr;
  CHECK(target.Page("z 1\n").empty());
  target.feed.Watch({"z"});
  CHECK(target.Page("z 1\n") == "3:z ");
}

TEST_CASE("A page like the one before costs no look at its series", "[scrape]") {
  Fixture target;
  (void)target.Page("a 1\nb 1\nc 1\n");
  CHECK(target.Looks() == 8);  // with the five about the scrape
  (void)target.Page("a 2\nb 2\nc 2\n");
  CHECK(target.Looks() == 0);
  (void)target.Page("c 2\nb 2\na 2\n");  // another order
  CHECK(target.Looks() == 0);
  (void)target.Page("c 2\nd 1\nb 2\na 2\n");  // one is new
  CHECK(target.Looks() == 1);
}

TEST_CASE("The end of a series is told with the page that it is missing from", "[scrape]") {
  Fixture target({"a", "b"});
  CHECK(target.Page("a 1\nb 1\n") == "1:ab ");
  CHECK(target.Page("a 1\n") == "2:ab ");
  CHECK(target.Page("a 1\n") == "3:a ");
  CHECK(target.Page("a 1\nb 1\n") == "4:ab ");  // the very lines that were expected
  CHECK(target.Page("b 1\n") == "5:ab ");
  CHECK(target.Page("b 1\n") == "6:b ");
}

TEST_CASE("A target that fails or goes tells of all that ends", "[scrape]") {
  Fixture target;
  CHECK(target.Page("a 1\n") == "1:aup ");
  CHECK(target.Failure() == "2:aup ");
  CHECK(target.Failure() == "3:up ");
  CHECK(target.Page("a 1\n") == "4:aup ");
  CHECK(target.Page("a 1\nbroken{\n") == "5:aup ");
  CHECK(target.Page("a 1\n") == "6:aup ");
  CHECK(target.Gone() == "7:aup ");
}

TEST_CASE("Other watches look at everything anew", "[scrape]") {
  Fixture target({"a"});
  CHECK(target.Page("a 1\nb 1\n") == "1:a ");
  target.feed.Watch({"up", "b"});
  CHECK(target.Page("a 1\nb 1\n") == "2:upb ");
  CHECK(target.Page("a 1\nb 1\n") == "3:upb ");
}

TEST_CASE("Series that relabelling drops are not told of", "[scrape]") {
  JobOptions job;
  job.metric_relabel_rules = {*RelabelRule::Create(
      {.source_labels = {"__name__"}, .regex = "a", .action = RelabelAction::kDrop})};
  Fixture target({"a", "b"}, std::move(job));
  CHECK(target.Page("a 1\n").empty());
  CHECK(target.Page("a 1\nb 1\n") == "2:b ");
}

TEST_CASE("A target over its limit tells of all that ends", "[scrape]") {
  JobOptions job;
  job.limits.samples = 2;
  Fixture target({"a", "b", "up"}, std::move(job));
  CHECK(target.Page("a 1\nb 1\n") == "1:abup ");
  CHECK(target.Page("a 1\nb 1\nc 1\n") == "2:abup ");  // over the limit: all end
  CHECK(target.Page("a 1\nb 1\nc 1\n") == "3:up ");
  CHECK(target.Page("b 1\n") == "4:bup ");
}

TEST_CASE("What is told of random pages is what is on them or was before", "[scrape]") {
  std::mt19937 random(7);  // NOLINT: the same each time
  Fixture target({"a", "b", "c", "d"});
  const std::string names = "abcdefgh";
  std::set<char> before;
  for (int page = 1; page <= test::Many(2000); ++page) {
    std::string body;
    std::set<char> now;
    const bool same = random() % 3 == 0;
    for (const char name : names) {
      if (same ? before.contains(name) : random() % 3 != 0) now.insert(name);
    }
    std::string order(now.begin(), now.end());
    if (random() % 4 == 0) std::shuffle(order.begin(), order.end(), random);
    for (const char name : order) body += std::string(1, name) + " 1\n";
    // Churn, so that the cache is compacted now and then.
    for (unsigned i = random() % 4; i > 0; --i) body += "x" + std::to_string(random()) + " 1\n";
    std::string expected;
    for (const char name : {'a', 'b', 'c', 'd'}) {
      if (now.contains(name) || before.contains(name)) expected += name;
    }
    if (!expected.empty()) expected = std::to_string(page) + ":" + expected + " ";
    REQUIRE(target.Page(body) == expected);
    before = std::move(now);
  }
}

}  // namespace skep::scrape
