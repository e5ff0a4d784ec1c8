#include "exporter/logs/follower.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "common/base/file.h"

namespace skep::logs {
namespace {

// A renamed or deleted file is given up when nothing came for so long: its writer has had time to
// reopen.
constexpr std::chrono::seconds kParkAfter{60};
// How long a file that may become a copy of another is not read.
constexpr std::chrono::seconds kCopyWait{5};
constexpr std::chrono::minutes kLogEvery{1};
// Of one file before the others have their turn.
constexpr std::size_t kFileQuantum = 4UL << 20;

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

}  // namespace

Follower::Follower(const SourceOptions& options, LineSink& sink, BookmarkSection& section,
                   state::Store& store, Logger log)
    : options_(options),
      sink_(sink),
      section_(section),
      store_(store),
      log_(std::move(log)),
      splitter_(options.max_line_bytes, options.multiline) {}

void Follower::Restore() {
  unbound_ = section_.Of(options_.name);
  for (const std::string& pattern : options_.paths) {
    if (!section_.HasSeen(options_.name, pattern)) unseen_patterns_.insert(pattern);
  }
}

void Follower::Problem(ReadProblem problem, const std::string& path, std::string_view what) {
  sink_.OnProblem(problem);
  std::optional<Clock::Steady>& logged = logged_[static_cast<std::size_t>(problem)];
  if (logged && now_ - *logged < kLogEvery) return;
  logged = now_;
  log_.Warn(what, {{"source", options_.name}, {"path", path}});
}

bool Follower::IsExcluded(const std::string& path) const {
  if (IsCompressed(path)) return true;
  return std::any_of(options_.exclude.begin(), options_.exclude.end(), [&](const std::string& p) {
    return ::fnmatch(p.c_str(), path.c_str(), 0) == 0;
  });
}

// The regular files that the patterns find, each once.
std::vector<FileInfo> Follower::FindFiles() {
  std::vector<FileInfo> found;
  std::set<FileKey> keys;
  folders_.clear();
  for (const std::string& pattern : options_.paths) {
    const std::string folder = DirName(pattern);
    if (!HasWildcard(folder)) folders_.insert(folder);
    Result<std::vector<std::string>> paths = Glob(pattern);
    if (!paths || paths->empty()) {
      scan_failed_ = true;
      Problem(ReadProblem::kMissing, pattern, "no log file is there");
      continue;
    }
    for (const std::string& path : *paths) {
      if (IsExcluded(path)) continue;
      FileInfo info;
      switch (Look(path, info)) {
        case LookOutcome::kFile:
          folders_.insert(DirName(path));
          if (keys.insert(info.key).second) found.push_back(std::move(info));
          break;
        case LookOutcome::kGone:
          break;  // between the folder and us
        case LookOutcome::kNotRegular:
          scan_failed_ = true;
          Problem(ReadProblem::kNotRegular, path, "log is no regular file");
          break;
        case LookOutcome::kForbidden:
          scan_failed_ = true;
          Problem(ReadProblem::kPermission, path, "log may not be looked at");
          break;
        case LookOutcome::kFailed:  // links in a circle, a file system that fails
          scan_failed_ = true;
          Problem(ReadProblem::kIo, path, "log cannot be looked at");
          break;
      }
    }
  }
  return found;
}

// Drops the oldest of those that are done with; false: all are in use.
bool Follower::MakeRoom(Standing standing) {
  if (files_.size() < options_.max_files) return true;
  auto oldest_closed = files_.end();
  auto oldest_read = files_.end();
  for (auto it = files_.begin(); it != files_.end(); ++it) {
    const FollowedFile& file = it->second;
    if (file.at_path) continue;
    const bool is_read = file.is_drained && !file.has_unread() && !file.is_dirty();
    if (file.is_open() && !is_read) continue;
    auto& oldest = file.is_open() ? oldest_read : oldest_closed;
    if (oldest == files_.end() || file.info().modified < oldest->second.info().modified) {
      oldest = it;
    }
  }
  // A renamed file's writer may have a last line for it; a new one surely has all of its own.
  auto oldest = oldest_closed;
  if (oldest == files_.end() && standing == Standing::kAtPath) oldest = oldest_read;
  if (oldest == files_.end()) return false;
  removed_.insert(oldest->first);
  files_.erase(oldest);
  return true;
}

// Null: it cannot be opened or there is no room, which is counted.
FollowedFile* Follower::Adopt(const FileInfo& info, Standing standing, Now now) {
  if (!MakeRoom(standing)) {
    scan_failed_ = true;
    Problem(ReadProblem::kTooManyFiles, info.path, "more log files than max_files");
    return nullptr;
  }
  FollowedFile file(info);
  if (const Status opened = file.Open(); !opened) {
    if (opened.error().kind() == ErrorKind::kNotFound) return nullptr;  // the next scan sees it
    scan_failed_ = true;
    Problem(ReadProblem::kPermission, info.path, opened.error().message());
    return nullptr;
  }
  file.at_path = standing == Standing::kAtPath;
  file.last_growth = now.steady;
  removed_.erase(info.key);
  files_.erase(info.key);
  return &files_.emplace(info.key, std::move(file)).first->second;
}

// The file that has what the bookmark says, under a name that rotation makes: what copying leaves.
FollowedFile* Follower::FindCopy(const Bookmark& bookmark, FolderListings& listings, Now now) {
  if (bookmark.offset == 0) return nullptr;
  for (const FileInfo& info : listings.RotatedFrom(bookmark.origin)) {
    if (info.key == bookmark.file || info.size < bookmark.offset) continue;
    const auto known = files_.find(info.key);
    if (known != files_.end() && !known->second.copy_of) continue;
    FollowedFile probe(info);
    if (!probe.Open() || !probe.ResumeAt(bookmark)) continue;
    const bool at_path = known != files_.end() && known->second.at_path;
    FollowedFile* copy = Adopt(info, at_path ? Standing::kAtPath : Standing::kElsewhere, now);
    if (copy != nullptr && copy->ResumeAt(bookmark)) return copy;
  }
  return nullptr;
}

// The file has the bookmark's identity and stands where a pattern finds it.
Follower::Bound Follower::BindAtPath(const Bookmark& bookmark, const FileInfo& info,
                                     FolderListings& listings, Now now) {
  FollowedFile* file = Adopt(info, Standing::kAtPath, now);
  if (file == nullptr) return Bound::kLater;
  if (file->info().size >= bookmark.offset && file->ResumeAt(bookmark)) {
    if (info.path != bookmark.path) {
      sink_.OnRotation(Rotation::kRenamed);
      NoteHeir(bookmark.path, info.key);
    }
    return Bound::kYes;
  }
  sink_.OnRotation(Rotation::kTruncated);
  file->Restart();
  FollowedFile* copy = FindCopy(bookmark, listings, now);
  if (copy != nullptr) files_.at(info.key).after = copy->info().key;
  return Bound::kYes;
}

// Renamed within its folder, or copied to another inode.
Follower::Bound Follower::BindElsewhere(const Bookmark& bookmark, FolderListings& listings,
                                        Now now) {
  const std::string folder = DirName(bookmark.path);
  if (const std::optional<FileInfo> info = listings.FindFile(folder, bookmark.file)) {
    FollowedFile* file = Adopt(*info, Standing::kElsewhere, now);
    if (file == nullptr) return Bound::kLater;
    if (info->size >= bookmark.offset && file->ResumeAt(bookmark)) {
      if (info->path == bookmark.path) return Bound::kYes;
      sink_.OnRotation(Rotation::kRenamed);
      NoteHeir(bookmark.path,
               AdoptBetween(bookmark.path, info->key, info->modified, listings, now));
      return Bound::kYes;
    }
    files_.erase(info->key);  // the number is used again by a file that is not ours
  }
  FollowedFile* copy = FindCopy(bookmark, listings, now);
  if (copy == nullptr) return Bound::kGone;
  NoteHeir(bookmark.path,
           AdoptBetween(bookmark.path, copy->info().key, copy->info().modified, listings, now));
  return Bound::kYes;
}

// The same path with the same bytes: restored, or the device has another number now.
Follower::Bound Follower::BindRestored(const Bookmark& bookmark, const std::vector<FileInfo>& found,
                                       Now now) {
  if (bookmark.offset == 0) return Bound::kGone;
  for (const FileInfo& info : found) {
    if (info.path != bookmark.path || info.size < bookmark.offset) continue;
    if (files_.contains(info.key) || unbound_.contains(info.key)) continue;
    FollowedFile* file = Adopt(info, Standing::kAtPath, now);
    if (file == nullptr) return Bound::kLater;
    if (file->ResumeAt(bookmark)) return Bound::kYes;
    files_.erase(info.key);
  }
  return Bound::kGone;
}

Follower::Bound Follower::Bind(const Bookmark& bookmark, const std::vector<FileInfo>& found,
                               FolderListings& listings, Now now) {
  const auto at = std::find_if(found.begin(), found.end(),
                               [&](const FileInfo& info) { return info.key == bookmark.file; });
  if (at != found.end()) return BindAtPath(bookmark, *at, listings, now);
  // A disk that is not mounted yet.
  if (listings.Of(DirName(bookmark.path)) == nullptr) return Bound::kLater;
  const Bound bound = BindRestored(bookmark, found, now);
  return bound == Bound::kGone ? BindElsewhere(bookmark, listings, now) : bound;
}

void Follower::NoteVanished(const Bookmark& bookmark, FolderListings& listings, Now now) {
  const bool was_at_path =
      std::any_of(options_.paths.begin(), options_.paths.end(), [&](const std::string& p) {
        return ::fnmatch(p.c_str(), bookmark.path.c_str(), FNM_PATHNAME) == 0;
      });
  if (!was_at_path) return;  // what rotation has packed or deleted was read before
  Problem(ReadProblem::kVanished, bookmark.path,
          "log file is gone; what it had beyond what was read is unknown");
  NoteHeir(bookmark.path,
           AdoptBetween(bookmark.path, bookmark.file, bookmark.modified, listings, now));
}

void Follower::BindBookmarks(const std::vector<FileInfo>& found, FolderListings& listings,
                             Now now) {
  std::map<FileKey, Bookmark> later;
  while (!unbound_.empty()) {
    // Taken out first: its number may belong to a file that is none of ours by now.
    const Bookmark bookmark = std::move(unbound_.extract(unbound_.begin()).mapped());
    const Bound bound = Bind(bookmark, found, listings, now);
    if (bound == Bound::kGone) NoteVanished(bookmark, listings, now);
    if (bound == Bound::kLater) {
      later.emplace(bookmark.file, bookmark);
    } else if (!files_.contains(bookmark.file)) {
      removed_.insert(bookmark.file);
    }
  }
  unbound_ = std::move(later);
}

// Whoever has the path now waits until `older` is read.
void Follower::NoteHeir(const std::string& path, FileKey older) {
  FileInfo heir;
  if (Look(path, heir) == LookOutcome::kFile && heir.key != older) successors_[heir.key] = older;
}

// Files that took the path and lost it again while nobody looked: younger than the one that had it
// when we looked last. Returns the youngest of all.
FileKey Follower::AdoptBetween(const std::string& path, FileKey older,
                               std::chrono::sys_time<std::chrono::nanoseconds> modified,
                               FolderListings& listings, Now now) {
  FileKey last = older;
  for (const FileInfo& info : listings.RotatedFrom(path)) {
    if (files_.contains(info.key) || unbound_.contains(info.key) || IsExcluded(info.path)) continue;
    const bool is_fresh = !known_beside_.empty() && !known_beside_.contains(info.key);
    if (info.modified < modified || (info.modified == modified && !is_fresh)) continue;
    FollowedFile* file = Adopt(info, Standing::kElsewhere, now);
    if (file == nullptr) continue;
    file->after = last;
    last = info.key;
  }
  return last;
}

// Files whose path no longer leads to them.
void Follower::NoteRenamed(FolderListings& listings, Now now) {
  std::vector<FileKey> renamed;
  for (auto& [key, file] : files_) {
    if (file.is_open() && !file.Refresh()) scan_failed_ = true;
    if (!file.at_path) continue;
    FileInfo info;
    if (Look(file.info().path, info) == LookOutcome::kFile && info.key == key) continue;
    renamed.push_back(key);
  }
  for (const FileKey key : renamed) {
    FollowedFile& file = files_.at(key);
    const std::string path = file.info().path;
    file.at_path = false;
    sink_.OnRotation(file.is_deleted ? Rotation::kDeleted : Rotation::kRenamed);
    const std::optional<FileInfo> info = listings.FindFile(DirName(path), key);
    if (info) file.set_path(info->path);
    NoteHeir(path, AdoptBetween(path, key, file.info().modified, listings, now));
  }
}

// A file that begins like one of ours and has a name that rotation gives: a copy, perhaps not whole
// yet. Read is only what the original can no longer give.
bool Follower::WaitsAsCopy(const FileInfo& info, Now now) {
  for (auto& [key, original] : files_) {
    if (!original.is_open() || original.copy_of || original.position().offset == 0) continue;
    if (DirName(original.origin) != DirName(info.path) ||
        !IsRotatedName(BaseName(info.path), BaseName(original.origin))) {
      continue;
    }
    FollowedFile seen(info);
    if (!seen.Open() || !seen.BeginsLike(original)) continue;
    if (info.size >= original.position().offset) {
      FollowedFile probe(info);
      if (!probe.Open() || !probe.ResumeAt(original.MakeBookmark())) continue;
      FollowedFile* copy = Adopt(info, Standing::kAtPath, now);
      if (copy == nullptr) return true;
      copy->SkipToEnd();
      copy->copy_of = key;
      return true;
    }
    const auto [since, is_new] = waiting_copies_.try_emplace(info.key, now.steady);
    if (is_new || now.steady - since->second < kCopyWait) return true;
  }
  waiting_copies_.erase(info.key);
  return false;
}

// A file that was given up is written to again, or its number has gone to another one.
bool Follower::Reopen(FollowedFile& file) {
  if (!file.Open()) return false;  // the next scan tries again
  if (file.ResumeAt(file.MakeBookmark())) return true;
  file.Restart();
  return false;
}

void Follower::AdoptNew(const std::vector<FileInfo>& found, Now now) {
  std::erase_if(waiting_copies_, [&](const auto& waiting) {
    return std::none_of(found.begin(), found.end(),
                        [&](const FileInfo& info) { return info.key == waiting.first; });
  });
  for (const FileInfo& info : found) {
    if (const auto known = files_.find(info.key); known != files_.end()) {
      FollowedFile& file = known->second;
      file.at_path = true;
      if (file.info().path != info.path) file.set_path(info.path);
      if (!file.is_open()) Reopen(file);
      // A copy that is still being written.
      if (file.copy_of && file.Refresh() && file.has_unread()) file.SkipToEnd();
      continue;
    }
    if (unbound_.contains(info.key)) continue;  // could not be opened; its place is known
    const bool is_first_sight = std::any_of(
        unseen_patterns_.begin(), unseen_patterns_.end(), [&](const std::string& pattern) {
          return ::fnmatch(pattern.c_str(), info.path.c_str(), FNM_PATHNAME) == 0;
        });
    if (!is_first_sight && WaitsAsCopy(info, now)) continue;
    FollowedFile* file = Adopt(info, Standing::kAtPath, now);
    if (file == nullptr) continue;
    if (is_first_sight && !options_.from_beginning) file->SkipToEnd();
    if (const auto before = successors_.find(info.key); before != successors_.end()) {
      file->after = before->second;
    }
  }
}

// Closed files that no longer exist, or whose number now belongs to a file that is none of ours.
void Follower::DropGone(FolderListings& listings) {
  for (auto it = files_.begin(); it != files_.end();) {
    FollowedFile& file = it->second;
    const std::string folder = DirName(file.info().path);
    if (file.is_open() || file.at_path || listings.Of(folder) == nullptr) {
      ++it;
      continue;
    }
    const std::optional<FileInfo> info = listings.FindFile(folder, it->first);
    bool keep = info.has_value();
    if (info && info->path != file.info().path) file.set_path(info->path);
    if (info && info->size != file.position().offset) keep = Reopen(file) || !file.is_open();
    if (keep) {
      ++it;
    } else {
      removed_.insert(it->first);
      it = files_.erase(it);
    }
  }
}

void Follower::Scan(Now now) {
  scan_failed_ = false;
  successors_.clear();
  FolderListings listings;
  std::vector<FileInfo> found = FindFiles();
  NoteRenamed(listings, now);
  BindBookmarks(found, listings, now);
  AdoptNew(found, now);
  DropGone(listings);
  newly_seen_.merge(unseen_patterns_);
  unseen_patterns_.clear();
  known_beside_.clear();
  for (const auto& [key, file] : files_) {
    if (!file.at_path) continue;
    for (const FileInfo& info : listings.RotatedFrom(file.info().path))
      known_beside_.insert(info.key);
  }
}

bool Follower::IsBlocked(const FollowedFile& file) const {
  if (file.copy_of || !file.is_open()) return true;
  if (!file.after) return false;
  const auto before = files_.find(*file.after);
  return before != files_.end() && before->second.is_open() && !before->second.is_drained;
}

// Renamed files first, so that those that wait for them need not wait for the next turn. By their
// keys: reading one may take others out.
std::vector<FileKey> Follower::InOrder() {
  std::vector<const FollowedFile*> order;
  for (const auto& [key, file] : files_) order.push_back(&file);
  if (order.empty()) return {};
  std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(next_++ % order.size()),
              order.end());
  std::stable_sort(order.begin(), order.end(), [](const FollowedFile* a, const FollowedFile* b) {
    if (a->at_path != b->at_path) return b->at_path;
    return !a->at_path && a->info().modified < b->info().modified;
  });
  std::vector<FileKey> keys;
  keys.reserve(order.size());
  for (const FollowedFile* file : order) keys.push_back(file->info().key);
  return keys;
}

