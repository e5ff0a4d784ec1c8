// The files of the store's blocks, and the list of them that queries see.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/base/result.h"
#include "evaluator/tsdb/block_list.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

inline constexpr const char* kBlockFolder = "blocks";

// "blocks/00000012.block"
std::string BlockPath(std::uint64_t number);
// "blocks/00000012.tombstones"
std::string TombstonesPath(std::uint64_t number);

// list() and Newest() are thread-safe; everything else is for one thread at a time.
class BlockFolder {
 public:
  // Opens all blocks. One that is damaged is left where it is, told in `log` and not read; rests of
  // unfinished ones are removed. kInvalid: a block of another version.
  static Result<std::unique_ptr<BlockFolder>> Open(Disk& disk, const Logger& log);

  BlockListPtr list() const {
    const std::lock_guard lock(mutex_);
    return list_;
  }

  // Lists are counted as they are shown.
  struct Shown {
    BlockListPtr list;
    std::uint64_t number = 0;
  };
  // list() with its number. Thread-safe.
  Shown Newest() const {
    const std::lock_guard lock(mutex_);
    return {list_, shown_};
  }
  // Whether somebody still holds a list that was shown before list `number`, other than those that
  // were given up: from then on IsOlderHeld takes them for gone.
  bool IsOlderHeld(std::uint64_t number);
  void GiveUpOlder(std::uint64_t number);

  // For a new block: a number that no file has had.
  std::uint64_t Reserve() { return next_++; }

  // Queries see the new files from now on, and `gone` no more, whose files are removed: all at
  // once. On error nothing has changed, but for files that could not be removed and come back at
  // the next start.
  Status Exchange(std::span<const std::uint64_t> added, std::span<const std::uint64_t> gone);

  // Writes what is deleted of a block, which takes the place of what was.
  Status SetDeleted(std::uint64_t number, Tombstones deleted);

  // Of all files that were found damaged.
  std::uint64_t damaged() const { return damaged_; }

 private:
  explicit BlockFolder(Disk& disk) : disk_(disk) {}
  Status Load(const Logger& log);
  Result<LiveBlock> OpenBlock(std::uint64_t number) const;
  // All of `gone`, but for the blocks that stand there anew.
  Status RemoveFiles(std::span<const std::uint64_t> gone, std::span<const std::uint64_t> anew);
  void Show(BlockList list);

  Disk& disk_;
  std::uint64_t next_ = 1;
  std::uint64_t damaged_ = 0;
  std::map<std::uint64_t, std::weak_ptr<const BlockList>> earlier_;  // that may be held, by number
  mutable std::mutex mutex_;
  std::uint64_t shown_ = 0;                                  // guarded by mutex_
  BlockListPtr list_ = std::make_shared<const BlockList>();  // guarded by mutex_
};

}  // namespace skep::tsdb
