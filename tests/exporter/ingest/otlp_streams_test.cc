#include "exporter/ingest/otlp_streams.h"

#include <catch2/catch.hpp>
#include <string>

#include "exporter/ingest/otlp_replays.h"
#include "tests/support/many.h"

namespace skep::ingest {
namespace {

using Kind = Stream::Kind;

StreamKey Key(std::uint64_t number) { return Combine({number, number}, {1, 2}); }

// One unit that sets the stream's value; committed unless told not to be.
void Set(StreamTable& table, std::uint64_t number, Kind kind, double value, UnixNanos time,
         std::size_t max = 100) {
  table.Begin(max);
  Stream& stream = table.Touch(Key(number), kind).stream;
  stream.time = time;
  stream.arrival = static_cast<std::int64_t>(time);
  stream.value = value;
  table.Evict([](const std::string&, std::optional<double>) {});
  (void)table.Record();
  table.Commit();
}

std::optional<double> ValueOf(StreamTable& table, std::uint64_t number) {
  table.Begin(100);
  const auto [stream, is_new] = table.Touch(Key(number), Kind::kCumulative);
  const std::optional<double> value = is_new ? std::nullopt : std::optional(stream.value);
  table.Begin(100);
  return value;
}

// What the table would be after a restart: from its units, and from its snapshot.
std::string SaveOf(const StreamTable& table) {
  std::string all;
  table.Save([&](std::string_view record) { all.append(record); });
  return all;
}

}  // namespace

TEST_CASE("A unit that is not committed has not happened", "[otlp]") {
  StreamTable table;
  Set(table, 1, Kind::kCumulative, 5, 10);
  table.Begin(100);
  const auto first = table.Touch(Key(1), Kind::kCumulative);
  CHECK_FALSE(first.is_new);
  first.stream.value = 6;
  const auto second = table.Touch(Key(2), Kind::kCumulative);
  CHECK(second.is_new);
  second.stream.value = 7;
  CHECK(ValueOf(table, 1) == 5);
  CHECK_FALSE(ValueOf(table, 2));
  CHECK(table.size() == 1);
}

TEST_CASE("The streams that were silent longest are forgotten, and remembered as such", "[otlp]") {
  StreamTable table;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    Set(table, i, Kind::kCumulative, static_cast<double>(i), 100 + i, 10);
  }
  CHECK(table.size() == 10);
  CHECK(table.evictions() == 990);
  CHECK(ValueOf(table, 991) == 991);
  CHECK_FALSE(ValueOf(table, 990));
  CHECK(table.MayHaveBeenForgotten(Key(990), 50));
  CHECK(table.MayHaveBeenForgotten(Key(990), 0));
  CHECK_FALSE(table.MayHaveBeenForgotten(Key(990), 100'000));
  CHECK_FALSE(StreamTable().MayHaveBeenForgotten(Key(990), 0));
}

TEST_CASE("Memory is bounded by a million streams", "[otlp]") {
  StreamTable table;
  constexpr std::uint64_t kUnits = skep::test::Many(1'000);
  for (std::uint64_t i = 1; i <= kUnits; ++i) {
    bool are_all_new = true;
    table.Begin(1'000);
    for (std::uint64_t k = 0; k < 1'000; ++k) {
      const auto [stream, is_new] = table.Touch(Key(i * 1'000 + k), Kind::kDelta);
      stream.time = i;
      are_all_new = are_all_new && is_new;
    }
    REQUIRE(are_all_new);
    table.Evict([](const std::string&, std::optional<double>) {});
    table.Commit();
    REQUIRE(table.size() == 1'000);
  }
}

TEST_CASE("Units and snapshot both give the table back", "[otlp]") {
  StreamTable table;
  std::vector<std::string> units;
  const auto run = [&](std::uint64_t number, Kind kind, const auto& change) {
    table.Begin(3);
    change(table.Touch(Key(number), kind).stream);
    table.Evict([](const std::string&, std::optional<double>) {});
    units.push_back(table.Record());
    table.Commit();
  };
  run(1, Kind::kGauge, [](Stream& s) { s.time = 4; });
  run(2, Kind::kDelta, [](Stream& s) { s.seen = {5, 0, 0, 0}; });
  run(2, Kind::kDelta, [](Stream& s) { s.seen = {6, 5, 0, 0}; });
  run(2, Kind::kDelta, [](Stream& s) { s.seen = {8, 7, 6, 5}; });  // two intervals in one unit
  run(2, Kind::kDelta, [](Stream& s) { s.arrival = 9; });          // a repeat
  run(3, Kind::kCumulativeHistogram, [](Stream& s) {
    s.counts = {1, 2, 3};
    s.bounds_hash = 77;
    s.value = 1.5;
  });
  run(4, Kind::kUpDown, [&](Stream& s) { table.Contribute(s, "target", 4); });
  run(5, Kind::kUpDown, [&](Stream& s) { table.Contribute(s, "target", 5); });
  run(5, Kind::kUpDown, [&](Stream& s) { table.Contribute(s, "target", 7); });
  StreamTable from_units;
  for (const std::string& unit : units) REQUIRE(from_units.Restore(unit));
  CHECK(SaveOf(from_units) == SaveOf(table));
  StreamTable from_snapshot;
  REQUIRE(from_snapshot.Restore(SaveOf(table)));
  CHECK(SaveOf(from_snapshot) == SaveOf(table));
  CHECK(from_snapshot.size() == 3);
  // The series of the up-down streams is known as well.
  std::optional<double> total;
  from_snapshot.Begin(3);
  Stream& stream = from_snapshot.Touch(Key(4), Kind::kUpDown).stream;
  CHECK(from_snapshot.Contribute(stream, "target", 10) == 17);
}

TEST_CASE("A record cut at any byte or with flipped bits is refused or read, never worse",
          "[otlp]") {
  StreamTable table;
  Set(table, 1, Kind::kCumulative, 5, 10);
  Set(table, 2, Kind::kDelta, 5, 10);
  table.Begin(100);
  Stream& stream = table.Touch(Key(3), Kind::kUpDown).stream;
  table.Contribute(stream, "target", 4);
  table.Touch(Key(4), Kind::kCumulativeHistogram).stream.counts = {1, 2};
  (void)table.Record();
  table.Commit();
  const std::string record = SaveOf(table);
  int refused = 0;
  for (std::size_t length = 1; length < record.size(); ++length) {
    StreamTable other;
    refused += other.Restore(std::string_view(record).substr(0, length)) ? 0 : 1;
  }
  CHECK(refused > static_cast<int>(record.size()) - 10);
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string broken = record;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    StreamTable other;
    (void)other.Restore(broken);
    CHECK(other.size() <= record.size() / 17);  // the least that an entry takes
  }
}

TEST_CASE("Up-down streams that are silent leave their sum, the last one ends the series",
          "[otlp]") {
  StreamTable table;
  for (std::uint64_t i = 1; i <= 2; ++i) {
    table.Begin(100);
    Stream& stream = table.Touch(Key(i), Kind::kUpDown).stream;
    stream.arrival = static_cast<std::int64_t>(i * 100);
    table.Contribute(stream, "t", static_cast<double>(i));
    table.Commit();
  }
  std::vector<std::optional<double>> told;
  const auto expire = [&](std::int64_t before) {
    table.Begin(100);
    table.Expire(before, [&](const std::string& target, std::optional<double> total) {
      CHECK(target == "t");
      told.push_back(total);
    });
    (void)table.Record();
    table.Commit();
  };
  expire(100);
  CHECK(told.empty());
  expire(150);
  CHECK(told == std::vector<std::optional<double>>{2.0});
  expire(1000);
  CHECK(told == std::vector<std::optional<double>>{2.0, std::nullopt});
  CHECK(table.size() == 0);
}

}  // namespace skep::ingest
