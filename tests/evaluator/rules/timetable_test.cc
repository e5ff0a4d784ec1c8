#include "evaluator/rules/timetable.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace skep::rules {
namespace {

constexpr Duration kInterval = std::chrono::seconds(10);
constexpr Duration kSpacing = std::chrono::milliseconds(250);

constexpr Timestamp Ms(std::int64_t millis) { return FromMillis(1'700'000'000'000 + millis); }

// A group's rounds as "cause@time", taken as a program would: each at its time, as short as can be.
class Runner {
 public:
  explicit Runner(std::optional<Duration> spacing = kSpacing)
      : table(Ms(10'000), kInterval, spacing) {}

  // What is due until `end`, the clock moved from one turn to the next.
  std::string Until(Timestamp end) {
    std::string text;
    while (true) {
      const Timestamp due = table.NextDue(now);
      if (due > end) break;
      now = std::max(now, due);
      const std::optional<Turn> turn = table.Take(now);
      if (!turn) continue;
      text += (text.empty() ? "" : " ") + std::string(RoundCauseName(turn->cause)) + "@" +
              std::to_string((turn->time - Ms(0)).count());
      missed += table.End(*turn, now);
    }
    now = end;
    return text;
  }
  std::string Scrape(std::int64_t time, std::int64_t commit) {
    std::string before = Until(Ms(commit));
    table.AddScrape(Ms(time));
    return before;
  }

  Timetable table;
  Timestamp now = Ms(0);
  std::int64_t missed = 0;
};

}  // namespace

TEST_CASE("Slots are aligned, differ by group, and missed ones are counted", "[rules]") {
  const Duration minute = std::chrono::minutes(1);
  for (const Timestamp now : {Ms(0), Ms(60'001), FromMillis(5), FromMillis(-5)}) {
    const Timestamp slot = LastSlot("f", "g", minute, now);
    CHECK(slot <= now);
    CHECK(slot > now - minute);
    CHECK(LastSlot("f", "g", minute, slot) == slot);
    CHECK(LastSlot("f", "g", minute, slot + minute) == slot + minute);
  }
  CHECK(LastSlot("f", "g", minute, Ms(0)) != LastSlot("f", "h", minute, Ms(0)));

  const auto after = [&](Duration took) { return SlotAfter(Ms(0), minute, Ms(0) + took); };
  CHECK(after(Duration(10)).slot == Ms(60'000));
  CHECK(after(minute).slot == Ms(60'000));
  CHECK(after(minute + Duration(1)).missed == 0);
  CHECK(after(3 * minute - Duration(1)).slot == Ms(120'000));
  CHECK(after(3 * minute - Duration(1)).missed == 1);
  CHECK(after(3 * minute).missed == 2);
}

TEST_CASE("A group that goes by its interval has a round at each slot and none for scrapes",
          "[rules]") {
  Runner runner(std::nullopt);
  CHECK(runner.Scrape(100, 120).empty());
  CHECK(runner.Until(Ms(30'000)) == "interval@10000 interval@20000 interval@30000");
}

TEST_CASE("A scrape causes a round at once, with its own time", "[rules]") {
  Runner runner;
  CHECK(runner.Scrape(100, 120).empty());
  CHECK(runner.table.NextDue(Ms(120)) <= Ms(120));
  CHECK(runner.Until(Ms(120)) == "scrape@100");
  CHECK(runner.Until(Ms(9'000)).empty());
}

TEST_CASE("Scrapes within the spacing cause one round at its end", "[rules]") {
  Runner runner;
  runner.Scrape(100, 120);
  CHECK(runner.Scrape(150, 160) == "scrape@100");
  CHECK(runner.Scrape(300, 310).empty());
  CHECK(runner.Scrape(290, 320).empty());  // its page took longer
  CHECK(runner.Until(Ms(369)).empty());
  CHECK(runner.Until(Ms(370)) == "scrape@300");
  CHECK(runner.Until(Ms(9'999)).empty());
}

TEST_CASE("No spacing means a round for each scrape", "[rules]") {
  Runner runner(Duration(0));
  runner.Scrape(100, 120);
  CHECK(runner.Scrape(121, 122) == "scrape@100");
  CHECK(runner.Until(Ms(122)) == "scrape@121");
}

TEST_CASE("The tick comes for an interval without a round", "[rules]") {
  Runner runner;
  runner.Scrape(9'000, 9'001);  // within the interval that ends at 10000
  CHECK(runner.Until(Ms(45'000)) == "scrape@9000 interval@20000 interval@30000 interval@40000");
  // And again a scrape: it stands for the tick of 50000.
  runner.Scrape(45'000, 45'010);
  CHECK(runner.Until(Ms(60'000)) == "scrape@45000 interval@60000");
  CHECK(runner.missed == 0);
}

TEST_CASE("A tick sees what waits for the end of the spacing", "[rules]") {
  Runner runner(std::chrono::minutes(1));  // longer than the interval
  runner.Scrape(100, 120);
  CHECK(runner.Scrape(15'000, 15'010) == "scrape@100");
  CHECK(runner.Until(Ms(70'000)) ==
        "interval@20000 interval@30000 interval@40000 interval@50000 interval@60000 "
        "interval@70000");
}

TEST_CASE("Times of rounds rise, however late a page is", "[rules]") {
  Runner runner;
  runner.Scrape(5'000, 5'010);
  CHECK(runner.Scrape(1'000, 6'000) == "scrape@5000");  // a target that took five seconds
  CHECK(runner.Until(Ms(6'000)) == "scrape@5001");
  runner.Scrape(5'001, 7'000);
  CHECK(runner.Until(Ms(7'000)) == "scrape@5002");
  // A scrape from before the tick, committed behind it.
  CHECK(runner.Until(Ms(20'000)) == "interval@20000");
  runner.Scrape(19'990, 20'010);
  CHECK(runner.Until(Ms(20'010)) == "scrape@20001");
}

TEST_CASE("Slots that go by during a long round count as missed", "[rules]") {
  Runner runner;
  runner.table.AddScrape(Ms(100));
  const std::optional<Turn> turn = runner.table.Take(Ms(120));
  REQUIRE(turn);
  CHECK(runner.table.End(*turn, Ms(45'000)) == 0);
  runner.now = Ms(45'000);
  // The slot at 10000 had its round by the scrape; 20000 and 30000 had none.
  CHECK(runner.Until(Ms(45'000)) == "interval@40000");
  CHECK(runner.missed == 2);
}

TEST_CASE("A wall clock that is set back stops neither scrapes nor ticks", "[rules]") {
  Runner runner;
  runner.Scrape(8'000, 8'010);
  CHECK(runner.Until(Ms(9'000)) == "scrape@8000");
  SECTION("by less than an interval: times go on rising") {
    runner.now = Ms(2'000);
    runner.table.AddScrape(Ms(1'990));
    CHECK(runner.Until(Ms(2'000)) == "scrape@8001");
  }
  SECTION("by an hour") {
    runner.now = Ms(-3'600'000);
    runner.table.AddScrape(Ms(-3'600'010));
    CHECK(runner.Until(Ms(-3'600'000)) == "scrape@-3600010");
    CHECK(runner.Until(Ms(-3'580'000)) == "interval@-3590000 interval@-3580000");
  }
}

TEST_CASE("A changed group goes on behind the rounds of the old one", "[rules]") {
  Runner old;
  old.Scrape(5'000, 5'010);
  CHECK(old.Scrape(5'050, 5'060) == "scrape@5000");
  Runner changed;
  changed.now = Ms(5'070);
  changed.table.Follow(old.table);
  CHECK(changed.Until(Ms(5'259)).empty());
  CHECK(changed.Until(Ms(5'260)) == "scrape@5050");
  // Taken off the list, it forgets what waits and keeps its slots.
  changed.table.AddScrape(Ms(5'300));
  changed.table.ChangeSpacing(std::nullopt);
  CHECK(changed.Until(Ms(10'000)) == "interval@10000");
}

}  // namespace skep::rules
