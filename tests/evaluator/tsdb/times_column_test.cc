#include "evaluator/tsdb/times_column.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/evaluator/tsdb/chunk_cases.h"

namespace skep::tsdb {
namespace {

std::string Encoded(const std::vector<Timestamp>& times) {
  std::string bytes;
  EncodeTimes(times, bytes);
  return bytes;
}

TimesReader Opened(const std::string& bytes) {
  Result<TimesReader> reader = TimesReader::Open(bytes);
  REQUIRE(reader);
  return *reader;
}

TEST_CASE("Times of every rhythm come back, whole and in part", "[tsdb]") {
  for (const auto& [name, times] : TimesCases()) {
    CAPTURE(name);
    const std::string bytes = Encoded(times);
    const TimesReader reader = Opened(bytes);
    const auto count = static_cast<std::uint32_t>(times.size());
    REQUIRE(reader.count() == count);
    std::vector<Timestamp> whole;
    REQUIRE(reader.Read({0, count}, whole));
    CHECK(whole == times);
    const std::uint32_t step = 1 + count / 13;
    for (std::uint32_t begin = 0; begin < count; begin += step) {
      for (std::uint32_t end = begin; end <= count; end += step) {
        std::vector<Timestamp> part;
        REQUIRE(reader.Read({begin, end}, part));
        CHECK(part == std::vector<Timestamp>(times.begin() + begin, times.begin() + end));
      }
    }
  }
}

TEST_CASE("Rows are found by time as a plain search finds them", "[tsdb]") {
  for (const auto& [name, times] : TimesCases()) {
    CAPTURE(name);
    const std::string bytes = Encoded(times);
    const TimesReader reader = Opened(bytes);
    std::vector<Timestamp> ends = {kMinTimestamp, kMaxTimestamp};
    for (std::size_t i = 0; i < times.size(); i += 1 + times.size() / 11) {
      if (times[i] == kMinTimestamp || times[i] == kMaxTimestamp) continue;
      for (const int off : {-1, 0, 1}) ends.push_back(times[i] + Duration(off));
    }
    for (const Timestamp min : ends) {
      for (const Timestamp max : ends) {
        const Result<RowRange> rows = reader.Find({min, max});
        REQUIRE(rows);
        const auto low = std::lower_bound(times.begin(), times.end(), min);
        const auto high = std::upper_bound(times.begin(), times.end(), max);
        CHECK(rows->size() == std::max<std::ptrdiff_t>(0, high - low));
        if (!rows->empty()) CHECK(times[rows->begin] == *low);
      }
    }
  }
}

TEST_CASE("A regular run takes a handful of bytes, jitter a few bits, a gap a few bytes",
          "[tsdb]") {
  const auto size = [](const char* name) {
    for (const auto& [other, times] : TimesCases()) {
      if (other == name) return Encoded(times).size();
    }
    return std::size_t{0};
  };
  CHECK(size("regular") <= 16);
  CHECK(size("every millisecond") <= 16);
  CHECK(size("drift") <= 16 + 700 / 8 + 8);
  CHECK(size("jitter") <= 16 + 960 * 3 / 8 + 8);
  CHECK(size("gaps") <= 16 + 400 / 57 * 7);
  CHECK(size("late ones") <= 16 + 10 * 10);
  CHECK(size("rhythm changes") <= 80);
}

TEST_CASE("Times whose bytes are damaged are refused or rise", "[tsdb]") {
  for (const auto& [name, times] : TimesCases()) {
    CAPTURE(name);
    const std::string good = Encoded(times);
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 60) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      for (const std::string_view bytes :
           {std::string_view(bad), std::string_view(good).substr(0, at)}) {
        const Result<TimesReader> reader = TimesReader::Open(bytes);
        if (!reader) {
          CHECK(reader.error().kind() == ErrorKind::kCorrupt);
          continue;
        }
        (void)reader->Find({times.front(), times.back()});
        std::vector<Timestamp> out = {FromMillis(1)};
        const Status status = reader->Read({0, reader->count()}, out);
        if (!status) {
          CHECK(status.error().kind() == ErrorKind::kCorrupt);
          CHECK(out.size() == 1);
        } else {
          CHECK(std::is_sorted(out.begin() + 1, out.end(), std::less_equal<>()));
        }
      }
    }
  }
}

TEST_CASE("Times refuse a count beyond what a chunk holds", "[tsdb]") {
  std::string bytes;
  AppendVarint(bytes, kMaxChunkSamples + 1);
  AppendSigned(bytes, 0);
  const Result<TimesReader> reader = TimesReader::Open(bytes);
  REQUIRE(!reader);
  CHECK(reader.error().message() == "times of a chunk: count is 16385, at most 16384 are possible");
}

}  // namespace
}  // namespace skep::tsdb