AtEnd Follower::WhatAtEnd(const FollowedFile& file, Now now) const {
  const auto quiet = now.steady - file.last_growth;
  if (!file.at_path && quiet >= kParkAfter) return AtEnd::kAll;
  if (options_.multiline && quiet >= options_.multiline->timeout) return AtEnd::kRecord;
  return AtEnd::kWait;
}

bool Follower::IsQuiet(FollowedFile& file, Now now) {
  if (!file.Refresh()) {
    Problem(ReadProblem::kIo, file.info().path, "log cannot be looked at");
    return true;
  }
  if (file.info().size != file.seen_size || file.info().modified != file.seen_modified) {
    file.seen_size = file.info().size;
    file.seen_modified = file.info().modified;
    file.last_growth = now.steady;
    file.is_drained = false;
  }
  if (!file.is_drained) return false;
  // Half a line or record may have waited long enough.
  return !file.has_unread() || WhatAtEnd(file, now) == AtEnd::kWait;
}

void Follower::OnReplaced(FollowedFile& file, Now now) {
  sink_.OnRotation(Rotation::kTruncated);
  Bookmark bookmark = file.MakeBookmark();
  const FileKey key = file.info().key;
  file.Restart();
  FolderListings listings;
  FollowedFile* copy = FindCopy(bookmark, listings, now);
  if (copy != nullptr) files_.at(key).after = copy->info().key;
}

