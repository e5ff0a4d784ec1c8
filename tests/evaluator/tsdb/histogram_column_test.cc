#include "evaluator/tsdb/histogram_column.h"

#include <catch2/catch.hpp>
#include <random>

#include "common/model/sample.h"
#include "evaluator/tsdb/chunk.h"

namespace skep::tsdb {
namespace {

using Histograms = std::vector<HistogramPtr>;

bool Same(const Histograms& a, const Histograms& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x->reset_hint == y->reset_hint && SameHistogram(*x, *y);
  });
}

Histogram Exponential(int schema, std::uint32_t buckets) {
  Histogram histogram;
  histogram.schema = schema;
  histogram.zero_threshold = 0x1p-128;
  for (std::uint32_t i = 0; i < buckets; ++i) {
    histogram.positive.Append(static_cast<std::int32_t>(i + i / 3) - 5, i);
    if (i % 2 == 0) histogram.negative.Append(static_cast<std::int32_t>(2 * i), i);
  }
  return histogram;
}

// Observations fall in at random; the layout changes now and then.
Histograms Counters(std::size_t count) {
  std::mt19937_64 random(3);
  Histograms out;
  Histogram now;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 150 == 0) now = Exponential(static_cast<int>(i / 150 % 9), 8);
    now.reset_hint = i % 150 == 0 ? CounterResetHint::kReset : CounterResetHint::kNotReset;
    for (double& bucket : now.positive.counts) {
      const auto more = static_cast<double>(random() % 5);
      bucket += more;
      now.count += more;
      now.sum += more * 0.25;
    }
    out.push_back(std::make_shared<Histogram>(now));
  }
  return out;
}

Histograms Odd() {
  Histogram empty;
  Histogram gauge = Exponential(-4, 3);
  gauge.reset_hint = CounterResetHint::kGauge;
  gauge.sum = kStaleNaN;
  gauge.count = 0.1;
  gauge.positive.counts[1] = -0.0;
  Histogram ends;
  ends.positive.Append(std::numeric_limits<std::int32_t>::min(), 1);
  ends.positive.Append(std::numeric_limits<std::int32_t>::max(), 2);
  Histogram custom;
  custom.schema = kCustomBucketsSchema;
  custom.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{0.1, 1, 10});
  custom.positive.Append(0, 3);
  custom.positive.Append(3, 4);
  Histogram other = custom;
  other.bounds = std::make_shared<const std::vector<double>>(std::vector<double>{0.1, 1, 20});
  Histogram no_bounds;
  no_bounds.schema = kCustomBucketsSchema;
  Histograms out;
  for (const Histogram& one : {empty, gauge, ends, custom, custom, other, no_bounds, empty}) {
    out.push_back(std::make_shared<Histogram>(one));
  }
  return out;
}

TEST_CASE("Histograms come back as they were, whole and in part", "[tsdb]") {
  ValuesEncoder encoder;
  for (const Histograms& histograms : {Counters(1), Counters(400), Odd()}) {
    std::string bytes;
    EncodeHistograms(histograms, encoder, bytes);
    const auto count = static_cast<std::uint32_t>(histograms.size());
    for (const RowRange rows : {RowRange{0, count}, RowRange{count / 3, count / 2},
                                RowRange{count / 2, count}, RowRange{0, 0}}) {
      Histograms out;
      REQUIRE(DecodeHistograms(bytes, count, rows, out));
      CHECK(Same(out, Histograms(histograms.begin() + rows.begin, histograms.begin() + rows.end)));
    }
  }
}

TEST_CASE("Histograms of one layout share their bounds and cost little", "[tsdb]") {
  ValuesEncoder encoder;
  const Histograms same(960, Odd()[3]);
  std::string bytes;
  EncodeHistograms(same, encoder, bytes);
  CHECK(bytes.size() <= 80);
  Histograms out;
  REQUIRE(DecodeHistograms(bytes, 960, {0, 960}, out));
  CHECK(out[0]->bounds == out[959]->bounds);
  const Histograms counters = Counters(150);
  bytes.clear();
  EncodeHistograms(counters, encoder, bytes);
  CHECK(bytes.size() <= 150 * (8 * 3 / 8 + 2) + 300);
}

TEST_CASE("A chunk of histograms gives those of a range, with their starts", "[tsdb]") {
  storage::SampleColumns::Histograms samples;
  samples.values = Counters(200);
  for (int i = 0; i < 200; ++i) {
    samples.times.push_back(FromMillis(i * 1000));
    samples.starts.push_back(FromMillis(i < 150 ? -5 : 149'500));
  }
  ChunkEncoder encoder;
  const Chunk chunk = encoder.EncodeHistograms(samples);
  CHECK(chunk.kind == ChunkKind::kHistogram);
  CHECK(ChunkKindName(chunk.kind) == "histogram");
  storage::SampleColumns out;
  REQUIRE(DecodeChunk(chunk, {FromMillis(140'000), FromMillis(159'000)}, out));
  CHECK(out.times.empty());
  REQUIRE(out.histograms.size() == 20);
  CHECK(out.histograms.times.front() == FromMillis(140'000));
  CHECK(out.histograms.starts[9] == FromMillis(-5));
  CHECK(out.histograms.starts[10] == FromMillis(149'500));
  CHECK(Same(out.histograms.values,
             Histograms(samples.values.begin() + 140, samples.values.begin() + 160)));
  CHECK(!*SummaryOf(chunk));
}

TEST_CASE("Histograms whose bytes are damaged are refused or come to their count", "[tsdb]") {
  ValuesEncoder encoder;
  for (const Histograms& histograms : {Counters(160), Odd()}) {
    std::string good;
    EncodeHistograms(histograms, encoder, good);
    const auto count = static_cast<std::uint32_t>(histograms.size());
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 200) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      for (const std::string_view bytes :
           {std::string_view(bad), std::string_view(good).substr(0, at)}) {
        Histograms out = {histograms[0]};
        const Status status = DecodeHistograms(bytes, count, {0, count}, out);
        CHECK(out.size() == (status ? 1U + count : 1U));
        if (!status) CHECK(status.error().kind() == ErrorKind::kCorrupt);
      }
    }
  }
}

}  // namespace
}  // namespace skep::tsdb
