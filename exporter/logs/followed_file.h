// One file that is being followed: where reading stands, and that what stands before is still
// what was read.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "exporter/logs/folder.h"
#include "exporter/logs/line_splitter.h"
#include "exporter/logs/sections.h"

namespace skep::logs {

inline constexpr std::size_t kHeadBytes = 1024;
inline constexpr std::size_t kTailBytes = 256;

// Where reading stands. `tail` are the bytes just before the offset.
struct Position {
  std::uint64_t offset = 0;
  std::string tail = {};
  SplitState split = {};
};

// An open file. Movable, thread-compatible.
class FollowedFile {
 public:
  explicit FollowedFile(const FileInfo& info) : origin(info.path), info_(info) {}
  FollowedFile(FollowedFile&& other) noexcept;
  FollowedFile& operator=(FollowedFile&&) = delete;
  ~FollowedFile();

  // Opens the path, and refuses (kNotFound) when another file is there by now.
  Status Open();
  void Close();
  bool is_open() const { return fd_ >= 0; }

  // Whether the file has what was read up to the bookmark; moves there if so.
  bool ResumeAt(const Bookmark& bookmark);
  // Passes over what is there: all but what comes later.
  void SkipToEnd();
  // Whether the first bytes of both files are the same, as far as both have been read or written.
  bool BeginsLike(const FollowedFile& other) const;
  // To the beginning of a file that was truncated.
  void Restart();

  enum class ReadOutcome : std::uint8_t { kData, kEnd, kReplaced, kFailed };
  // Reads on from the position. `data` points into `buffer`. kReplaced: what stands before the
  // position is not what was read there; the file was truncated or written anew.
  ReadOutcome Read(std::string& buffer, std::string_view& data);
  // So many bytes of the last Read are done with.
  void Advance(std::string_view data, std::size_t bytes);

  // Looks at size, time and is_deleted again. False: it failed.
  bool Refresh();

  Bookmark MakeBookmark() const;
  // The position is in the store; or it was not written, so back to the last one that was.
  void Commit();
  void Rollback();
  bool is_dirty() const { return is_dirty_; }

  const FileInfo& info() const { return info_; }
  void set_path(std::string path) {
    info_.path = std::move(path);
    is_dirty_ = true;
  }
  const Position& position() const { return position_; }
  Position& mutable_position() { return position_; }
  bool has_unread() const { return info_.size != position_.offset; }

  // What the follower notes.
  std::string origin;       // Bookmark::origin
  bool at_path = true;      // a pattern of the source finds it
  bool is_drained = false;  // read to its end when last looked at
  // Size and time of the last change that was noticed.
  std::uint64_t seen_size = 0;
  std::chrono::sys_time<std::chrono::nanoseconds> seen_modified{};
  bool is_deleted = false;
  std::optional<FileKey> after;    // read only when that one is drained
  std::optional<FileKey> copy_of;  // its content is read there, unless that is truncated
  Clock::Steady last_growth{};

 private:
  bool ReadAt(std::uint64_t offset, std::size_t bytes, std::string& out) const;
  bool FillHead();

  FileInfo info_;
  int fd_ = -1;
  std::string head_;  // the first bytes, as far as they were read
  Position position_;
  Position committed_;
  bool is_dirty_ = true;  // differs from what the store has
};

}  // namespace skep::logs