std::uint64_t Follower::ReadFile(FollowedFile& file, Now now, std::size_t budget,
                                 std::string& buffer) {
  std::uint64_t bytes = 0;
  while (bytes < budget && !sink_.IsFull()) {
    std::string_view data;
    switch (file.Read(buffer, data)) {
      case FollowedFile::ReadOutcome::kFailed:
        scan_failed_ = true;
        Problem(ReadProblem::kIo, file.info().path, "log cannot be read");
        file.is_drained = true;
        return bytes;
      case FollowedFile::ReadOutcome::kReplaced:
        OnReplaced(file, now);
        return bytes;
      case FollowedFile::ReadOutcome::kEnd:
        file.is_drained = true;
        return bytes;
      case FollowedFile::ReadOutcome::kData:
        break;
    }
    const bool is_end = data.size() + file.position().tail.size() < buffer.size();
    const AtEnd at_end = is_end ? WhatAtEnd(file, now) : AtEnd::kWait;
    Position& position = file.mutable_position();
    const std::size_t done = splitter_.Split(data, at_end, position.split, sink_);
    file.Advance(data, done);
    bytes += done;
    if (is_end && !sink_.IsFull()) {
      file.is_drained = true;
      return bytes;
    }
    if (done == 0) return bytes;  // a full sink
  }
  return bytes;
}

