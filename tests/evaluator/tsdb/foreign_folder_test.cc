#include "evaluator/tsdb/foreign_folder.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/read_only_disk.h"
#include "evaluator/tsdb/record_file.h"
#include "tests/support/memory_disk.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace skep;
using tsdb::CheckNotForeign;

constexpr const char* kUlid = "01HF8C9Z6R3W2V7Q5T4N0M1KJX";

// A segment of Prometheus's log with one record: kind, length, sum, content.
std::string Segment() {
  const std::string content = "\1series and more";
  std::string bytes{'\1', '\0', static_cast<char>(content.size())};
  const std::uint32_t sum = Crc32c(content);
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(sum >> shift);
  return bytes + content;
}

void Put(test::MemoryDisk& disk, const std::string& path, const std::string& bytes) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos) REQUIRE(disk.MakeFolder(path.substr(0, slash)));
  disk.SetContent(path, bytes);
}

TEST_CASE("The data folder of a Prometheus is known by each of its entries", "[tsdb]") {
  const std::string ulid = kUlid;
  const struct {
    std::string file, bytes, sign;
  } cases[] = {
      {"chunks_head/000001", "", "chunks_head/"},
      {"queries.active", "[", "queries.active"},
      {ulid + "/meta.json", "{}", ulid + "/meta.json"},
      {"wal/checkpoint.00000007/00000000", "", "wal/checkpoint.00000007"},
      {"wal/00000000", Segment(), "wal/00000000"},
      {"wal/00000012", Segment() + std::string(1000, '\0'), "wal/00000012"},
  };
  for (const auto& [file, bytes, sign] : cases) {
    CAPTURE(file);
    test::MemoryDisk disk;
    Put(disk, file, bytes);
    const Status status = CheckNotForeign(disk);
    REQUIRE_FALSE(status);
    CHECK(status.error().kind() == ErrorKind::kInvalid);
    CHECK(status.error().message().find("as " + sign + " in it shows") != std::string::npos);
    CHECK(status.error().message().find("skep tsdb import") != std::string::npos);
  }
}

TEST_CASE("A store of ours is not foreign, also where it is damaged", "[tsdb]") {
  const std::string magic = tsdb::kSegmentMagic.bytes();
  const std::string ulid = kUlid;
  const struct {
    std::string file, bytes;
  } cases[] = {
      {"lock", "17\n"},
      {"blocks/00000001.block", "skepblk"},
      {"snapshots/20260102T030405Z-0123456789abcdef/wal/00000001", magic},
      {"wal/00000001", magic + std::string(100, '\0')},
      {"wal/00000001", ""},
      {"wal/00000001", std::string(100, '\0')},      // never written to the disk
      {"wal/00000001", "tkepwal" + magic},           // rotten
      {"wal/00000001", Segment().substr(0, 12)},     // no whole record
      {"wal/checkpoint.00000001", "skepckp"},        // a file
      {"wal/00000001.old", Segment()},               // not read as a segment
      {ulid + "/note", ""},                          // no block
      {ulid.substr(1) + "/meta.json", "{}"},         // no ULID
      {"01HF8C9Z6R3W2V7Q5T4N0M1KJL/meta.json", ""},  // L is none of its characters
      {"chunks_head", "a file"},
  };
  for (const auto& [file, bytes] : cases) {
    CAPTURE(file, bytes);
    test::MemoryDisk disk;
    Put(disk, file, bytes);
    CHECK(CheckNotForeign(disk));
  }
}

TEST_CASE("A folder that is empty or not there is not foreign", "[tsdb]") {
  const test::TempFolder folder;
  tsdb::ReadOnlyDisk nowhere(folder.File("nowhere"));
  CHECK(CheckNotForeign(nowhere));
  const auto disk = tsdb::PosixDisk::Open(folder.File("store"));
  REQUIRE(disk);
  CHECK(CheckNotForeign(**disk));
  REQUIRE((*disk)->MakeFolder("chunks_head"));
  CHECK_FALSE(CheckNotForeign(**disk));
}

}  // namespace
