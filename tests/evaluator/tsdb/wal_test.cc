#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "evaluator/tsdb/checkpoint.h"
#include "evaluator/tsdb/wal_replay.h"
#include "evaluator/tsdb/wal_writer.h"
#include "tests/support/memory_disk.h"

namespace skep::tsdb {
namespace {

using test::MemoryDisk;
using Strings = std::vector<std::string>;
using ProblemKind = WalProblem::Kind;

constexpr RecordKind kOurs = RecordKind::kFirstOfHead;

struct Read {
  Strings records;
  WalReplay replay;
};

Read ReadAll(MemoryDisk& disk) {
  Read read;
  const auto visit = [&read](const Record& record) -> Status {
    read.records.emplace_back(record.payload);
    return {};
  };
  const Result<WalReplay> replay = ReplayWal(disk, kWalFolder, visit);
  REQUIRE(replay);
  read.replay = *replay;
  return read;
}

WalWriter Writer(MemoryDisk& disk, std::uint64_t segment_bytes = 1 << 20) {
  return {disk, {.segment_bytes = segment_bytes}, ReadAll(disk).replay.end};
}

// Three segments of three records each; gives the records. "r1.1" and so on, of various lengths.
Strings WriteSmallLog(MemoryDisk& disk) {
  WalWriter writer = Writer(disk);
  Strings written;
  for (int segment = 1; segment <= 3; ++segment) {
    for (int i = 1; i <= 3; ++i) {
      std::string record = "r" + std::to_string(segment) + "." + std::to_string(i);
      record.append(static_cast<std::size_t>(5 * i), 'x');
      REQUIRE(writer.Append(kOurs, record));
      written.push_back(std::move(record));
    }
    if (segment < 3) REQUIRE(writer.Cut());
  }
  REQUIRE(writer.Sync());
  return written;
}

bool IsSubsequence(const Strings& part, const Strings& whole) {
  auto at = whole.begin();
  for (const std::string& record : part) {
    at = std::find(at, whole.end(), record);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

TEST_CASE("Records come back in order, over segments and restarts", "[tsdb]") {
  std::mt19937_64 random(1);
  MemoryDisk disk;
  Strings written;
  for (int start = 0; start < 4; ++start) {
    WalWriter writer = Writer(disk, 2000);
    for (int i = 0; i < 100; ++i) {
      std::string record(random() % 300, static_cast<char>(random()));
      const std::string_view all = record;
      const std::size_t cut = random() % (record.size() + 1);
      const std::vector<std::string_view> parts = {all.substr(0, cut), all.substr(cut)};
      REQUIRE(writer.Append(kOurs, parts));
      written.push_back(std::move(record));
      if (random() % 5 == 0) REQUIRE(writer.Sync());
    }
    const Read read = ReadAll(disk);
    CHECK(read.records == written);
    CHECK(read.replay.problems.empty());
    CHECK(read.replay.records == written.size());
  }
  CHECK(ReadAll(disk).replay.segments > 20);
}

TEST_CASE("An empty folder, or none, is an empty log", "[tsdb]") {
  MemoryDisk disk;
  const Read read = ReadAll(disk);
  CHECK(read.records.empty());
  CHECK(read.replay.problem_count == 0);
  CHECK(read.replay.end.highest == 0);
  CHECK(Writer(disk).Sync());
}

TEST_CASE("A segment changes at a Sync that finds it full, or at an Append at twice of it",
          "[tsdb]") {
  MemoryDisk disk;
  WalWriter writer = Writer(disk, 1000);
  const std::string record(100, 'x');
  for (int i = 0; i < 12; ++i) REQUIRE(writer.Append(kOurs, record));
  CHECK(writer.end().segment == 1);
  REQUIRE(writer.Sync());
  CHECK(writer.end().segment == 2);
  for (int i = 0; i < 19; ++i) REQUIRE(writer.Append(kOurs, record));
  CHECK(writer.end().segment == 2);
  CHECK(writer.unsynced_bytes() > 2000);
  REQUIRE(writer.Append(kOurs, record));
  CHECK(writer.end().segment == 3);
  CHECK(writer.counters().segments == 3);
  CHECK(writer.counters().records == 32);
  CHECK(ReadAll(disk).records.size() == 32);
}

TEST_CASE("A log cut at any byte of its newest segment gives all records before", "[tsdb]") {
  MemoryDisk whole;
  const Strings written = WriteSmallLog(whole);
  const std::string last = whole.Content("wal/00000003");
  for (std::size_t cut = 0; cut < last.size(); ++cut) {
    CAPTURE(cut);
    MemoryDisk disk;
    WriteSmallLog(disk);
    disk.SetContent("wal/00000003", last.substr(0, cut));
    const Read read = ReadAll(disk);
    REQUIRE(read.records.size() >= 6);
    CHECK(read.records == Strings(written.begin(), written.begin() + static_cast<std::ptrdiff_t>(
                                                                         read.records.size())));
    for (const WalProblem& problem : read.replay.problems) {
      CHECK(problem.kind == ProblemKind::kTornTail);
    }
    // Writing goes on, and the torn tail is no problem any more.
    WalWriter writer(disk, {}, read.replay.end);
    REQUIRE(writer.Append(kOurs, "next"));
    const Read again = ReadAll(disk);
    CHECK(again.replay.problem_count == 0);
    CHECK(again.records.size() == read.records.size() + 1);
    CHECK(again.records.back() == "next");
  }
}

TEST_CASE("An older segment cut at any byte costs its own records only, and is told", "[tsdb]") {
  MemoryDisk whole;
  const Strings written = WriteSmallLog(whole);
  const std::string middle = whole.Content("wal/00000002");
  for (std::size_t cut = 0; cut < middle.size(); ++cut) {
    CAPTURE(cut);
    MemoryDisk disk;
    WriteSmallLog(disk);
    disk.SetContent("wal/00000002", middle.substr(0, cut));
    const Read read = ReadAll(disk);
    CHECK(read.records.size() >= 6);
    CHECK(read.records.size() < 9);
    CHECK(IsSubsequence(read.records, written));
    CHECK(Strings(read.records.end() - 3, read.records.end()) ==
          Strings(written.end() - 3, written.end()));
    REQUIRE(read.replay.problems.size() == 1);
    CHECK(read.replay.problems[0].kind == ProblemKind::kDamage);
    CHECK(read.replay.problems[0].path == "wal/00000002");
    CHECK(read.replay.problems[0].lost_bytes > 0);
  }
}

TEST_CASE("A flipped bit anywhere never gives a wrong record, and costs one segment at most",
          "[tsdb]") {
  MemoryDisk whole;
  const Strings written = WriteSmallLog(whole);
  for (int segment = 1; segment <= 3; ++segment) {
    const std::string path = "wal/0000000" + std::to_string(segment);
    const std::size_t bits = whole.Content(path).size() * 8;
    for (std::size_t bit = 0; bit < bits; ++bit) {
      CAPTURE(path, bit);
      MemoryDisk disk;
      WriteSmallLog(disk);
      disk.FlipBit(path, bit);
      if (bit / 8 == kMagicBytes - 1) {  // another version
        CHECK_FALSE(ReplayWal(disk, kWalFolder, [](const Record&) { return Status(); }));
        continue;
      }
      const Read read = ReadAll(disk);
      CHECK(IsSubsequence(read.records, written));
      CHECK(read.records.size() >= 6);
      CHECK(read.records.size() < 9);
      CHECK(read.replay.problem_count == 1);
    }
  }
}

TEST_CASE("A segment of another version is refused by name before anything is delivered",
          "[tsdb]") {
  for (const char* path : {"wal/00000003", "wal/checkpoint.00000002"}) {
    CAPTURE(path);
    MemoryDisk disk;
    WriteSmallLog(disk);
    auto checkpoint = CheckpointWriter::Begin(disk, kWalFolder, 2);
    REQUIRE(checkpoint);
    REQUIRE(checkpoint->Finish());
    disk.FlipBit(path, 8 * 7 + 1);
    int delivered = 0;
    const auto replay = ReplayWal(disk, kWalFolder, [&delivered](const Record&) {
      ++delivered;
      return Status();
    });
    REQUIRE_FALSE(replay);
    CHECK(replay.error().kind() == ErrorKind::kInvalid);
    CHECK(replay.error().message().find(path) == 0);
    CHECK(replay.error().message().find("version 3") != std::string::npos);
    CHECK(delivered == 0);
  }
}

TEST_CASE("Files that cannot be opened are an error, not a loss", "[tsdb]") {
  MemoryDisk disk;
  WriteSmallLog(disk);
  disk.set_faults({.maps_fail = true});
  const auto replay = ReplayWal(disk, kWalFolder, [](const Record&) { return Status(); });
  REQUIRE_FALSE(replay);
  CHECK(replay.error().kind() == ErrorKind::kIo);
}

TEST_CASE("A segment whose header is damaged is told at every start until it is covered",
          "[tsdb]") {
  MemoryDisk disk;
  WriteSmallLog(disk);
  disk.FlipBit("wal/00000003", 100);
  for (int start = 0; start < 2; ++start) {
    const Read read = ReadAll(disk);
    REQUIRE(read.replay.problems.size() == 1);
    CHECK(read.replay.problems[0].kind == ProblemKind::kDamage);
    CHECK(read.replay.problems[0].path == "wal/00000003");
    CHECK(read.records.size() == 6 + static_cast<std::size_t>(start));
    REQUIRE(WalWriter(disk, {}, read.replay.end).Append(kOurs, "next"));
  }
}

TEST_CASE("A missing segment is told", "[tsdb]") {
  for (const int missing : {1, 2}) {
    CAPTURE(missing);
    MemoryDisk disk;
    WriteSmallLog(disk);
    REQUIRE(disk.Remove("wal/0000000" + std::to_string(missing)));
    const Read read = ReadAll(disk);
    CHECK(read.records.size() == 6);
    REQUIRE(read.replay.problems.size() == 1);
    CHECK(read.replay.problems[0].kind == ProblemKind::kMissing);
    CHECK(read.replay.problems[0].path == "wal/0000000" + std::to_string(missing));
  }
}

TEST_CASE("A record that the visitor refuses costs that record and is told", "[tsdb]") {
  MemoryDisk disk;
  WriteSmallLog(disk);
  int count = 0;
  const auto replay = ReplayWal(disk, kWalFolder, [&count](const Record&) -> Status {
    return ++count == 5 ? Status(Corrupt("no commit")) : Status();
  });
  REQUIRE(replay);
  CHECK(count == 9);
  CHECK(replay->records == 8);
  REQUIRE(replay->problems.size() == 1);
  CHECK(replay->problems[0].kind == ProblemKind::kRefused);
  CHECK(replay->problems[0].ToString() == "wal/00000002 at byte 54: no commit: 23 bytes are lost");
}

TEST_CASE("A full disk refuses the record, keeps those before, and recovers by itself", "[tsdb]") {
  // The last byte that fits is each one of a log in turn.
  for (std::uint64_t room = 1; room < 250; ++room) {
    CAPTURE(room);
    MemoryDisk disk;
    WalWriter writer = Writer(disk, 100);
    REQUIRE(writer.Append(kOurs, "first"));
    Strings written = {"first"};
    disk.set_faults({.capacity_bytes = disk.used_bytes() + room});
    for (int i = 0; i < 12; ++i) {
      std::string record = "record " + std::to_string(i);
      const Status appended = writer.Append(kOurs, record);
      if (appended) written.push_back(record);
      if (!appended) CHECK(IsDiskFull(appended.error()));
      if (i % 3 == 2) REQUIRE(writer.Sync());
    }
    CHECK(ReadAll(disk).records == written);
    disk.set_faults({});
    REQUIRE(writer.Append(kOurs, "last"));
    written.emplace_back("last");
    REQUIRE(writer.Sync());
    const Read read = ReadAll(disk);
    CHECK(read.records == written);
    CHECK(read.replay.problem_count == 0);
  }
}

TEST_CASE("Where the rest of a record cannot be cut off, the log goes on in a new segment",
          "[tsdb]") {
  MemoryDisk disk;
  WalWriter writer = Writer(disk);
  REQUIRE(writer.Append(kOurs, "first"));
  disk.set_faults({.capacity_bytes = disk.used_bytes() + 12, .cuts_fail = true});
  CHECK_FALSE(writer.Append(kOurs, "too long"));
  disk.set_faults({});
  REQUIRE(writer.Append(kOurs, "next"));
  CHECK(writer.end().segment == 2);
  const Read read = ReadAll(disk);
  CHECK(read.records == Strings{"first", "next"});
  CHECK(read.replay.problem_count == 0);
}

TEST_CASE("A read-only disk is replayed, refuses appends, and takes them later", "[tsdb]") {
  MemoryDisk disk;
  const Strings written = WriteSmallLog(disk);
  disk.set_faults({.read_only = true});
  WalWriter writer = Writer(disk);
  CHECK(ReadAll(disk).records == written);
  CHECK(writer.Append(kOurs, "x").error().kind() == ErrorKind::kIo);
  CHECK(writer.counters().failed_appends == 1);
  disk.set_faults({});
  REQUIRE(writer.Append(kOurs, "y"));
  CHECK(ReadAll(disk).records.back() == "y");
}

TEST_CASE("A sync that fails is reported, and writing goes on in a new segment", "[tsdb]") {
  MemoryDisk disk;
  WalWriter writer = Writer(disk);
  REQUIRE(writer.Append(kOurs, "first"));
  disk.set_faults({.syncs_fail = true});
  CHECK(writer.Sync().error().kind() == ErrorKind::kIo);
  CHECK(writer.counters().failed_syncs == 1);
  CHECK_FALSE(writer.Append(kOurs, "not in a folder that cannot be synced"));
  disk.set_faults({});
  REQUIRE(writer.Append(kOurs, "second"));
  REQUIRE(writer.Sync());
  CHECK(writer.end().segment > 1);
  CHECK(writer.unsynced_bytes() == 0);
  const Read read = ReadAll(disk);
  CHECK(read.records == Strings{"first", "second"});
  CHECK(read.replay.problem_count == 0);
}

TEST_CASE("A record of more than 2^32 bytes is refused, and nothing is written", "[tsdb]") {
  MemoryDisk disk;
  WalWriter writer = Writer(disk);
  REQUIRE(writer.Append(kOurs, "first"));
  const std::uint64_t before = disk.used_bytes();
  const std::string part(1 << 20, 'x');
  const std::vector<std::string_view> parts(4096, part);
  const Status refused = writer.Append(kOurs, parts);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind() == ErrorKind::kInvalid);
  CHECK(disk.used_bytes() == before);
}

// --- checkpoints ---

// Of what the log has up to `number`: one record for each.
void WriteCheckpoint(MemoryDisk& disk, std::uint64_t number, const Strings& records) {
  auto checkpoint = CheckpointWriter::Begin(disk, kWalFolder, number);
  REQUIRE(checkpoint);
  for (const std::string& record : records) REQUIRE(checkpoint->Append(kOurs, record));
  REQUIRE(checkpoint->Finish());
}

TEST_CASE("A checkpoint replaces the segments that it covers", "[tsdb]") {
  MemoryDisk disk;
  const Strings written = WriteSmallLog(disk);
  WriteCheckpoint(disk, 1, {"old"});
  WriteCheckpoint(disk, 2, {"state"});
  const Strings expected = {"state", written[6], written[7], written[8]};
  CHECK(ReadAll(disk).records == expected);
  REQUIRE(RemoveCovered(disk, kWalFolder, 2));
  const auto files = disk.List("wal");
  REQUIRE(files);
  CHECK(files->size() == 2);
  const Read read = ReadAll(disk);
  CHECK(read.records == expected);
  CHECK(read.replay.checkpoint == 2);
  CHECK(read.replay.problem_count == 0);
}

TEST_CASE("A log whose segments are all covered goes on behind the checkpoint", "[tsdb]") {
  MemoryDisk disk;
  {
    WalWriter writer = Writer(disk);
    REQUIRE(writer.Append(kOurs, "a"));
    const Result<std::uint64_t> covered = writer.Cut();
    REQUIRE(covered);
    WriteCheckpoint(disk, *covered, {"state"});
    REQUIRE(RemoveCovered(disk, kWalFolder, *covered));
  }
  CHECK(ReadAll(disk).records == Strings{"state"});
  WalWriter writer = Writer(disk);
  REQUIRE(writer.Append(kOurs, "b"));
  CHECK(writer.end().segment == 2);
  const Read read = ReadAll(disk);
  CHECK(read.records == Strings{"state", "b"});
  CHECK(read.replay.problem_count == 0);
}

TEST_CASE("An unfinished checkpoint is not looked at, and removed with the next", "[tsdb]") {
  MemoryDisk disk;
  const Strings written = WriteSmallLog(disk);
  {
    auto checkpoint = CheckpointWriter::Begin(disk, kWalFolder, 2);
    REQUIRE(checkpoint);
    REQUIRE(checkpoint->Append(kOurs, std::string(3 << 20, 'x')));
  }
  CHECK(ReadAll(disk).records == written);
  REQUIRE(RemoveCovered(disk, kWalFolder, 0));
  CHECK(disk.List("wal")->size() == 3);
}

TEST_CASE("A damaged checkpoint gives way to the one before it, and is told", "[tsdb]") {
  MemoryDisk whole;
  const Strings written = WriteSmallLog(whole);
  WriteCheckpoint(whole, 2, {"state"});
  const std::size_t bits = whole.Content("wal/checkpoint.00000002").size() * 8;
  for (std::size_t bit = 0; bit < bits; bit += 3) {
    if (bit / 8 == kMagicBytes - 1) continue;  // refused: another version
    CAPTURE(bit);
    MemoryDisk disk;
    WriteSmallLog(disk);
    WriteCheckpoint(disk, 1, {"old"});
    WriteCheckpoint(disk, 2, {"state"});
    disk.FlipBit("wal/checkpoint.00000002", bit);
    const Read read = ReadAll(disk);
    CHECK(read.replay.checkpoint == 1);
    REQUIRE(read.records.size() == 7);
    CHECK(read.records.front() == "old");
    CHECK(read.records.back() == written.back());
    REQUIRE(read.replay.problems.size() == 1);
    CHECK(read.replay.problems[0].path == "wal/checkpoint.00000002");
  }
}

TEST_CASE("A damaged checkpoint alone is delivered up to its damage, and what is gone is told",
          "[tsdb]") {
  MemoryDisk disk;
  const Strings written = WriteSmallLog(disk);
  WriteCheckpoint(disk, 2, {"state 1", "state 2", "state 3"});
  REQUIRE(RemoveCovered(disk, kWalFolder, 2));
  const std::string content = disk.Content("wal/checkpoint.00000002");
  disk.SetContent("wal/checkpoint.00000002", content.substr(0, content.size() - 15));
  const Read read = ReadAll(disk);
  CHECK(read.records == Strings{"state 1", "state 2", written[6], written[7], written[8]});
  CHECK(read.replay.checkpoint == 0);
  REQUIRE(read.replay.problems.size() == 2);
  CHECK(read.replay.problems[0].kind == ProblemKind::kDamage);
  CHECK(read.replay.problems[1].kind == ProblemKind::kMissing);
  CHECK(read.replay.problems[1].path == "wal/00000002");
}

TEST_CASE("A checkpoint that the disk has no room for leaves the log as it is", "[tsdb]") {
  MemoryDisk disk;
  const Strings written = WriteSmallLog(disk);
  disk.set_faults({.capacity_bytes = disk.used_bytes() + 100});
  auto checkpoint = CheckpointWriter::Begin(disk, kWalFolder, 2);
  REQUIRE(checkpoint);
  REQUIRE(checkpoint->Append(kOurs, std::string(1000, 'x')));  // in memory until now
  const Status finished = checkpoint->Finish();
  REQUIRE_FALSE(finished);
  CHECK(IsDiskFull(finished.error()));
  CHECK(ReadAll(disk).records == written);
  disk.set_faults({});
  WriteCheckpoint(disk, 2, {"state"});
  CHECK(ReadAll(disk).records.front() == "state");
}

}  // namespace
}  // namespace skep::tsdb
