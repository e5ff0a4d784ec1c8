#include "evaluator/tsdb/commit_codec.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "evaluator/tsdb/deletion_codec.h"
#include "evaluator/tsdb/histogram_codec.h"

namespace skep::tsdb {
namespace {

using Random = std::mt19937_64;

struct Batch {
  std::vector<std::pair<std::uint32_t, Labels>> series;
  std::vector<std::pair<std::uint32_t, Sample>> floats;
  std::vector<std::pair<std::uint32_t, FullSample>> full;
};

std::string Encode(CommitEncoder& encoder, const Batch& batch) {
  encoder.Clear();
  for (const auto& [number, labels] : batch.series) encoder.AddSeries(number, labels);
  for (const auto& [number, sample] : batch.floats) encoder.AddFloat(number, sample);
  for (const auto& [number, sample] : batch.full) encoder.AddFull(number, sample);
  std::string payload;
  for (const std::string_view part : encoder.Finish()) payload += part;
  return payload;
}

// What can be read of it, and whether that was all.
std::pair<Batch, bool> Decode(std::string_view payload) {
  Batch batch;
  const Result<CommitParts> parts = CommitParts::Find(payload);
  if (!parts) return {batch, false};
  SeriesCursor series(parts->series);
  while (series.Next()) batch.series.emplace_back(series.number(), series.labels());
  FloatCursor floats(parts->floats);
  while (floats.Next()) batch.floats.emplace_back(floats.number(), floats.sample());
  FullCursor full(parts->full);
  while (full.Next()) batch.full.emplace_back(full.number(), full.sample());
  return {batch, series.ok() && floats.ok() && full.ok()};
}

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool Same(const FullSample& a, const FullSample& b) {
  if (a.time != b.time || a.start != b.start || !a.histogram != !b.histogram) return false;
  if (!a.histogram) return SameBits(a.value, b.value);
  return SameHistogram(*a.histogram, *b.histogram) &&
         a.histogram->reset_hint == b.histogram->reset_hint;
}

void CheckSame(const Batch& a, const Batch& b) {
  CHECK(a.series == b.series);
  REQUIRE(a.floats.size() == b.floats.size());
  int wrong = 0;
  for (std::size_t i = 0; i < a.floats.size(); ++i) {
    wrong += a.floats[i].first != b.floats[i].first ||
             a.floats[i].second.time != b.floats[i].second.time ||
             !SameBits(a.floats[i].second.value, b.floats[i].second.value);
  }
  REQUIRE(a.full.size() == b.full.size());
  for (std::size_t i = 0; i < a.full.size(); ++i) {
    wrong += a.full[i].first != b.full[i].first || !Same(a.full[i].second, b.full[i].second);
  }
  CHECK(wrong == 0);
}

double RandomValue(Random& random) {
  switch (random() % 8) {
    case 0:
      return 0;
    case 1:
      return static_cast<double>(random() >> (random() % 64));
    case 2:
      return -static_cast<double>(random() % 1000);
    case 3:
      return static_cast<double>(random() % 1000) / 8;
    case 4:
      return kStaleNaN;
    case 5:
      return std::sin(static_cast<double>(random() % 1000));
    default:
      return std::bit_cast<double>(random());
  }
}

Timestamp RandomTime(Random& random) {
  if (random() % 10 == 0) return FromMillis(static_cast<std::int64_t>(random()));
  return FromMillis(1'700'000'000'000 + static_cast<std::int64_t>(random() % 3));
}

std::uint32_t RandomNumber(Random& random, std::uint32_t before) {
  return random() % 8 == 0 ? static_cast<std::uint32_t>(random()) : before + 1;
}

BucketRuns RandomRuns(Random& random, std::int32_t first) {
  BucketRuns runs;
  for (std::uint64_t n = random() % 6; n > 0; --n) {
    first += 1 + static_cast<std::int32_t>(random() % 3);
    runs.Append(first, RandomValue(random));
  }
  return runs;
}

HistogramPtr RandomHistogram(Random& random) {
  auto histogram = std::make_shared<Histogram>();
  histogram->reset_hint = static_cast<CounterResetHint>(random() % 4);
  histogram->count = RandomValue(random);
  histogram->sum = RandomValue(random);
  if (random() % 3 == 0) {
    histogram->schema = kCustomBucketsSchema;
    histogram->bounds = std::make_shared<const std::vector<double>>(
        std::vector<double>{0.1, 1, 7, std::numeric_limits<double>::infinity()});
    histogram->positive = RandomRuns(random, -1);
    return histogram;
  }
  histogram->schema = static_cast<int>(random() % 13) - 4;
  histogram->zero_threshold = 0x1p-128;
  histogram->zero_count = RandomValue(random);
  histogram->positive = RandomRuns(random, static_cast<std::int32_t>(random() % 100) - 50);
  histogram->negative = RandomRuns(random, static_cast<std::int32_t>(random() % 100) - 50);
  return histogram;
}

Labels RandomLabels(Random& random) {
  LabelsBuilder builder;
  builder.Set("__name__", "metric_" + std::to_string(random() % 3));
  for (const char* name : {"instance", "job", "le", "path"}) {
    if (random() % 3 > 0) builder.Set(name, "value-" + std::to_string(random() % 4));
  }
  if (random() % 20 == 0) builder.Set("long", std::string(random() % 1000, 'x'));
  return random() % 50 == 0 ? Labels() : builder.Build();
}

Batch RandomBatch(Random& random) {
  Batch batch;
  std::uint32_t number = 0;
  for (std::uint64_t n = random() % 20; n > 0; --n) {
    number = RandomNumber(random, number);
    batch.series.emplace_back(number, RandomLabels(random));
  }
  for (std::uint64_t n = random() % 100; n > 0; --n) {
    number = RandomNumber(random, number);
    batch.floats.push_back({number, {RandomTime(random), RandomValue(random)}});
  }
  for (std::uint64_t n = random() % 5; n > 0; --n) {
    number = RandomNumber(random, number);
    FullSample sample{.time = RandomTime(random)};
    if (random() % 2 == 0) {
      sample.histogram = RandomHistogram(random);
    } else {
      sample.value = RandomValue(random);
    }
    if (random() % 2 == 0) sample.start = RandomTime(random);
    batch.full.emplace_back(number, sample);
  }
  return batch;
}

TEST_CASE("A commit comes back bit by bit, whatever is in it", "[tsdb]") {
  Random random(1);
  CommitEncoder encoder;
  for (int turn = 0; turn < 300; ++turn) {
    CAPTURE(turn);
    const Batch batch = RandomBatch(random);
    const auto [read, whole] = Decode(Encode(encoder, batch));
    CHECK(whole);
    CheckSame(batch, read);
  }
}

TEST_CASE("Every value comes back bit by bit, in no more bytes than it needs", "[tsdb]") {
  const std::vector<std::pair<double, std::size_t>> cases = {
      {0.0, 0},
      {-0.0, 1},
      {1, 1},
      {255, 1},
      {256, 2},
      {65'536, 2},  // two bytes of the double
      {65'537, 3},
      {1'700'000'001, 4},
      {0x1p48 - 1, 6},
      {0x1p53, 2},
      {0.5, 2},
      {-1, 2},
      {100.25, 3},
      {0.1, 8},
      {kStaleNaN, 0},
      {kNormalNaN, 8},
      {std::numeric_limits<double>::infinity(), 2},
      {-std::numeric_limits<double>::infinity(), 2},
      {std::numeric_limits<double>::denorm_min(), 8},
      {std::numeric_limits<double>::max(), 8},
  };
  for (const auto& [value, size] : cases) {
    CAPTURE(value, size);
    std::array<char, 16> bytes{};
    char* at = bytes.data();
    const unsigned code = PackValue(value, at);
    CHECK(static_cast<std::size_t>(at - bytes.data()) == size);
    CHECK(kPackedBytes.at(code) == size);
    CHECK(SameBits(UnpackValue(code, bytes.data()), value));
  }
}

TEST_CASE("A float of a scrape costs one byte and its value", "[tsdb]") {
  CommitEncoder encoder;
  for (std::uint32_t number = 1; number <= 1000; ++number) {
    encoder.AddFloat(number, {FromMillis(1'700'000'000'000), 0.1 * number});
  }
  std::size_t size = 0;
  for (const std::string_view part : encoder.Finish()) size += part.size();
  CHECK(size < 1000 * 9 + 20);
}

TEST_CASE("Series of one page cost a few bytes each", "[tsdb]") {
  SeriesEncoder encoder;
  for (std::uint32_t number = 1; number <= 1000; ++number) {
    encoder.Add(number, {{"__name__", "http_request_duration_seconds_bucket"},
                         {"instance", "10.0.0.17:9100"},
                         {"job", "service"},
                         {"le", std::to_string(number)}});
  }
  CHECK(encoder.bytes().size() < 1000 * 12);
}

TEST_CASE("Cut and spoilt commits are read safely", "[tsdb]") {
  Random random(2);
  CommitEncoder encoder;
  Batch batch;
  while (batch.series.size() < 5 || batch.full.size() < 3) batch = RandomBatch(random);
  const std::string payload = Encode(encoder, batch);
  for (std::size_t cut = 0; cut < payload.size(); ++cut) {
    const std::string part = payload.substr(0, cut);  // a copy: reading beyond is found
    const auto [read, whole] = Decode(part);
    CHECK(read.floats.size() <= batch.floats.size());
  }
  for (std::size_t at = 0; at < payload.size(); ++at) {
    std::string spoilt = payload;
    spoilt[at] = static_cast<char>(spoilt[at] ^ (1 << (random() % 8)));
    (void)Decode(spoilt);
  }
}

TEST_CASE("A histogram that cannot be is refused", "[tsdb]") {
  const auto read = [](const Histogram& histogram) {
    ByteWriter out;
    WriteHistogram(histogram, out);
    ByteReader reader(out.view());
    (void)ReadHistogram(reader, nullptr);
    return reader.ok();
  };
  Histogram good;
  good.positive.spans = {{3, 2}, {7, 1}};
  good.positive.counts = {1, 2, 3};
  CHECK(read(good));
  Histogram bad = good;
  bad.schema = 9;
  CHECK_FALSE(read(bad));
  bad = good;
  bad.positive.spans[1].first = 4;  // overlaps
  CHECK_FALSE(read(bad));
  bad = good;
  bad.positive.spans[1].length = 2;  // more buckets than counts
  CHECK_FALSE(read(bad));
  bad = good;
  bad.positive.spans[1].first = std::numeric_limits<std::int32_t>::max();
  CHECK_FALSE(read(bad));
  bad = good;
  bad.schema = kCustomBucketsSchema;
  CHECK(read(bad));
  bad.positive.spans[0].first = -1;
  CHECK_FALSE(read(bad));
}

TEST_CASE("Histograms of one batch share equal bounds", "[tsdb]") {
  CommitEncoder encoder;
  for (const double upper : {2.0, 2.0, 3.0}) {
    Histogram histogram;
    histogram.schema = kCustomBucketsSchema;
    histogram.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{1, upper});
    encoder.AddFull(
        1, {.time = FromMillis(1), .histogram = std::make_shared<const Histogram>(histogram)});
  }
  const std::string payload(encoder.Finish()[3]);
  FullCursor cursor(payload);
  std::vector<HistogramPtr> read;
  while (cursor.Next()) read.push_back(cursor.sample().histogram);
  REQUIRE(read.size() == 3);
  CHECK(read[0]->bounds == read[1]->bounds);
  CHECK(read[2]->bounds != read[1]->bounds);
}

TEST_CASE("Forgotten and deleted series come back; other bytes are refused", "[tsdb]") {
  const std::vector<std::uint32_t> numbers = {5, 6, 7, 4'000'000'000, 1};
  ByteWriter out;
  WriteForgotten(numbers, out);
  CHECK(*ReadForgotten(out.view()) == numbers);
  CHECK(ReadForgotten("\xff").error().kind() == ErrorKind::kCorrupt);
  const Deletion deletion{.range = {kMinTimestamp, FromMillis(1'700'000'000'000)},
                          .numbers = numbers};
  out.Clear();
  WriteDeletion(deletion, out);
  const Result<Deletion> read = ReadDeletion(out.view());
  REQUIRE(read);
  CHECK(read->range.min == deletion.range.min);
  CHECK(read->range.max == deletion.range.max);
  CHECK(read->numbers == numbers);
  CHECK(ReadDeletion("").error().kind() == ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace skep::tsdb
