#include "evaluator/prometheusblock/block.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "common/model/sample.h"
#include "tests/evaluator/prometheusblock/block_files.h"
#include "tests/support/many.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace skep;
using prometheusblock::Block;
using prometheusblock::IndexedSeries;
using storage::SampleColumns;
using storage::TimeRange;

constexpr std::int64_t kBase = 1'700'000'000'000;

struct Content {
  std::map<std::string, SampleColumns> series;
  std::vector<Error> damage;
};

Content ReadAll(const Block& block, TimeRange range = {}) {
  Content content;
  for (std::size_t i = 0; i < block.series_count(); ++i) {
    IndexedSeries series;
    const Status read = block.ReadSeries(i, series);
    if (!read) {
      content.damage.push_back(read.error());
      continue;
    }
    block.ReadSamples(series, range, content.series[series.labels.ToString()], content.damage);
  }
  return content;
}

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

struct Row {
  std::int64_t millis;
  double value;
};

void CheckFloats(const SampleColumns& samples, const std::vector<Row>& rows) {
  REQUIRE(samples.times.size() == rows.size());
  REQUIRE(samples.values.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    CHECK(ToMillis(samples.times[i]) == rows[i].millis);
    CHECK(SameBits(samples.values[i], rows[i].value));
  }
}

std::vector<Row> Rows(int begin, int end, std::int64_t step, double factor) {
  std::vector<Row> rows;
  for (int i = begin; i < end; ++i) rows.push_back({kBase + step * i, factor * i});
  return rows;
}

