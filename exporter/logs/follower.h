// Follows the files of one source through rotation, truncation, deletion and restarts, and hands
// each of their lines on exactly once.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "exporter/logs/folder.h"
#include "exporter/logs/followed_file.h"
#include "exporter/logs/line_sink.h"
#include "exporter/logs/line_splitter.h"
#include "exporter/logs/options.h"
#include "exporter/logs/sections.h"
#include "exporter/state/store.h"

namespace skep::logs {

// What the page says of a source.
struct FollowerStatus {
  bool up = false;  // every pattern of paths finds a file, and all could be opened and read
  std::size_t files = 0;
  std::uint64_t largest_bytes = 0;
  std::uint64_t unread_bytes = 0;
  std::optional<Timestamp> last_line;  // the time of the file that has the newest line
};

// Thread-compatible. What it hands to the sink and where it stands enter the store in one unit, so
// that a process that is killed reads on where its counters end.
//
// - A file is known by device and inode, whatever its name. Renamed, it is read to its end first,
//   then the file that took its name. A file that was made and renamed while nobody looked is found
//   by its name ("access.log.1") and by being younger than the one before it.
// - Where the bytes before the position are not what was read there, the file was truncated. What
//   a copy of it has beyond the position ("copytruncate") is found by the bytes and read first.
//   Lines that came after the copy and before the truncation are lost to everybody, and so is what
//   was copied away before we saw the file's first byte.
// - Where max_files are followed, a new one takes the place of the one that was given up longest
//   ago. A file that a pattern finds also takes that of a renamed one which is read to its end and
//   waits for a last line.
// - Half a line waits for its end, until the file is renamed or deleted and a minute has passed.
class Follower {
 public:
  // All references outlive the follower.
  Follower(const SourceOptions& options, LineSink& sink, BookmarkSection& section,
           state::Store& store, Logger log);

  // Takes the bookmarks of the source. Within Store::Update, once, before Run.
  void Restore();

  struct Now {
    Timestamp wall;
    Clock::Steady steady;
  };
  // Whether new, renamed and deleted files are looked for first.
  enum class Rescan : std::uint8_t { kNo, kYes };
  struct Turn {
    bool has_more = false;    // stopped by the budget: run again soon
    bool wants_scan = false;  // something is to be looked at again soon
    std::uint64_t bytes = 0;
    // What went wrong with the store: nothing of this turn is counted, the lines come again.
    Status status;
  };
  // Reads what has come, at most about `budget` bytes. `buffer` is grown as needed and reused.
  Turn Run(Now now, Rescan rescan, std::size_t budget, std::string& buffer);

  // To be called after Run has thrown, before the next Run: forgets what is not in the store, as a
  // restart does, and counts kInternal there. kIo as Store::Update: call it again.
  Status Recover();

  const FollowerStatus& status() const { return status_; }
  // The folders in which something may happen.
  const std::set<std::string>& folders() const { return folders_; }

 private:
  using Files = std::map<FileKey, FollowedFile>;

  void Scan(Now now);
  std::vector<FileInfo> FindFiles();
  bool IsExcluded(const std::string& path) const;
  void BindBookmarks(const std::vector<FileInfo>& found, FolderListings& listings, Now now);
  enum class Bound : std::uint8_t { kYes, kGone, kLater };
  Bound Bind(const Bookmark& bookmark, const std::vector<FileInfo>& found, FolderListings& listings,
             Now now);
  Bound BindAtPath(const Bookmark& bookmark, const FileInfo& info, FolderListings& listings,
                   Now now);
  Bound BindElsewhere(const Bookmark& bookmark, FolderListings& listings, Now now);
  Bound BindRestored(const Bookmark& bookmark, const std::vector<FileInfo>& found, Now now);
  void NoteVanished(const Bookmark& bookmark, FolderListings& listings, Now now);
  void NoteHeir(const std::string& path, FileKey older);
  void NoteRenamed(FolderListings& listings, Now now);
  FileKey AdoptBetween(const std::string& path, FileKey older,
                       std::chrono::sys_time<std::chrono::nanoseconds> modified,
                       FolderListings& listings, Now now);
  void AdoptNew(const std::vector<FileInfo>& found, Now now);
  bool WaitsAsCopy(const FileInfo& info, Now now);
  enum class Standing : std::uint8_t { kAtPath, kElsewhere };  // as FollowedFile::at_path
  FollowedFile* Adopt(const FileInfo& info, Standing standing, Now now);
  FollowedFile* FindCopy(const Bookmark& bookmark, FolderListings& listings, Now now);
  bool Reopen(FollowedFile& file);
  void DropGone(FolderListings& listings);
  bool MakeRoom(Standing standing);

  std::vector<FileKey> InOrder();
  bool IsBlocked(const FollowedFile& file) const;
  // Whether there is nothing to read now.
  bool IsQuiet(FollowedFile& file, Now now);
  void RunFile(FollowedFile& file, Now now, std::size_t budget, std::string& buffer, Turn& turn);
  std::uint64_t ReadFile(FollowedFile& file, Now now, std::size_t budget, std::string& buffer);
  AtEnd WhatAtEnd(const FollowedFile& file, Now now) const;
  void OnReplaced(FollowedFile& file, Now now);
  void ParkIfDone(FollowedFile& file, Now now);
  Status Commit();
  void UpdateStatus();
  // Counts, and logs what it has not logged within the last minute.
  void Problem(ReadProblem problem, const std::string& path, std::string_view what);

  const SourceOptions options_;
  LineSink& sink_;
  BookmarkSection& section_;
  state::Store& store_;
  Logger log_;
  LineSplitter splitter_;

  Files files_;
  std::map<FileKey, Bookmark> unbound_;    // from the state, whose files were not found yet
  std::set<std::string> unseen_patterns_;  // never looked at in all times
  std::set<FileKey> removed_;              // bookmarks to take out of the state
  std::set<std::string> newly_seen_;       // patterns to note in the state
  std::map<FileKey, Clock::Steady> waiting_copies_;
  // Files that lay beside ours when they were looked at last.
  std::set<FileKey> known_beside_;
  std::map<FileKey, FileKey> successors_;  // of one scan: who has the path of whom now
  std::set<std::string> folders_;
  bool scan_failed_ = false;
  std::size_t next_ = 0;  // which file begins the next turn
  FollowerStatus status_;
  Clock::Steady now_{};  // of the present turn
  std::array<std::optional<Clock::Steady>, kReadProblems> logged_;
};

}  // namespace skep::logs
