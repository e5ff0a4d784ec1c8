// Appends, syncs and checkpoints at once.
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "evaluator/tsdb/checkpoint.h"
#include "evaluator/tsdb/wal_replay.h"
#include "evaluator/tsdb/wal_writer.h"
#include "tests/support/many.h"
#include "tests/support/memory_disk.h"

namespace skep::tsdb {
namespace {

TEST_CASE("Appends of several threads, syncs and checkpoints run at once", "[tsdb]") {
  test::MemoryDisk disk;
  WalWriter writer(disk, {.segment_bytes = 2000}, {});
  const int records = test::Many(2000);
  std::atomic<int> writing{2};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (const char name : {'a', 'b'}) {
    threads.emplace_back([&, name] {
      for (int i = 0; i < records; ++i) {
        if (!writer.Append(RecordKind::kFirstOfHead, name + std::to_string(i))) ++failed;
      }
      --writing;
    });
  }
  threads.emplace_back([&] {
    while (writing > 0) failed += !writer.Sync();
  });
  while (writing > 0) {
    const Result<std::uint64_t> covered = writer.Cut();
    if (!covered) ++failed;
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);

  int next_a = 0;
  int next_b = 0;
  int wrong = 0;
  const auto replay = ReplayWal(disk, kWalFolder, [&](const Record& record) -> Status {
    int& next = record.payload[0] == 'a' ? next_a : next_b;
    wrong += record.payload.substr(1) != std::to_string(next);
    ++next;
    return {};
  });
  REQUIRE(replay);
  CHECK(replay->problem_count == 0);
  CHECK(wrong == 0);
  CHECK(next_a == records);
  CHECK(next_b == records);
}

}  // namespace
}  // namespace skep::tsdb