// A renamed or deleted file that nobody writes to any more needs no descriptor; a deleted one keeps
// its disk space until we close it.
void Follower::ParkIfDone(FollowedFile& file, Now now) {
  if (file.at_path || file.is_dirty()) return;
  if (file.copy_of) file.Close();
  if (!file.is_drained || now.steady - file.last_growth < kParkAfter) return;
  if (!file.has_unread() || file.is_deleted) file.Close();
}

Status Follower::Commit() {
  std::vector<FollowedFile*> dirty;
  for (auto& [key, file] : files_) {
    if (file.is_dirty()) dirty.push_back(&file);
  }
  if (dirty.empty() && sink_.empty() && removed_.empty() && newly_seen_.empty()) return {};
  const Status status = store_.Update([&](state::Changes& changes) -> Status {
    sink_.Write(changes);
    for (const FileKey key : removed_) section_.Remove(changes, options_.name, key);
    for (const FollowedFile* file : dirty)
      section_.Put(changes, options_.name, file->MakeBookmark());
    for (const std::string& p : newly_seen_) section_.MarkSeen(changes, options_.name, p);
    return {};
  });
  if (!status) {
    for (FollowedFile* file : dirty) file->Rollback();
    (void)store_.Update([&](state::Changes&) -> Status {  // nothing in it can fail
      sink_.Dropped();
      return {};
    });
    return status;
  }
  for (FollowedFile* file : dirty) file->Commit();
  sink_.Written();
  removed_.clear();
  newly_seen_.clear();
  return {};
}

