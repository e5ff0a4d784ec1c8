// The disk of the other tests: what it promises to lose, and never to lose.
#include "tests/support/memory_disk.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace skep::tsdb {
namespace {

using test::MemoryDisk;

// Which contents of `path` are seen after power cuts, "-" where it is not there.
template <typename Prepare>
std::set<std::string> AfterCuts(const std::string& path, Prepare prepare) {
  std::set<std::string> seen;
  for (unsigned seed = 0; seed < 300; ++seed) {
    MemoryDisk disk;
    prepare(disk);
    MemoryDisk::Random random(seed);
    disk.PowerCut(random);
    const auto file = disk.Map(path);
    seen.insert(file ? std::string((*file)->bytes()) : "-");
  }
  return seen;
}

TEST_CASE("What was synced survives a power cut of MemoryDisk, what was not is kept, lost or torn",
          "[tsdb]") {
  const auto seen = AfterCuts("a", [](MemoryDisk& disk) {
    auto file = std::move(*disk.Create("a"));
    REQUIRE(disk.SyncFolder(""));
    REQUIRE(file->Append("12"));
    REQUIRE(file->Sync());
    REQUIRE(file->Append("34"));
  });
  CHECK(seen == std::set<std::string>{"12", "12" + std::string(1, '\0'),
                                      "12" + std::string(2, '\0'), "123", "1234"});
}

TEST_CASE("Blocks of MemoryDisk are written in any order", "[tsdb]") {
  const auto seen = AfterCuts("a", [&](MemoryDisk& disk) {
    auto file = std::move(*disk.Create("a"));
    REQUIRE(disk.SyncFolder(""));
    REQUIRE(file->Append(std::string(1024, 'x')));
  });
  const std::string hole(512, '\0');
  bool second_alone = false;
  for (const std::string& content : seen) {
    second_alone |= content.size() > 512 && content.starts_with(hole) && content[512] == 'x';
  }
  CHECK(second_alone);
}

TEST_CASE("Names of MemoryDisk that were not synced come and go in a power cut", "[tsdb]") {
  CHECK(AfterCuts("a", [](MemoryDisk& disk) {
          auto file = std::move(*disk.Create("a"));
          REQUIRE(file->Append("1"));
          REQUIRE(file->Sync());
        }) == std::set<std::string>{"-", "1"});
  const auto renamed = [](MemoryDisk& disk) {
    for (const char* name : {"a", "b"}) {
      auto file = std::move(*disk.Create(name));
      REQUIRE(file->Append(name));
      REQUIRE(file->Sync());
    }
    REQUIRE(disk.SyncFolder(""));
    REQUIRE(disk.Rename("b", "a"));
  };
  CHECK(AfterCuts("a", renamed) == std::set<std::string>{"a", "b"});
  CHECK(AfterCuts("b", renamed) == std::set<std::string>{"-", "b"});
  const auto in_folder = [](MemoryDisk& disk) {
    REQUIRE(disk.MakeFolder("f"));
    auto file = std::move(*disk.Create("f/a"));
    REQUIRE(file->Append("1"));
    REQUIRE(file->Sync());
    REQUIRE(disk.SyncFolder("f"));
    REQUIRE(disk.Rename("f", "g"));
  };
  CHECK(AfterCuts("f/a", in_folder) == std::set<std::string>{"-", "1"});
  CHECK(AfterCuts("g/a", in_folder) == std::set<std::string>{"-", "1"});
}

TEST_CASE("A full MemoryDisk writes what fits", "[tsdb]") {
  MemoryDisk disk;
  disk.set_faults({.capacity_bytes = 3});
  auto file = std::move(*disk.Create("a"));
  const Status written = file->Append("12345");
  REQUIRE_FALSE(written);
  CHECK(IsDiskFull(written.error()));
  CHECK(file->size() == 3);
  CHECK(*disk.FreeBytes() == 0);
  disk.set_faults({});
  REQUIRE(file->Append("45"));
  CHECK(disk.Content("a") == "12345");
}

}  // namespace
}  // namespace skep::tsdb
