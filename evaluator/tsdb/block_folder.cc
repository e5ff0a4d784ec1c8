#include "evaluator/tsdb/block_folder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace skep::tsdb {
namespace {

constexpr std::string_view kBlock = ".block";
constexpr std::string_view kTombstones = ".tombstones";
constexpr std::string_view kUnfinished = ".tmp";

std::string PathOf(std::uint64_t number, std::string_view ending) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%08llu", static_cast<unsigned long long>(number));
  return std::string(kBlockFolder) + "/" + digits.data() + std::string(ending);
}

// Of "00000012.block" with the ending ".block".
std::optional<std::uint64_t> NumberOf(std::string_view name, std::string_view ending) {
  if (!name.ends_with(ending)) return std::nullopt;
  name.remove_suffix(ending.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

std::string BlockPath(std::uint64_t number) { return PathOf(number, kBlock); }
std::string TombstonesPath(std::uint64_t number) { return PathOf(number, kTombstones); }

Result<std::unique_ptr<BlockFolder>> BlockFolder::Open(Disk& disk, const Logger& log) {
  std::unique_ptr<BlockFolder> folder(new BlockFolder(disk));
  RETURN_IF_ERROR(disk.MakeFolder(kBlockFolder));
  RETURN_IF_ERROR(disk.SyncFolder(""));
  RETURN_IF_ERROR(folder->Load(log));
  return folder;
}

Status BlockFolder::Load(const Logger& log) {
  const Result<std::vector<DiskEntry>> entries = disk_.List(kBlockFolder);
  if (!entries) return entries.error();
  BlockList list;
  std::set<std::uint64_t> tombstones;
  for (const DiskEntry& entry : *entries) {
    if (entry.name.ends_with(kUnfinished)) {
      RETURN_IF_ERROR(disk_.Remove(std::string(kBlockFolder) + "/" + entry.name));
      continue;
    }
    if (const auto number = NumberOf(entry.name, kTombstones)) {
      tombstones.insert(*number);
      next_ = std::max(next_, *number + 1);
    }
    const auto number = NumberOf(entry.name, kBlock);
    if (!number) continue;
    next_ = std::max(next_, *number + 1);
    Result<LiveBlock> block = OpenBlock(*number);
    if (block) {
      list.push_back(std::move(*block));
    } else if (block.error().kind() == ErrorKind::kCorrupt) {
      ++damaged_;
      log.Error("a block cannot be read and is left out", {{"err", block.error().message()}});
    } else {
      return block.error();
    }
  }
  // Of blocks that were removed when the last run ended.
  for (const std::uint64_t number : tombstones) {
    const bool has_block = std::ranges::any_of(*entries, [number](const DiskEntry& entry) {
      return NumberOf(entry.name, kBlock) == number;
    });
    if (!has_block) RETURN_IF_ERROR(disk_.Remove(TombstonesPath(number)));
  }
  Show(std::move(list));
  return {};
}

Result<LiveBlock> BlockFolder::OpenBlock(std::uint64_t number) const {
  LiveBlock live;
  live.number = number;
  Result<std::shared_ptr<const Block>> block = Block::Open(disk_, BlockPath(number));
  if (!block) return block.error();
  live.block = std::move(*block);
  Result<Tombstones> deleted = LoadTombstones(disk_, TombstonesPath(number), *live.block);
  if (!deleted) return deleted.error();
  if (!deleted->empty()) live.deleted = std::make_shared<const Tombstones>(std::move(*deleted));
  return live;
}

void BlockFolder::Show(BlockList list) {
  std::ranges::sort(list, {}, &LiveBlock::number);
  auto shown = std::make_shared<const BlockList>(std::move(list));
  const Shown before = Newest();
  earlier_[before.number] = before.list;
  const std::lock_guard lock(mutex_);
  list_.swap(shown);
  ++shown_;
}

void BlockFolder::GiveUpOlder(std::uint64_t number) {
  earlier_.erase(earlier_.begin(), earlier_.lower_bound(number));
}

bool BlockFolder::IsOlderHeld(std::uint64_t number) {
  std::erase_if(earlier_, [](const auto& one) { return one.second.expired(); });
  return !earlier_.empty() && earlier_.begin()->first < number;
}

Status BlockFolder::Exchange(std::span<const std::uint64_t> added,
                             std::span<const std::uint64_t> gone) {
  BlockList next = *list();
  std::erase_if(next, [gone](const LiveBlock& block) {
    return std::ranges::find(gone, block.number) != gone.end();
  });
  for (const std::uint64_t number : added) {
    Result<LiveBlock> block = OpenBlock(number);
    if (!block) return block.error();
    next.push_back(std::move(*block));
  }
  Show(std::move(next));
  return RemoveFiles(gone, added);
}

// The block goes first: deletions without their block are removed at the next start. What somebody
// else has removed is gone as well.
Status BlockFolder::RemoveFiles(std::span<const std::uint64_t> gone,
                                std::span<const std::uint64_t> anew) {
  if (gone.empty()) return {};
  const auto remove = [this](const std::string& path) -> Status {
    Status removed = disk_.Remove(path);
    return removed || removed.error().kind() == ErrorKind::kNotFound ? Status() : removed;
  };
  for (const std::uint64_t number : gone) {
    const bool is_anew = std::ranges::find(anew, number) != anew.end();
    if (!is_anew) RETURN_IF_ERROR(remove(BlockPath(number)));
  }
  RETURN_IF_ERROR(disk_.SyncFolder(kBlockFolder));
  for (const std::uint64_t number : gone) RETURN_IF_ERROR(remove(TombstonesPath(number)));
  return {};
}

Status BlockFolder::SetDeleted(std::uint64_t number, Tombstones deleted) {
  BlockList next = *list();
  const auto kept = std::make_shared<const Tombstones>(std::move(deleted));
  for (LiveBlock& block : next) {
    if (block.number != number) continue;
    RETURN_IF_ERROR(SaveTombstones(disk_, TombstonesPath(number), *block.block, *kept));
    block.deleted = kept;
  }
  Show(std::move(next));
  return {};
}

}  // namespace skep::tsdb