Status Follower::Recover() {
  files_.clear();
  removed_.clear();
  unseen_patterns_.clear();
  newly_seen_.clear();
  waiting_copies_.clear();
  known_beside_.clear();
  successors_.clear();
  const Status status = store_.Update([&](state::Changes& changes) -> Status {
    sink_.Dropped();
    Restore();
    sink_.OnProblem(ReadProblem::kInternal);
    sink_.Write(changes);
    return {};
  });
  if (status) sink_.Written();
  return status;
}

void Follower::UpdateStatus() {
  FollowerStatus status;
  status.up = !scan_failed_;
  for (const auto& [key, file] : files_) {
    if (file.copy_of) continue;
    const std::uint64_t size = file.info().size;
    if (file.is_open() && size > file.position().offset) {
      status.unread_bytes += size - file.position().offset;
    }
    if (file.position().offset > 0) {
      const Timestamp modified = std::chrono::floor<Duration>(file.info().modified);
      status.last_line = std::max(status.last_line.value_or(modified), modified);
    }
    if (!file.at_path) continue;
    ++status.files;
    status.largest_bytes = std::max(status.largest_bytes, size);
  }
  status_ = status;
}

void Follower::RunFile(FollowedFile& file, Now now, std::size_t budget, std::string& buffer,
                       Turn& turn) {
  if (IsBlocked(file)) {
    turn.has_more = turn.has_more || (file.is_open() && !file.copy_of);
    if (file.copy_of) ParkIfDone(file, now);
  } else if (IsQuiet(file, now)) {
    ParkIfDone(file, now);
  } else if (turn.bytes >= budget) {
    turn.has_more = true;
  } else {
    const FileKey key = file.info().key;
    turn.bytes += ReadFile(file, now, std::min(kFileQuantum, budget - turn.bytes), buffer);
    turn.has_more = turn.has_more || !files_.at(key).is_drained;
  }
}

Follower::Turn Follower::Run(Now now, Rescan rescan, std::size_t budget, std::string& buffer) {
  Turn turn;
  now_ = now.steady;
  buffer.resize(std::max(buffer.size(), splitter_.buffer_bytes() + kTailBytes));
  if (rescan == Rescan::kYes) Scan(now);
  for (const FileKey key : InOrder()) {
    const auto found = files_.find(key);
    if (found == files_.end()) continue;
    RunFile(found->second, now, budget, buffer, turn);
    if (!sink_.IsFull()) continue;
    turn.has_more = true;
    turn.status = Commit();
    if (!turn.status) return turn;
  }
  turn.status = Commit();
  turn.wants_scan = !waiting_copies_.empty() || !unbound_.empty();
  UpdateStatus();
  return turn;
}

}  // namespace skep::logs
