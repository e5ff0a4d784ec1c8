#include "evaluator/transfer/day_blocks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <random>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "common/base/file.h"
#include "evaluator/transfer/input_file.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/block_merge.h"
#include "evaluator/tsdb/foreign_folder.h"
#include "evaluator/tsdb/labels_cursor.h"
#include "evaluator/tsdb/read_only_disk.h"

namespace skep::transfer {
namespace {

using std::chrono::days;
using std::chrono::floor;

// Of the inbox: what is not published yet.
constexpr const char* kWorkFolder = "importing";

// Unlike any other import's: names of blocks that an evaluator has not taken yet must not clash.
std::string RandomName() {
  std::random_device random;
  std::array<char, 17> name{};
  (void)std::snprintf(name.data(), name.size(), "%08x%08x", random(), random());
  return name.data();
}

// An import by root must not leave files that the evaluator's user cannot move.
void GiveToOwnerOf(const std::string& folder, const std::string& path) {
  struct ::stat info {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &info) != 0) return;
  (void)!::lchown(path.c_str(), info.st_uid, info.st_gid);  // where it fails, the evaluator tells
}

// Adds what stands in a block, and which series it has.
Status Count(const tsdb::Block& block, std::unordered_set<std::uint64_t>& series,
             ImportedBlocks& out) {
  const tsdb::BlockMeta& meta = block.meta();
  ++out.blocks;
  out.samples += meta.samples;
  out.bytes += meta.size_bytes;
  out.min_time = std::min(out.min_time, meta.min_time);
  out.max_time = std::max(out.max_time, meta.max_time);
  tsdb::LabelsCursor cursor(block.index());
  for (std::uint32_t i = 0; i < block.series_count(); ++i) {
    const Result<Labels> labels = cursor.LabelsOf(i);
    if (!labels) return labels.error();
    series.insert(labels->Hash());
  }
  return {};
}

}  // namespace

std::int64_t DayOf(Timestamp time) { return floor<days>(time).time_since_epoch().count(); }

storage::TimeRange SpanOfDay(std::int64_t day) {
  const Timestamp begin{days(day)};
  return {begin, begin + days(1) - Duration{1}};
}

DayBlocks::DayBlocks(std::string store, std::unique_ptr<tsdb::PosixDisk> disk)
    : store_(std::move(store)), disk_(std::move(disk)) {}

Result<std::unique_ptr<DayBlocks>> DayBlocks::Open(const std::string& store) {
  std::error_code error;
  if (!std::filesystem::is_directory(store, error)) {
    return NotFound(store + " is no folder; where the store is to be new, make it first");
  }
  tsdb::ReadOnlyDisk before(store);
  const Status ours = tsdb::CheckNotForeign(before);
  if (!ours) return ours.error().Wrap(store);
  const std::string inbox = JoinPath(store, "inbox");
  Result<std::unique_ptr<tsdb::PosixDisk>> disk = tsdb::PosixDisk::Open(inbox);
  if (!disk) return disk.error();
  GiveToOwnerOf(store, inbox);
  GiveToOwnerOf(store, JoinPath(inbox, "lock"));
  const Status removed = (*disk)->RemoveFolder(kWorkFolder);
  if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed.error();
  RETURN_IF_ERROR((*disk)->MakeFolder(kWorkFolder));
  // Who has the folder may remove what is in it, should this import die.
  GiveToOwnerOf(store, JoinPath(inbox, kWorkFolder));
  return std::unique_ptr<DayBlocks>(new DayBlocks(store, *std::move(disk)));
}

DayBlocks::~DayBlocks() {
  (void)disk_->RemoveFolder(kWorkFolder);  // the next import tries again
}

Result<DayBlocks::Part> DayBlocks::NewPart(std::int64_t day) {
  std::string path = std::string(kWorkFolder) + "/" + std::to_string(next_part_++) + ".block";
  Result<std::unique_ptr<tsdb::BlockWriter>> writer = tsdb::BlockWriter::Create(*disk_, path);
  if (!writer) return writer.error();
  return Part{day, std::move(path), *std::move(writer)};
}

Status DayBlocks::Finish(Part part) {
  const Result<tsdb::BlockMeta> meta = part.writer->Finish();
  if (!meta) return meta.error();
  if (meta->series > 0) parts_[part.day].push_back(std::move(part.path));
  return {};
}

Result<tsdb::MappedFilePtr> DayBlocks::OpenInput(const std::string& path) {
  return transfer::OpenInput(path, *disk_, kWorkFolder);
}

Result<std::string> DayBlocks::BlockOfDay(std::int64_t day, const std::vector<std::string>& parts) {
  if (parts.size() == 1) return parts[0];
  std::vector<tsdb::BlockSource> sources;
  for (const std::string& path : parts) {
    Result<std::shared_ptr<const tsdb::Block>> block = tsdb::Block::Open(*disk_, path);
    if (!block) return block.error();
    sources.push_back({.block = *std::move(block)});
  }
  std::string path = std::string(kWorkFolder) + "/day" + std::to_string(day) + ".block";
  const Result<tsdb::BlockMeta> merged = tsdb::MergeBlocks(*disk_, sources, path);
  if (!merged) return merged.error();
  for (const std::string& part : parts) RETURN_IF_ERROR(disk_->Remove(part));
  return path;
}

Status DayBlocks::HandOver(const std::vector<std::string>& blocks) {
  const std::string name = RandomName();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    GiveToOwnerOf(store_, JoinPath(store_, "inbox/" + blocks[i]));
    RETURN_IF_ERROR(disk_->Rename(blocks[i], name + "-" + std::to_string(i) + ".block"));
  }
  return disk_->SyncFolder("");
}

Result<ImportedBlocks> DayBlocks::Publish() {
  ImportedBlocks imported;
  std::vector<std::string> blocks;
  std::unordered_set<std::uint64_t> series;
  for (const auto& [day, parts] : parts_) {
    Result<std::string> path = BlockOfDay(day, parts);
    if (!path) return path.error();
    const Result<std::shared_ptr<const tsdb::Block>> block = tsdb::Block::Open(*disk_, *path);
    if (!block) return block.error();
    RETURN_IF_ERROR(Count(**block, series, imported));
    blocks.push_back(*std::move(path));
  }
  imported.series = series.size();
  RETURN_IF_ERROR(HandOver(blocks));
  return imported;
}

}  // namespace skep::transfer
