#include "evaluator/prometheusblock/index.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/base/crc32c.h"

namespace {

using namespace skep;
using prometheusblock::Index;
using prometheusblock::IndexedSeries;

std::string U32(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}
std::string U64(std::uint64_t number) {
  return U32(static_cast<std::uint32_t>(number >> 32)) + U32(static_cast<std::uint32_t>(number));
}
std::string Varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}
std::string Text(const std::string& text) { return Varint(text.size()) + text; }
std::string Summed(const std::string& content) { return content + U32(Crc32c(content)); }
std::string Section(const std::string& content) {
  return U32(static_cast<std::uint32_t>(content.size())) + Summed(content);
}

// Prometheus 2.0 wrote these: labels are named by where they stand in the file, series too.
std::string IndexOfVersion1() {
  std::string file = U32(0xBAAAD700) + '\1';
  const std::uint64_t symbols_at = file.size();
  // The strings begin behind the section's length and count: at 13, 22, 24 and 28.
  file += Section(U32(4) + Text("__name__") + Text("a") + Text("job") + Text("x"));
  const std::string content = Varint(2) + Varint(13) + Varint(22) + Varint(24) + Varint(28) +
                              Varint(2) + Varint(2 * 1000) + Varint(500) + Varint(8) + Varint(10) +
                              Varint(90) + Varint(2 * 100);
  const std::uint64_t series_at = file.size();
  file += Varint(content.size()) + Summed(content);
  const std::uint64_t postings_at = file.size();
  file += Section(U32(1) + U32(static_cast<std::uint32_t>(series_at)));
  const std::uint64_t table_at = file.size();
  file += Section(U32(2) + Varint(2) + Text("job") + Text("x") + Varint(7) + Varint(2) + Text("") +
                  Text("") + Varint(postings_at));
  return file + Summed(U64(symbols_at) + U64(series_at) + U64(0) + U64(0) + U64(postings_at) +
                       U64(table_at));
}

TEST_CASE("An index of version 1 is read", "[prometheusblock]") {
  const std::string file = IndexOfVersion1();
  const Result<Index> index = Index::Open(file, "index");
  REQUIRE(index);
  REQUIRE(index->series_count() == 1);
  IndexedSeries series;
  REQUIRE(index->Read(0, series));
  CHECK(series.labels == Labels{{"__name__", "a"}, {"job", "x"}});
  REQUIRE(series.chunks.size() == 2);
  CHECK(ToMillis(series.chunks[0].min_time) == 1000);
  CHECK(ToMillis(series.chunks[0].max_time) == 1500);
  CHECK(series.chunks[0].place == 8);
  CHECK(ToMillis(series.chunks[1].min_time) == 1510);
  CHECK(ToMillis(series.chunks[1].max_time) == 1600);
  CHECK(series.chunks[1].place == 108);
}

TEST_CASE("An index that is cut or changed anywhere is never read beyond its end",
          "[prometheusblock]") {
  const std::string file = IndexOfVersion1();
  for (std::size_t at = 0; at < file.size(); ++at) {
    CAPTURE(at);
    CHECK_FALSE(Index::Open(std::string_view(file).substr(0, at), "index"));
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    const Result<Index> index = Index::Open(changed, "index");
    IndexedSeries series;
    if (index && index->series_count() > 0) (void)index->Read(0, series);
  }
}

}  // namespace
