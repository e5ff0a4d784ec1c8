#include "evaluator/transfer/store_reader.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "common/base/file.h"
#include "common/base/number.h"
#include "evaluator/tsdb/block_folder.h"
#include "evaluator/tsdb/foreign_folder.h"
#include "evaluator/tsdb/head_restore.h"
#include "evaluator/tsdb/merged_querier.h"
#include "evaluator/tsdb/read_only_disk.h"
#include "evaluator/tsdb/upkeep.h"
#include "evaluator/tsdb/wal_replay.h"

namespace skep::transfer {
namespace {

// Files go while we look where an evaluator merges blocks or writes a checkpoint.
constexpr int kTries = 5;

// "00000012.block": 12.
std::optional<std::uint64_t> BlockNumber(std::string_view name) {
  constexpr std::string_view kSuffix = ".block";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  return ParseUint(name);
}

bool HasFolder(const std::string& folder, const std::string& name) {
  std::error_code ignored;
  return std::filesystem::is_directory(JoinPath(folder, name), ignored);
}

Status CheckStore(const std::string& folder) {
  if (HasFolder(folder, "wal") || HasFolder(folder, tsdb::kBlockFolder)) return {};
  if (HasFolder(folder, tsdb::kInboxFolder)) {
    return Invalid(folder + ": what was imported waits in the folder \"" + tsdb::kInboxFolder +
                   "\" until an evaluator is started on it");
  }
  return Invalid(folder + " is no store: it has neither a folder \"wal\" nor a folder \"blocks\"");
}

}  // namespace

StoreReader::StoreReader(const std::string& store, const Remark& remark)
    : store_(store),
      remark_(remark),
      disk_(std::make_unique<tsdb::ReadOnlyDisk>(store)),
      head_(tsdb::HeadOptions{}) {}

Result<std::unique_ptr<StoreReader>> StoreReader::Open(const std::string& store,
                                                       const Remark& remark) {
  tsdb::ReadOnlyDisk disk(store);
  const Status ours = tsdb::CheckNotForeign(disk);
  if (!ours) return ours.error().Wrap(store);
  RETURN_IF_ERROR(CheckStore(store));
  for (int i = 0; i < kTries; ++i) {
    std::unique_ptr<StoreReader> reader(new StoreReader(store, remark));
    const Status read = reader->Read();
    if (read) return reader;
    if (read.error().kind() != ErrorKind::kNotFound) return read.error();
  }
  return Unavailable(store + " changes while it is read; try again");
}

// The log first: what an evaluator moves from it into a block meanwhile is then in both, and counts
// once.
Status StoreReader::Read() {
  RETURN_IF_ERROR(ReadLog());
  return ReadBlocks();
}

Status StoreReader::ReadLog() {
  const Result<std::vector<tsdb::DiskEntry>> files = disk_->List("wal");
  if (!files && files.error().kind() == ErrorKind::kNotFound) return {};
  if (!files) return files.error();
  for (const tsdb::DiskEntry& file : *files) log_bytes_ += file.size_bytes;
  tsdb::HeadRestore restore(head_);
  const Result<tsdb::WalReplay> replay = tsdb::ReplayWal(
      *disk_, "wal", [&restore](const tsdb::Record& record) { return restore.Apply(record); });
  if (!replay) return replay.error();
  restore.Finish();
  for (const tsdb::WalProblem& problem : replay->problems) {
    // Where an evaluator is writing, the end of the newest file is always in the making.
    if (problem.kind != tsdb::WalProblem::Kind::kTornTail) {
      remark_(JoinPath(store_, problem.ToString()));
    }
  }
  return {};
}

Result<tsdb::LiveBlock> StoreReader::ReadBlock(std::uint64_t number) const {
  Result<std::shared_ptr<const tsdb::Block>> block =
      tsdb::Block::Open(*disk_, tsdb::BlockPath(number));
  if (!block) return block.error();
  Result<tsdb::Tombstones> deleted =
      tsdb::LoadTombstones(*disk_, tsdb::TombstonesPath(number), **block);
  if (!deleted) return deleted.error();
  tsdb::LiveBlock live{.number = number, .block = *std::move(block), .deleted = nullptr};
  if (!deleted->empty()) {
    live.deleted = std::make_shared<const tsdb::Tombstones>(*std::move(deleted));
  }
  return live;
}

Status StoreReader::ReadBlocks() {
  auto list = std::make_shared<tsdb::BlockList>();
  const Result<std::vector<tsdb::DiskEntry>> files = disk_->List(tsdb::kBlockFolder);
  if (!files && files.error().kind() != ErrorKind::kNotFound) return files.error();
  for (const tsdb::DiskEntry& file : files ? *files : std::vector<tsdb::DiskEntry>()) {
    const std::optional<std::uint64_t> number = BlockNumber(file.name);
    if (!number) continue;
    Result<tsdb::LiveBlock> block = ReadBlock(*number);
    if (block) {
      list->push_back(*std::move(block));
    } else if (block.error().kind() == ErrorKind::kCorrupt) {
      remark_("left out: " + block.error().message());
    } else {
      return block.error();
    }
  }
  std::sort(list->begin(), list->end(),
            [](const tsdb::LiveBlock& a, const tsdb::LiveBlock& b) { return a.number < b.number; });
  blocks_ = std::move(list);
  return {};
}

Result<std::unique_ptr<storage::Querier>> StoreReader::NewQuerier(storage::TimeRange range) {
  Result<std::unique_ptr<storage::Querier>> head = head_.NewQuerier(range);
  if (!head) return head.error();
  return tsdb::NewMergedQuerier(blocks_, *std::move(head), range);
}

}  // namespace skep::transfer
