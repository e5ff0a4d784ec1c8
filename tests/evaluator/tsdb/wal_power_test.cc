// The log on a disk that loses its power, over and over.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/checkpoint.h"
#include "evaluator/tsdb/wal_replay.h"
#include "evaluator/tsdb/wal_writer.h"
#include "tests/support/many.h"
#include "tests/support/memory_disk.h"

namespace skep::tsdb {
namespace {

using test::MemoryDisk;

constexpr RecordKind kRecord = RecordKind::kFirstOfHead;
constexpr auto kState = static_cast<RecordKind>(static_cast<int>(kRecord) + 1);

// A store whose records are numbers from 0 on, with some ballast; its state is how many there were.
class Store {
 public:
  explicit Store(std::uint64_t seed) : random_(seed) { Start(); }

  // One thing that a store does, at random. False: it is told below what went wrong.
  void Step() {
    switch (random_() % 16) {
      case 0:
      case 1:
        return Sync();
      case 2:
        return BeginCheckpoint();
      case 3:
        return EndCheckpoint();
      case 4:
        if (covered_ > 0) (void)RemoveCovered(disk_, kWalFolder, covered_);
        return;
      case 5:
        return ChangeRoom();
      default:
        return Append();
    }
  }

  void PowerCut() {
    disk_.PowerCut(random_);
    const std::uint64_t acknowledged = count_;
    Start();
    CHECK(count_ >= synced_);
    CHECK(count_ <= acknowledged);
    synced_ = count_;
  }

  // kill -9.
  void Restart() {
    disk_.set_faults({});
    const std::uint64_t acknowledged = count_;
    Start();
    CHECK(count_ == acknowledged);
  }

  std::uint64_t lost() const { return lost_; }

 private:
  void Start() {
    const std::uint64_t before = count_;
    count_ = 0;
    covered_ = 0;
    checkpoint_.reset();
    const auto replay =
        ReplayWal(disk_, kWalFolder, [this](const Record& record) { return Take(record); });
    REQUIRE(replay);
    for (const WalProblem& problem : replay->problems) {
      CAPTURE(problem.ToString());
      CHECK(problem.kind == WalProblem::Kind::kTornTail);
    }
    lost_ += before - std::min(count_, before);
    writer_.emplace(disk_, WalOptions{.segment_bytes = 3000}, replay->end);
  }

  // The next number, never another one.
  Status Take(const Record& record) {
    ByteReader reader(record.payload);
    const std::uint64_t number = reader.U64();
    if (record.kind == kState) {
      CHECK(count_ == 0);
      count_ = number;
      return {};
    }
    CHECK(number == count_);
    CHECK(record.payload.size() == 8 + Ballast(number).size());
    ++count_;
    return {};
  }

  static std::string Ballast(std::uint64_t number) {
    return std::string(number * 7919 % 900, static_cast<char>(number));
  }

  void Append() {
    ByteWriter record;
    record.U64(count_);
    record.Bytes(Ballast(count_));
    if (writer_->Append(kRecord, record.view())) ++count_;
  }

  void Sync() {
    const std::uint64_t count = count_;
    if (writer_->Sync()) synced_ = count;
  }

  void BeginCheckpoint() {
    const Result<std::uint64_t> covered = writer_->Cut();
    if (!covered) return;
    synced_ = count_;
    if (*covered == 0) return;
    covers_ = *covered;
    auto begun = CheckpointWriter::Begin(disk_, kWalFolder, covers_);
    checkpoint_.reset();
    if (!begun) return;
    checkpoint_ = std::make_unique<CheckpointWriter>(std::move(*begun));
    ByteWriter state;
    state.U64(count_);
    (void)checkpoint_->Append(kState, state.view());
  }

  // Some time later, when the log has gone on.
  void EndCheckpoint() {
    if (!checkpoint_) return;
    if (checkpoint_->Finish()) covered_ = covers_;
    checkpoint_.reset();
  }

  void ChangeRoom() {
    const bool full = random_() % 2 == 0;
    test::DiskFaults faults;
    if (full) faults.capacity_bytes = disk_.used_bytes() + random_() % 2000;
    disk_.set_faults(faults);
  }

  MemoryDisk disk_;
  MemoryDisk::Random random_;
  std::optional<WalWriter> writer_;
  std::unique_ptr<CheckpointWriter> checkpoint_;  // g++ 12 misreads an optional one
  std::uint64_t covers_ = 0;                      // what checkpoint_ will cover
  std::uint64_t covered_ = 0;                     // by the last that was finished
  std::uint64_t count_ = 0;                       // acknowledged
  std::uint64_t synced_ = 0;                      // of them
  std::uint64_t lost_ = 0;
};

int Runs() { return test::IsLongForm() ? 20'000 : test::Many(400); }

TEST_CASE("After a power cut the log is a beginning of what was written, with all that was synced",
          "[tsdb]") {
  std::uint64_t lost = 0;
  for (int seed = 0; seed < Runs(); ++seed) {
    CAPTURE(seed);
    Store store(static_cast<std::uint64_t>(seed));
    std::mt19937_64 random(static_cast<std::uint64_t>(seed) + 1'000'000);
    for (int cut = 0; cut < 5; ++cut) {
      for (std::uint64_t steps = random() % 60; steps > 0; --steps) store.Step();
      if (random() % 3 == 0) {
        store.Restart();
      } else {
        store.PowerCut();
      }
    }
    lost += store.lost();
  }
  CHECK(lost > 0);  // the disk did what it is for
}

}  // namespace
}  // namespace skep::tsdb