// The formulas of make.py.
std::vector<Row> GaugeRows() {
  std::vector<Row> rows;
  for (int i = 0; i < 250; ++i) {
    const std::int64_t wobble = (static_cast<std::int64_t>(i) * i * 7) % 41;
    rows.push_back(
        {kBase + 15'000 * i + wobble + (i > 200 ? 3'600'000 : 0), (i * 37 % 101 - 50) / 7.0});
  }
  return rows;
}

void CheckWholeHistograms(const SampleColumns& samples) {
  REQUIRE(samples.histograms.size() == 150);
  for (int i = 0; i < 150; ++i) {
    CAPTURE(i);
    const Histogram& histogram = *samples.histograms.values[static_cast<std::size_t>(i)];
    CHECK(ToMillis(samples.histograms.times[static_cast<std::size_t>(i)]) == kBase + 15'000 * i);
    CHECK(histogram.schema == 3);
    CHECK(histogram.zero_threshold == 0x1p-128);
    CHECK(histogram.zero_count == 7);
    CHECK(histogram.count == i + 2 * i + 1 + 5 + i / 3 + 7);
    CHECK(histogram.sum == 1.5 * i);
    CHECK(histogram.positive.spans == std::vector<BucketSpan>{{1, 2}, {6, 1}});
    CHECK(histogram.positive.counts == std::vector<double>{1.0 * i, 2.0 * i + 1, 5});
    CHECK(histogram.negative.spans == std::vector<BucketSpan>{{0, 1}});
    CHECK(histogram.negative.counts == std::vector<double>{static_cast<double>(i / 3)});
    if (i == 0) CHECK(histogram.reset_hint == CounterResetHint::kUnknown);
  }
  CHECK(samples.histograms.values[1]->reset_hint == CounterResetHint::kNotReset);
  CheckFloats(samples, {{kBase + 15'000 * 150, kStaleNaN}});
}

void CheckFloatHistograms(const SampleColumns& samples) {
  REQUIRE(samples.histograms.size() == 50);
  CHECK(samples.times.empty());
  for (int i = 0; i < 50; ++i) {
    CAPTURE(i);
    const Histogram& histogram = *samples.histograms.values[static_cast<std::size_t>(i)];
    CHECK(histogram.schema == -1);
    CHECK(histogram.zero_threshold == 0.001);
    CHECK(histogram.zero_count == 0.25);
    CHECK(histogram.count == 0.5 * i + 1.25 + i + 0.25);
    CHECK(histogram.sum == -2.0 * i);
    // Spans that touch are one here.
    CHECK(histogram.positive.spans == std::vector<BucketSpan>{{-4, 3}});
    CHECK(histogram.positive.counts == std::vector<double>{0.5 * i, 1.25, 1.0 * i});
    CHECK(histogram.negative.empty());
    CHECK(histogram.reset_hint ==
          (i == 0 ? CounterResetHint::kUnknown : CounterResetHint::kNotReset));
  }
}

TEST_CASE("A block that a real Prometheus wrote is read to the last bit", "[prometheusblock]") {
  const Result<Block> block = Block::Open(test::kBlock);
  if (!block) FAIL(block.error().message());
  CHECK(block->meta().ulid == "01M81SZQ3H343ZT6YFTRNBKQG0");
  CHECK(ToMillis(block->meta().min_time) == kBase);
  CHECK(ToMillis(block->meta().max_time) == 1'700'007'335'023);
  CHECK(block->meta().samples == 839);
  CHECK(block->meta().series == 8);
  Content content = ReadAll(*block);
  CHECK(content.damage.empty());
  REQUIRE(content.series.size() == 8);
  CheckFloats(content.series[R"(counter_total{instance="h:1", job="a"})"], Rows(0, 300, 15'000, 3));
  CheckFloats(content.series[R"(gauge{job="b", text="grüße \"x\" \\ \n"})"], GaugeRows());
  std::vector<Row> ended = Rows(0, 20, 15'000, 0.1);
  ended.push_back({kBase + 300'000, kStaleNaN});
  CheckFloats(content.series[R"(ended{job="a"})"], ended);
  CheckWholeHistograms(content.series[R"(whole_histogram{job="a"})"]);
  CheckFloatHistograms(content.series["float_histogram"]);
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const SampleColumns& odd = content.series["odd"];
  REQUIRE(odd.values.size() == 7);
  CHECK(std::isnan(odd.values[2]));
  CHECK_FALSE(IsStaleNaN(odd.values[2]));
  CheckFloats(odd, {{kBase, kInf},
                    {kBase + 1000, -kInf},
                    {kBase + 2000, odd.values[2]},
                    {kBase + 3000, -0.0},
                    {kBase + 4000, 1e308},
                    {kBase + 5000, 5e-324},
                    {kBase + 6000, 0.0}});
}

TEST_CASE("What the tombstones of a block delete is not read", "[prometheusblock]") {
  const Result<Block> block = Block::Open(test::kBlock);
  if (!block) FAIL(block.error().message());
  Content content = ReadAll(*block);
  CHECK(content.series[R"(deleted{which="all"})"].empty());
  std::vector<Row> rows = Rows(0, 10, 1000, 1);
  for (const Row& row : Rows(20, 30, 1000, 1)) rows.push_back(row);
  CheckFloats(content.series[R"(deleted{which="middle"})"], rows);
}

TEST_CASE("A range of a block takes samples at both of its ends", "[prometheusblock]") {
  const Result<Block> block = Block::Open(test::kBlock);
  if (!block) FAIL(block.error().message());
  Content content =
      ReadAll(*block, {FromMillis(kBase + 150'000), FromMillis(kBase + 15'000 * 130)});
  CheckFloats(content.series[R"(counter_total{instance="h:1", job="a"})"],
              Rows(10, 131, 15'000, 3));
  CHECK(content.series[R"(whole_histogram{job="a"})"].histograms.size() == 121);
  CHECK(content.series["odd"].empty());
}

TEST_CASE("Series of a block come in rising order of their labels", "[prometheusblock]") {
  const Result<Block> block = Block::Open(test::kBlock);
  if (!block) FAIL(block.error().message());
  Labels last;
  for (std::size_t i = 0; i < block->series_count(); ++i) {
    IndexedSeries series;
    REQUIRE(block->ReadSeries(i, series));
    CHECK(last < series.labels);
    last = series.labels;
  }
}

// Each takes a millisecond.
std::size_t Step() { return test::IsLongForm() ? 1 : 13; }

std::size_t CountSamples(const Content& content) {
  std::size_t count = 0;
  for (const auto& [labels, samples] : content.series) {
    count += samples.times.size() + samples.histograms.times.size();
  }
  return count;
}

TEST_CASE("A block that is cut anywhere is told, or loses nothing", "[prometheusblock]") {
  const test::TempFolder folder;
  const std::string copy = test::CopyOfBlock(folder.File("block"));
  const std::size_t all = CountSamples(ReadAll(*Block::Open(copy)));
  for (const char* name : test::kBlockFiles) {
    const std::string path = JoinPath(copy, name);
    const std::string whole = *ReadFile(path);
    for (std::size_t size = 0; size < whole.size(); size += Step()) {
      CAPTURE(name, size);
      test::WriteBytes(path, std::string_view(whole).substr(0, size));
      const Result<Block> block = Block::Open(copy);
      if (!block) {
        CHECK(block.error().message().find(path) != std::string::npos);
        continue;
      }
      const Content content = ReadAll(*block);
      // What ends a meta.json is a brace and perhaps a newline.
      CHECK((!content.damage.empty() || CountSamples(content) == all));
    }
    test::WriteBytes(path, whole);
  }
}

TEST_CASE("A bit that flips in a block is told with file and byte", "[prometheusblock]") {
  const test::TempFolder folder;
  const std::string copy = test::CopyOfBlock(folder.File("block"));
  const Content good = ReadAll(*Block::Open(copy));
  for (const char* name : {"index", "chunks/000001", "tombstones"}) {
    const std::string path = JoinPath(copy, name);
    const std::string whole = *ReadFile(path);
    for (std::size_t at = 0; at < whole.size(); at += Step()) {
      CAPTURE(name, at);
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
      test::WriteBytes(path, flipped);
      const Result<Block> block = Block::Open(copy);
      if (!block) {
        CHECK(block.error().message().find(path) != std::string::npos);
        continue;
      }
      // What we do not read may be damaged: lists of labels, the bytes that align.
      const Content content = ReadAll(*block);
      CHECK((!content.damage.empty() || CountSamples(content) == CountSamples(good)));
    }
    test::WriteBytes(path, whole);
  }
}

// Between the header and the table of contents all but the bytes that align has a sum.
TEST_CASE("Every bit of an index that is not read is judged, too", "[prometheusblock]") {
  const test::TempFolder folder;
  const std::string copy = test::CopyOfBlock(folder.File("block"));
  REQUIRE(Block::Open(copy)->CheckUnread());
  const std::string path = JoinPath(copy, "index");
  const std::string whole = *ReadFile(path);
  std::size_t only_there = 0;
  for (std::size_t at = 0; at < whole.size(); at += Step()) {
    CAPTURE(at);
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    test::WriteBytes(path, flipped);
    const Result<Block> block = Block::Open(copy);
    if (!block || !ReadAll(*block).damage.empty()) continue;
    const Status unread = block->CheckUnread();
    if (unread) {
      CHECK(whole[at] == 0);  // it aligns
      continue;
    }
    CHECK(unread.error().message().starts_with(path + ": byte "));
    ++only_there;
  }
  CHECK(only_there > 0);
}

TEST_CASE("A damaged chunk costs itself alone", "[prometheusblock]") {
  const test::TempFolder folder;
  const std::string copy = test::CopyOfBlock(folder.File("block"));
  const std::string path = JoinPath(copy, "chunks/000001");
  std::string bytes = *ReadFile(path);
  bytes[20] = static_cast<char>(bytes[20] ^ 4);  // in the first chunk, of counter_total
  test::WriteBytes(path, bytes);
  const Result<Block> block = Block::Open(copy);
  if (!block) FAIL(block.error().message());
  Content content = ReadAll(*block);
  REQUIRE(content.damage.size() == 1);
  CHECK(content.damage[0].kind() == ErrorKind::kCorrupt);
  CHECK(content.damage[0].message() ==
        R"(counter_total{instance="h:1", job="a"}: )" + path +
            ": chunk at byte 8: is cut short, or its checksum is wrong");
  const SampleColumns& counter = content.series[R"(counter_total{instance="h:1", job="a"})"];
  CHECK(counter.times.size() == 157);
  CHECK(content.series["odd"].times.size() == 7);
}

TEST_CASE("Blocks of a data folder are found, and nothing else", "[prometheusblock]") {
  const test::TempFolder folder;
  test::CopyOfBlock(folder.File("01B"));
  test::CopyOfBlock(folder.File("01A"));
  std::filesystem::create_directories(folder.File("wal"));
  std::filesystem::create_directories(folder.File("01C.tmp-for-creation"));
  test::WriteBytes(folder.File("lock"), "");
  const auto blocks = prometheusblock::ListBlocks(folder.path());
  REQUIRE(blocks);
  CHECK(*blocks == std::vector<std::string>{folder.File("01A"), folder.File("01B")});
  CHECK(prometheusblock::IsBlock(folder.File("01A")));
  CHECK_FALSE(prometheusblock::IsBlock(folder.path()));
  CHECK_FALSE(prometheusblock::ListBlocks(folder.File("nothing")));
}

TEST_CASE("A block of another version is refused by name", "[prometheusblock]") {
  const test::TempFolder folder;
  const std::string copy = test::CopyOfBlock(folder.File("block"));
  for (const auto& [name, at] :
       {std::pair<const char*, std::size_t>{"index", 4}, {"chunks/000001", 4}, {"tombstones", 4}}) {
    const std::string path = JoinPath(copy, name);
    const std::string whole = *ReadFile(path);
    std::string other = whole;
    other[at] = 9;
    test::WriteBytes(path, other);
    const Result<Block> block = Block::Open(copy);
    REQUIRE_FALSE(block);
    CHECK(block.error().kind() == ErrorKind::kInvalid);
    CHECK(block.error().message().starts_with(path + ": version 9 "));
    test::WriteBytes(path, whole);
  }
  const auto meta = prometheusblock::ReadMeta(
      R"({"ulid": "x", "minTime": 1, "maxTime": 2, "version": 2})", "meta.json");
  REQUIRE_FALSE(meta);
  CHECK(meta.error().message() == "meta.json: version 2 of a block is not known; 1 is");
}

}  // namespace
