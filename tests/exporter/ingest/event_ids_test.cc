#include "exporter/ingest/event_ids.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

namespace skep::ingest {
namespace {

const Timestamp kNow = FromMillis(1'800'000'000'000);

RememberedId Id(int number, Timestamp at = kNow) {
  return HashEventId("signup", std::to_string(number), at);
}

void Add(EventIds& ids, int first, int end, Timestamp at = kNow) {
  std::vector<RememberedId> some;
  for (int i = first; i < end; ++i) some.push_back(Id(i, at));
  ids.Add(some, at);
}

TEST_CASE("Hashes of ids stay what they are, since they stand in files", "[events]") {
  // What `openssl mac -macopt size:16 SipHash` with the key 00 01 .. 0f says of "a\0b".
  const RememberedId id = HashEventId("a", "b", FromMillis(5'000));
  CHECK(id.seconds == 5);
  CHECK(id.high == 0x5cf8bd276b20919aULL);
  CHECK(id.low == 0x18efef8aU);
  // The same of the 63 bytes 00 01 .. 3e, the first of which is the separator.
  std::string bytes;
  for (int i = 0; i < 63; ++i) bytes.push_back(static_cast<char>(i));
  const RememberedId vector = HashEventId("", std::string_view(bytes).substr(1), kNow);
  CHECK(vector.high == 0x4a83502f77d15051ULL);
  CHECK(HashEventId("ab", "c", kNow).high != HashEventId("a", "bc", kNow).high);
}

TEST_CASE("Ids are known for 24 hours", "[events]") {
  EventIds ids;
  CHECK_FALSE(ids.Has(Id(1)));
  Add(ids, 0, 5000);
  CHECK(ids.size() == 5000);
  for (int i = 0; i < 5000; ++i) REQUIRE(ids.Has(Id(i)));
  CHECK_FALSE(ids.Has(Id(5000)));
  Add(ids, 5000, 5001, kNow + std::chrono::hours(23));
  CHECK(ids.Has(Id(4999)));
  Add(ids, 5001, 5002, kNow + std::chrono::hours(25));
  CHECK(ids.size() == 2);
  CHECK_FALSE(ids.Has(Id(4999)));
  CHECK(ids.Has(Id(5000)));
  CHECK(ids.forgotten_early() == 0);
  const Timestamp later = kNow + std::chrono::hours(25);
  CHECK(ids.CoveredSince(later) == later - EventIds::kKeptFor);
}

TEST_CASE("Over the bound the oldest id goes, which is counted and told", "[events]") {
  EventIds ids(3000);
  Add(ids, 0, 1000);
  Add(ids, 1000, 4500, kNow + std::chrono::seconds(10));
  CHECK(ids.size() == 3000);
  CHECK(ids.forgotten_early() == 1500);
  for (int i = 0; i < 4500; ++i) REQUIRE(ids.Has(Id(i)) == (i >= 1500));
  CHECK(ids.CoveredSince(kNow) > kNow + std::chrono::seconds(10));
}

TEST_CASE("What comes and goes for long is what a plain set holds", "[events]") {
  EventIds ids(700);
  std::set<int> plain;
  for (int i = 0; i < 3'000; ++i) {
    const int id = static_cast<int>((static_cast<unsigned>(i) * 2654435761U >> 20) % 2000);
    if (ids.Has(Id(id))) {
      REQUIRE(plain.contains(id));
      continue;
    }
    Add(ids, id, id + 1);
    plain.insert(id);
    if (plain.size() <= 700) continue;
    // The one that went is the only one of the plain set that is not known.
    int gone = -1;
    for (const int known : plain) {
      if (!ids.Has(Id(known))) {
        REQUIRE(gone == -1);
        gone = known;
      }
    }
    REQUIRE(gone >= 0);
    plain.erase(gone);
  }
}

TEST_CASE("A clock that is set back loses no id that it should know", "[events]") {
  EventIds ids(100);
  Add(ids, 0, 10, kNow + std::chrono::hours(30));
  Add(ids, 10, 20, kNow);
  Add(ids, 20, 30, kNow + std::chrono::hours(30));
  CHECK(ids.Has(Id(5, kNow + std::chrono::hours(30))));
  CHECK_FALSE(ids.Has(Id(15, kNow + std::chrono::hours(30))));
  Add(ids, 15, 16, kNow + std::chrono::hours(30));
  CHECK(ids.Has(Id(15, kNow + std::chrono::hours(30))));
  Add(ids, 100, 200, kNow + std::chrono::hours(31));
  CHECK(ids.size() == 100);
  CHECK_FALSE(ids.Has(Id(15, kNow + std::chrono::hours(31))));
  for (int i = 100; i < 200; ++i) REQUIRE(ids.Has(Id(i, kNow + std::chrono::hours(31))));
}

TEST_CASE("Saved ids come back, repeats and torn records do no harm", "[events]") {
  EventIds ids;
  Add(ids, 0, 10'000);
  std::vector<std::string> records;
  ids.Save([&records](std::string_view record) { records.emplace_back(record); });
  EventIds restored;
  for (const std::string& record : records) REQUIRE(restored.Restore(record));
  REQUIRE(restored.Restore(records[0]));
  CHECK(restored.size() == 10'000);
  for (int i = 0; i < 10'000; ++i) REQUIRE(restored.Has(Id(i)));
  CHECK(restored.Restore(records[0].substr(1)).error().kind() == ErrorKind::kCorrupt);
  CHECK(restored.Restore(""));
}

}  // namespace
}  // namespace skep::ingest
