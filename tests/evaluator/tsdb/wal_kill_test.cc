// A process that is killed while it writes the log, on the real disk.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <random>
#include <string>

#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/wal_replay.h"
#include "evaluator/tsdb/wal_writer.h"
#include "tests/support/many.h"
#include "tests/support/temp_folder.h"

namespace skep::tsdb {
namespace {

// Records are numbers from 0 on. Gives how many there are; -1: they are not in order.
std::int64_t Replay(Disk& disk, WalEnd& end) {
  std::int64_t count = 0;
  bool in_order = true;
  const auto replay = ReplayWal(disk, kWalFolder, [&](const Record& record) -> Status {
    in_order &= ByteReader(record.payload).U64() == static_cast<std::uint64_t>(count);
    ++count;
    return {};
  });
  if (!replay || !in_order) return -1;
  for (const WalProblem& problem : replay->problems) {
    if (problem.kind != WalProblem::Kind::kTornTail) return -1;
  }
  end = replay->end;
  return count;
}

// Appends until it is killed; says each number once it has been acknowledged.
[[noreturn]] void WriteForEver(const std::string& folder, int acknowledged) {
  auto disk = PosixDisk::Open(folder);
  WalEnd end;
  const std::int64_t count = disk ? Replay(**disk, end) : -1;
  if (count < 0) ::_exit(1);
  WalWriter writer(**disk, {.segment_bytes = 20'000}, end);
  const std::string ballast(700, 'x');
  for (auto number = static_cast<std::uint64_t>(count);; ++number) {
    ByteWriter record;
    record.U64(number);
    record.Bytes(std::string_view(ballast).substr(number * 7919 % ballast.size()));
    if (!writer.Append(RecordKind::kFirstOfHead, record.view())) ::_exit(1);
    if (::write(acknowledged, &number, sizeof(number)) != sizeof(number)) ::_exit(1);
  }
}

// The last number that a writer acknowledged before it was killed, after `wanted` of them at least.
std::int64_t WriteAndKill(const std::string& folder, std::uint64_t wanted) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const ::pid_t child = ::fork();
  if (child == 0) WriteForEver(folder, pipe[1]);
  ::close(pipe[1]);
  std::uint64_t number = 0;
  bool has_any = false;
  for (; wanted > 0 && ::read(pipe[0], &number, sizeof(number)) == sizeof(number); --wanted) {
    has_any = true;
  }
  ::kill(child, SIGKILL);
  while (::read(pipe[0], &number, sizeof(number)) == sizeof(number)) has_any = true;
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  return has_any ? static_cast<std::int64_t>(number) : -1;
}

TEST_CASE("A process that is killed loses no record that it acknowledged", "[tsdb]") {
  const test::TempFolder folder;
  std::mt19937_64 random(1);
  const int kills = test::IsLongForm() ? 500 : 10;
  for (int kill = 0; kill < kills; ++kill) {
    const std::int64_t last = WriteAndKill(folder.path(), random() % 300);
    auto disk = PosixDisk::Open(folder.path());
    REQUIRE(disk);
    WalEnd end;
    CHECK(Replay(**disk, end) > last);
  }
}

}  // namespace
}  // namespace skep::tsdb
