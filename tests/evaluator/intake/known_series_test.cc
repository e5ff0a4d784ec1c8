// Series that a sender names again: known by the bytes of their labels, without reading these.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <random>

#include "evaluator/intake/write_request.h"
#include "evaluator/tsdb/head.h"
#include "tests/evaluator/intake/dump.h"
#include "tests/evaluator/intake/messages.h"
#include "tests/support/many.h"

namespace skep::intake::test {
namespace {

using Lines = std::vector<std::string>;

// Takes message after message, with one memory of what senders name.
struct World {
  tsdb::Head head{tsdb::HeadOptions{}};
  SeriesRefs refs;

  std::string Take(std::string_view message, Timestamp newest = kMaxTimestamp) {
    Batch batch(head, newest);
    REQUIRE(ReadWriteRequest(message, refs, batch));
    REQUIRE(batch.Commit());
    return batch.Complaint();
  }
  std::string Take(const std::vector<SeriesMessage>& all) { return Take(Request(all)); }
};

Hash128 Name(std::uint64_t i) { return {i * 0x9e3779b97f4a7c15ULL, i}; }

storage::SeriesRef Find(SeriesRefs& refs, std::uint64_t i) {
  std::vector<storage::SeriesRef> found;
  refs.Find(std::vector{Name(i)}, found);
  return found.at(0);
}

}  // namespace

TEST_CASE("A series is known again by the bytes of its labels", "[intake]") {
  World world;
  const SeriesMessage a{{{"__name__", "a"}, {"job", "x"}}, {Point(1, 1000)}};
  CHECK(world.Take({a}).empty());
  CHECK(world.refs.heap_bytes() > 0);
  CHECK(world.Take({{a.labels, {Point(2, 2000), Point(3, 3000)}}}).empty());
  CHECK(Dump(world.head) == Lines{R"(a{job="x"} 1@1000 2@2000 3@3000)"});
  CHECK(world.head.counters().samples_appended == 3);
}

TEST_CASE("What a known series refuses is named as that of a new one, and counted once",
          "[intake]") {
  World world;
  const SeriesMessage a{{{"__name__", "a"}}, {Point(1, 2000)}};
  CHECK(world.Take({a}).empty());
  CHECK(
      world.Take({{a.labels, {Point(5, 2000), Point(6, 1000), Point(7, 3000), Point(8, 2500)}}}) ==
      "3 of 4 samples refused (1 duplicate, 2 out of order); the first: a at 2000 ms: duplicate");
  CHECK(Dump(world.head) == Lines{"a 1@2000 7@3000"});
  CHECK(world.head.counters().samples_duplicate == 1);
  CHECK(world.head.counters().samples_out_of_order == 2);
  Batch batch(world.head, FromMillis(5000));
  REQUIRE(ReadWriteRequest(Request({{a.labels, {Point(9, 6000)}}}), world.refs, batch));
  CHECK(batch.Complaint() ==
        "1 of 1 samples refused (1 too new); the first: a at 6000 ms: too new");
}

TEST_CASE("Other bytes are another series, whatever they share", "[intake]") {
  World world;
  CHECK(world.Take({{{{"__name__", "a"}, {"b", "c"}}, {Point(1, 1000)}}}).empty());
  CHECK(world.Take({{{{"__name__", "a"}, {"b", "d"}}, {Point(2, 2000)}}}).empty());
  CHECK(world.Take({{{{"__name__", "a"}}, {Point(3, 3000)}}}).empty());
  // A label behind a sample.
  const auto series = [](double value, std::int64_t millis) {
    std::string out, request;
    MessageWriter(out).Bytes(1, Label("__name__", "a")).Bytes(2, Point(value, millis));
    MessageWriter(out).Bytes(1, Label("b", "late"));
    MessageWriter(request).Bytes(1, out);
    return request;
  };
  CHECK(world.Take(series(4, 4000)).empty());
  CHECK(world.Take(series(5, 5000)).empty());
  CHECK(world.Take("").empty());
  CHECK(Dump(world.head) == Lines{"a 3@3000", R"(a{b="c"} 1@1000)", R"(a{b="d"} 2@2000)",
                                  R"(a{b="late"} 4@4000 5@5000)"});
}

TEST_CASE("A known series that the store has dropped comes back", "[intake]") {
  World world;
  const SeriesMessage a{{{"__name__", "a"}}, {Point(1, 1000)}};
  CHECK(world.Take({a}).empty());
  world.head.DropBefore(FromMillis(1500));
  CHECK(Dump(world.head).empty());
  CHECK(world.Take({{a.labels, {Point(2, 2000)}}}).empty());
  CHECK(world.Take({{a.labels, {Point(3, 3000)}}}).empty());
  CHECK(Dump(world.head) == Lines{"a 2@2000 3@3000"});
}

TEST_CASE("Messages with series known before are taken as if none was", "[intake]") {
  std::mt19937 random(5);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  World known;
  tsdb::Head plain{tsdb::HeadOptions{}};
  for (int round = 0; round < skep::test::Many(2000); ++round) {
    std::vector<SeriesMessage> all(static_cast<std::size_t>(1 + pick(12)));
    for (SeriesMessage& series : all) {
      series.labels = {{"__name__", "m" + std::to_string(pick(4))}};
      for (int label = pick(4); label > 0; --label) {
        series.labels.emplace_back("l" + std::to_string(pick(3)), std::to_string(pick(3)));
      }
      for (int point = pick(4); point > 0; --point) {
        series.points.push_back(Point(pick(3), 1000 * (round + pick(3)) + pick(2)));
      }
    }
    Batch batch(plain, kMaxTimestamp);
    SeriesRefs none;
    REQUIRE(ReadWriteRequest(Request(all), none, batch));
    REQUIRE(batch.Commit());
    REQUIRE(known.Take(all) == batch.Complaint());
    if (pick(20) == 0) known.refs.Turn(Clock::Steady(std::chrono::hours(round)));
    if (pick(20) == 0) {
      known.head.DropBefore(FromMillis(1000 * round));
      plain.DropBefore(FromMillis(1000 * round));
    }
  }
  CHECK(Dump(known.head) == Dump(plain));
}

TEST_CASE("A message of many known series, and some that are not, loses none", "[intake]") {
  World world;
  const auto message = [](int first, int last, std::int64_t millis) {
    std::vector<SeriesMessage> all;
    for (int i = first; i < last; ++i) {
      all.push_back({{{"__name__", "m" + std::to_string(i)}}, {Point(i, millis)}});
    }
    return all;
  };
  CHECK(world.Take(message(0, 300, 1000)).empty());
  world.head.DropBefore(FromMillis(1500));
  CHECK(world.Take(message(0, 200, 2000)).empty());
  // Known and there; known and gone; never seen. One has its sample already, another one a newer.
  std::vector<SeriesMessage> all = message(0, 500, 3000);
  CHECK(world.Take({all[7]}).empty());
  all[8].points = {Point(8, 1999)};
  all[9].points = {Point(9, 3000), Point(9, 3001)};
  all.push_back({all[10].labels, {Point(77, 3000)}});
  CHECK(world.Take(all) ==
        "2 of 502 samples refused (1 duplicate, 1 out of order); the first: m8 at 1999 ms: out of "
        "order");
  const Lines lines = Dump(world.head);
  CHECK(lines.size() == 500);
  CHECK(std::ranges::count(lines, "m7 7@2000 7@3000") == 1);
  CHECK(std::ranges::count(lines, "m8 8@2000") == 1);
  CHECK(std::ranges::count(lines, "m9 9@2000 9@3000 9@3001") == 1);
  CHECK(std::ranges::count(lines, "m10 10@2000 10@3000") == 1);
  CHECK(std::ranges::count(lines, "m250 250@3000") == 1);
}

TEST_CASE("What nobody asked for during a turn is forgotten at the end of the next", "[intake]") {
  SeriesRefs refs;
  const Clock::Steady start(std::chrono::hours(1));
  refs.Turn(start);
  refs.Remember(Name(1), 11);
  refs.Remember(Name(2), 12);
  refs.Turn(start + SeriesRefs::kTurn / 2);
  refs.Turn(start + SeriesRefs::kTurn);
  CHECK(Find(refs, 1) == 11);
  refs.Turn(start + 2 * SeriesRefs::kTurn);
  CHECK(Find(refs, 1) == 11);
  CHECK(Find(refs, 2) == 0);
  refs.Remember(Name(1), 21);
  CHECK(Find(refs, 1) == 21);
  std::vector<storage::SeriesRef> found;
  refs.Find(std::vector{Name(3), Name(1), Name(2)}, found);
  CHECK(found == std::vector<storage::SeriesRef>{0, 21, 0});
}

TEST_CASE("The memory of series is bounded", "[intake]") {
  SeriesRefs refs(1600);
  for (std::uint64_t i = 1; i <= 100'000; ++i) refs.Remember(Name(i), i);
  CHECK(Find(refs, 100'000) == 100'000);
  CHECK(Find(refs, 1) == 0);
  CHECK(refs.heap_bytes() < std::size_t{2} * 1600 * 100);
}

}  // namespace skep::intake::test
