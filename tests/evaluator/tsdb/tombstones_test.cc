#include "evaluator/tsdb/tombstones.h"

#include <catch2/catch.hpp>
#include <set>

#include "tests/evaluator/tsdb/block_rig.h"
#include "tests/evaluator/tsdb/plain_read.h"

namespace skep::tsdb {
namespace {

storage::TimeRange Span(std::int64_t min, std::int64_t max) {
  return {FromMillis(min), FromMillis(max)};
}

std::vector<std::pair<std::int64_t, std::int64_t>> Of(const Tombstones& tombstones,
                                                      std::uint32_t series) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  for (const storage::TimeRange& span : tombstones.Of(series)) {
    out.emplace_back(ToMillis(span.min), ToMillis(span.max));
  }
  return out;
}

TEST_CASE("Spans that overlap or touch become one", "[tsdb]") {
  using List = std::vector<std::pair<std::int64_t, std::int64_t>>;
  Tombstones tombstones;
  CHECK(tombstones.empty());
  tombstones.Add(std::vector<std::uint32_t>{2, 5}, Span(10, 20));
  tombstones.Add(std::vector<std::uint32_t>{2}, Span(30, 40));
  tombstones.Add(std::vector<std::uint32_t>{0, 9}, Span(5, 5));
  CHECK(Of(tombstones, 2) == List{{10, 20}, {30, 40}});
  CHECK(Of(tombstones, 5) == List{{10, 20}});
  CHECK(Of(tombstones, 1).empty());
  CHECK(tombstones.span_count() == 5);
  tombstones.Add(std::vector<std::uint32_t>{2, 5}, Span(21, 29));
  CHECK(Of(tombstones, 2) == List{{10, 40}});
  CHECK(Of(tombstones, 5) == List{{10, 29}});
  tombstones.Add(std::vector<std::uint32_t>{5}, {kMinTimestamp, kMaxTimestamp});
  tombstones.Add(std::vector<std::uint32_t>{5}, Span(7, 8));
  CHECK(tombstones.Of(5).size() == 1);
  CHECK(tombstones.Of(5).front().max == kMaxTimestamp);
}

TEST_CASE("Random spans delete what a set of times does", "[tsdb]") {
  RandomSeries random(4);
  Tombstones tombstones;
  std::set<std::pair<std::uint32_t, std::int64_t>> deleted;
  for (int i = 0; i < 60; ++i) {
    std::vector<std::uint32_t> series;
    for (std::uint32_t one = 0; one < 5; ++one) {
      if (random.Pick(2)) series.push_back(one);
    }
    const auto min = static_cast<std::int64_t>(random.Pick(400));
    const auto max = min + static_cast<std::int64_t>(random.Pick(6));
    tombstones.Add(series, Span(min, max));
    for (const std::uint32_t one : series) {
      for (std::int64_t time = min; time <= max; ++time) deleted.emplace(one, time);
    }
    for (std::uint32_t one = 0; one < 5; ++one) {
      for (std::int64_t time = 0; time < 410; ++time) {
        REQUIRE(Touches(tombstones.Of(one), Span(time, time)) == deleted.contains({one, time}));
      }
      std::vector<storage::TimeRange> left;
      Subtract(Span(50, 300), tombstones.Of(one), left);
      std::set<std::int64_t> times;
      for (const storage::TimeRange& range : left) {
        CHECK(range.min <= range.max);
        for (auto time = ToMillis(range.min); time <= ToMillis(range.max); ++time) {
          REQUIRE(times.insert(time).second);
        }
      }
      for (std::int64_t time = 0; time < 410; ++time) {
        REQUIRE(times.contains(time) ==
                (time >= 50 && time <= 300 && !deleted.contains({one, time})));
      }
    }
  }
}

// A block of ten series with a sample each millisecond from 0 to 999.
struct Fixture {
  Fixture() {
    for (int i = 0; i < 10; ++i) {
      storage::SampleColumns& samples = series[Labels{{"i", std::to_string(i)}}];
      for (int time = 0; time < 1000; ++time) {
        samples.times.push_back(FromMillis(time));
        samples.values.push_back(time * i);
      }
    }
    WriteBlock(disk, "a.block", series);
    block = Block::Open(disk, "a.block").value();
  }
  test::MemoryDisk disk;
  SeriesMap series;
  std::shared_ptr<const Block> block;
};

Tombstones Some() {
  Tombstones tombstones;
  tombstones.Add(std::vector<std::uint32_t>{1, 2, 3, 9}, Span(100, 200));
  tombstones.Add(std::vector<std::uint32_t>{2}, Span(300, 350));
  tombstones.Add(std::vector<std::uint32_t>{4}, {kMinTimestamp, kMaxTimestamp});
  return tombstones;
}

TEST_CASE("A read with tombstones leaves deleted samples out", "[tsdb]") {
  const Fixture fixture;
  const Tombstones tombstones = Some();
  const auto read = [&](std::uint32_t series, storage::TimeRange range) {
    storage::SampleColumns out;
    REQUIRE(ReadSamples(*fixture.block, tombstones, series, range, out).has_value());
    return out.times.size();
  };
  CHECK(read(0, {}) == 1000);
  CHECK(read(1, {}) == 899);
  CHECK(read(2, {}) == 848);
  CHECK(read(2, Span(150, 320)) == 99);
  CHECK(read(1, Span(120, 180)) == 0);
  CHECK(read(4, {}) == 0);
}

TEST_CASE("Tombstones come back from their file, which replaces the one before", "[tsdb]") {
  Fixture fixture;
  CHECK(LoadTombstones(fixture.disk, "a.tombstones", *fixture.block).value().empty());
  REQUIRE(SaveTombstones(fixture.disk, "a.tombstones", *fixture.block, Some()).has_value());
  CHECK(LoadTombstones(fixture.disk, "a.tombstones", *fixture.block).value() == Some());
  REQUIRE(SaveTombstones(fixture.disk, "a.tombstones", *fixture.block, {}).has_value());
  CHECK(LoadTombstones(fixture.disk, "a.tombstones", *fixture.block).value().empty());
}

TEST_CASE("A damaged file of tombstones is refused by name", "[tsdb]") {
  Fixture fixture;
  REQUIRE(SaveTombstones(fixture.disk, "a.tombstones", *fixture.block, Some()).has_value());
  const std::string whole = fixture.disk.Content("a.tombstones");
  const auto refused = [&](const std::string& content) {
    fixture.disk.SetContent("a.tombstones", content);
    const auto loaded = LoadTombstones(fixture.disk, "a.tombstones", *fixture.block);
    return !loaded && loaded.error().message().find("a.tombstones") != std::string::npos;
  };
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(refused(whole.substr(0, size)));
  }
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    CHECK(refused(flipped));
  }
  CHECK(refused(whole + '\0'));
}

TEST_CASE("Tombstones of the block that stood there before are passed over", "[tsdb]") {
  Fixture fixture;
  REQUIRE(SaveTombstones(fixture.disk, "a.tombstones", *fixture.block, Some()).has_value());
  fixture.series.begin()->second.times.pop_back();
  fixture.series.begin()->second.values.pop_back();
  WriteBlock(fixture.disk, "b.block", fixture.series);
  const auto other = Block::Open(fixture.disk, "b.block").value();
  const Result<Tombstones> loaded = LoadTombstones(fixture.disk, "a.tombstones", *other);
  REQUIRE(loaded);
  CHECK(loaded->empty());
}

}  // namespace
}  // namespace skep::tsdb
