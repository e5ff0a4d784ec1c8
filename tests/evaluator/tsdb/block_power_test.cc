// Blocks and tombstones on a disk that stops at any step, loses its power, or is full.
#include <catch2/catch.hpp>

#include "evaluator/tsdb/tombstones.h"
#include "tests/evaluator/tsdb/block_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

// Hands on a number of changes; then the machine is dead.
class DyingDisk final : public Disk {
 public:
  DyingDisk(test::MemoryDisk& disk, int steps) : disk_(&disk), left_(steps) {}
  bool dead() const { return left_ < 0; }

  Result<std::unique_ptr<AppendFile>> Create(const std::string& path) override {
    RETURN_IF_ERROR(Step());
    auto file = disk_->Create(path);
    if (!file) return file.error();
    return std::unique_ptr<AppendFile>(new File(*this, *std::move(file)));
  }
  Result<std::unique_ptr<AppendFile>> Reopen(const std::string& path) override {
    return disk_->Reopen(path);
  }
  Result<MappedFilePtr> Map(const std::string& path) override { return disk_->Map(path); }
  Status Rename(const std::string& from, const std::string& to) override {
    RETURN_IF_ERROR(Step());
    return disk_->Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override {
    RETURN_IF_ERROR(Step());
    return disk_->Link(from, to);
  }
  Status Remove(const std::string& path) override {
    RETURN_IF_ERROR(Step());
    return disk_->Remove(path);
  }
  Status RemoveFolder(const std::string& path) override { return disk_->RemoveFolder(path); }
  Status MakeFolder(const std::string& path) override { return disk_->MakeFolder(path); }
  Status SyncFolder(const std::string& path) override {
    RETURN_IF_ERROR(Step());
    return disk_->SyncFolder(path);
  }
  Result<std::vector<DiskEntry>> List(const std::string& folder) const override {
    return disk_->List(folder);
  }
  Result<std::uint64_t> FreeBytes() const override { return disk_->FreeBytes(); }

 private:
  class File final : public AppendFile {
   public:
    File(DyingDisk& disk, std::unique_ptr<AppendFile> file)
        : disk_(&disk), file_(std::move(file)) {}
    Status Append(std::span<const std::string_view> parts) override {
      RETURN_IF_ERROR(disk_->Step());
      return file_->Append(parts);
    }
    Status Truncate(std::uint64_t size_bytes) override { return file_->Truncate(size_bytes); }
    Status Sync() override {
      RETURN_IF_ERROR(disk_->Step());
      return file_->Sync();
    }
    std::uint64_t size() const override { return file_->size(); }

   private:
    DyingDisk* disk_;
    std::unique_ptr<AppendFile> file_;
  };

  Status Step() {
    if (--left_ >= 0) return {};
    return Error(ErrorKind::kIo, "the machine is dead");
  }

  test::MemoryDisk* disk_;
  int left_;
};

Result<BlockMeta> TryWrite(Disk& disk, const SeriesMap& series) {
  auto writer = BlockWriter::Create(disk, "blocks/1.block");
  if (!writer) return writer.error();
  for (const auto& [labels, samples] : series) {
    RETURN_IF_ERROR((*writer)->Add(labels, samples));
  }
  return (*writer)->Finish();
}

bool IsThere(const Disk& disk, const std::string& name) {
  const auto entries = disk.List("blocks").value();
  return std::any_of(entries.begin(), entries.end(),
                     [&](const DiskEntry& entry) { return entry.name == name; });
}

TEST_CASE("A power cut at any step leaves the whole block or none", "[tsdb]") {
  const SeriesMap series = RandomSeries(8).Make(20, 50);
  std::mt19937_64 random(9);
  int finished = 0, absent = 0;
  for (int steps = 0; finished == 0; ++steps) {
    for (int round = 0; round < 10; ++round) {
      test::MemoryDisk disk;
      REQUIRE(disk.MakeFolder("blocks").has_value());
      REQUIRE(disk.SyncFolder("").has_value());
      DyingDisk dying(disk, steps);
      const bool done = TryWrite(dying, series).has_value();
      CHECK(done != dying.dead());
      disk.PowerCut(random);
      finished += done ? 1 : 0;
      if (IsThere(disk, "1.block")) {
        const auto block = Block::Open(disk, "blocks/1.block");
        REQUIRE(block.has_value());
        REQUIRE(SameSeries(ReadBlock(**block), series));
      } else {
        CHECK_FALSE(done);
        ++absent;
      }
      // The next attempt is not in the way of what was left.
      REQUIRE(TryWrite(disk, series).has_value());
      CHECK_FALSE(IsThere(disk, "1.block.tmp"));
    }
  }
  CHECK(absent > 0);
}

TEST_CASE("A power cut leaves the old tombstones or the new ones", "[tsdb]") {
  const SeriesMap series = RandomSeries(10).Make(5, 50);
  std::mt19937_64 random(11);
  Tombstones old, fresh;
  old.Add(std::vector<std::uint32_t>{1, 3}, {FromMillis(1), FromMillis(50)});
  fresh.Add(std::vector<std::uint32_t>{0, 1, 2, 3}, {FromMillis(7), FromMillis(90)});
  int finished = 0;
  for (int steps = 0; finished == 0; ++steps) {
    for (int round = 0; round < 10; ++round) {
      test::MemoryDisk disk;
      REQUIRE(disk.MakeFolder("blocks").has_value());
      REQUIRE(disk.SyncFolder("").has_value());
      REQUIRE(TryWrite(disk, series).has_value());
      const auto block = Block::Open(disk, "blocks/1.block").value();
      REQUIRE(SaveTombstones(disk, "blocks/1.tombstones", *block, old).has_value());
      DyingDisk dying(disk, steps);
      const bool done = SaveTombstones(dying, "blocks/1.tombstones", *block, fresh).has_value();
      disk.PowerCut(random);
      finished += done ? 1 : 0;
      const Tombstones found = LoadTombstones(disk, "blocks/1.tombstones", *block).value();
      CHECK((found == fresh || (!done && found == old)));
    }
  }
}

TEST_CASE("A full disk refuses the block and has its room back", "[tsdb]") {
  const SeriesMap series = RandomSeries(12).Make(20, 50);
  test::MemoryDisk disk;
  REQUIRE(disk.MakeFolder("blocks").has_value());
  const std::uint64_t size = TryWrite(disk, series).value().size_bytes;
  REQUIRE(disk.Remove("blocks/1.block").has_value());
  for (std::uint64_t room = 0; room < size; room += 1 + size / 20) {
    disk.set_faults({.capacity_bytes = room});
    const auto written = TryWrite(disk, series);
    REQUIRE_FALSE(written.has_value());
    CHECK(IsDiskFull(written.error()));
    CHECK(disk.used_bytes() == 0);
  }
  disk.set_faults({});
  CHECK(TryWrite(disk, series).has_value());
}

}  // namespace
}  // namespace skep::tsdb
