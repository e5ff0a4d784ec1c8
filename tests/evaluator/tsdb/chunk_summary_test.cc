#include "evaluator/tsdb/chunk_summary.h"

#include <catch2/catch.hpp>

#include "evaluator/tsdb/chunk.h"
#include "tests/evaluator/tsdb/chunk_cases.h"

namespace skep::tsdb {
namespace {

// By definition, with more digits, one number after the other.
ChunkSummary Plain(const std::vector<double>& values) {
  ChunkSummary summary;
  summary.count = static_cast<std::uint32_t>(values.size());
  summary.first = summary.min = summary.max = values.front();
  summary.last = values.back();
  long double sum = 0;
  long double squares = 0;
  long double before_resets = 0;
  long double before = values.front();
  for (const double value : values) sum += value;
  for (const double value : values) {
    squares += (value - sum / values.size()) * (value - sum / values.size());
    if (value < summary.min) summary.min = value;
    if (value > summary.max) summary.max = value;
  }
  for (const double value : values) {
    if (value != before) ++summary.changes;
    if (value < before) ++summary.resets;
    if (value < before) before_resets += before;
    before = value;
  }
  summary.sum = double(sum);
  summary.squares = double(squares);
  summary.before_resets = double(before_resets);
  return summary;
}

void CheckClose(const ChunkSummary& a, const ChunkSummary& b) {
  const auto close = [&](double x, double y) {
    const double scale = std::max({std::fabs(a.max), std::fabs(a.min), std::fabs(x), std::fabs(y)});
    return x == y || std::fabs(x - y) <= 1e-12 * scale;
  };
  CHECK(a.count == b.count);
  CHECK(a.resets == b.resets);
  CHECK(a.changes == b.changes);
  CHECK(a.first == b.first);
  CHECK(a.last == b.last);
  CHECK(a.min == b.min);
  CHECK(a.max == b.max);
  CHECK(close(a.sum, b.sum));
  CHECK(close(a.squares, b.squares));
  CHECK(close(a.before_resets, b.before_resets));
}

bool Finite(const std::vector<double>& values) {
  for (const double value : values) {
    if (!(std::fabs(value) < 1e150)) return false;
  }
  return true;
}

TEST_CASE("A summary is what the values come to, and comes back bit for bit", "[tsdb]") {
  ChunkEncoder encoder;
  int finite = 0;
  for (const auto& [name, values] : ValuesCases()) {
    CAPTURE(name);
    const std::optional<ChunkSummary> summary = Summarize(values);
    REQUIRE(summary.has_value() == Finite(values));
    if (!summary) continue;
    ++finite;
    CheckClose(*summary, Plain(values));
    for (const Scale scale :
         {Scale(), Scale::Divided(3), Scale::Multiplied(2), Scale::Divided(18)}) {
      std::string bytes;
      EncodeSummary(*summary, scale, bytes);
      const Result<ChunkSummary> back = DecodeSummary(bytes, summary->count);
      REQUIRE(back);
      CHECK(*back == *summary);
      for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        CHECK(!DecodeSummary(std::string_view(bytes).substr(0, cut), summary->count));
      }
    }
  }
  CHECK(finite > 10);
}

TEST_CASE("Summaries of parts join to that of the whole", "[tsdb]") {
  for (const auto& [name, values] : ValuesCases()) {
    if (!Finite(values) || values.size() < 2) continue;
    CAPTURE(name);
    for (const std::size_t cut : {std::size_t{1}, values.size() / 2, values.size() - 1}) {
      const std::span all(values);
      CheckClose(Joined(*Summarize(all.first(cut)), *Summarize(all.subspan(cut))), Plain(values));
    }
  }
}

TEST_CASE("A chunk knows what stands for it", "[tsdb]") {
  ChunkEncoder encoder;
  for (const auto& [name, values] : ValuesCases()) {
    CAPTURE(name);
    storage::SampleColumns samples;
    samples.values = values;
    samples.times = MakeTimes(values.size(), 0, [](std::size_t, std::mt19937_64&) { return 1; });
    const Chunk chunk = encoder.EncodeFloats(samples);
    const Result<std::optional<ChunkSummary>> summary = SummaryOf(chunk);
    REQUIRE(summary);
    REQUIRE(summary->has_value() == Finite(values));
    if (*summary) CheckClose(**summary, Plain(values));
    if (chunk.kind == ChunkKind::kConstant) CHECK(chunk.summary.empty());
    if (chunk.kind == ChunkKind::kInteger) CHECK(chunk.summary.size() <= 60);
  }
}

TEST_CASE("A summary of a counter is short", "[tsdb]") {
  std::vector<double> values;
  for (int i = 0; i < 960; ++i) values.push_back(1'000'000 + i * 37 + i % 5);
  std::string bytes;
  EncodeSummary(*Summarize(values), Scale(), bytes);
  CHECK(bytes.size() <= 26);
}

}  // namespace
}  // namespace skep::tsdb
