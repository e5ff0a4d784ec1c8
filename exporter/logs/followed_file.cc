#include "exporter/logs/followed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace skep::logs {
namespace {

// As many bytes as there are, from `offset` on; -1: failed.
ssize_t ReadFully(int fd, char* out, std::size_t bytes, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::pread(fd, out + done, bytes - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

FollowedFile::FollowedFile(FollowedFile&& other) noexcept
    : origin(std::move(other.origin)),
      at_path(other.at_path),
      is_drained(other.is_drained),
      seen_size(other.seen_size),
      seen_modified(other.seen_modified),
      is_deleted(other.is_deleted),
      after(other.after),
      copy_of(other.copy_of),
      last_growth(other.last_growth),
      info_(std::move(other.info_)),
      fd_(std::exchange(other.fd_, -1)),
      head_(std::move(other.head_)),
      position_(std::move(other.position_)),
      committed_(std::move(other.committed_)),
      is_dirty_(other.is_dirty_) {}

FollowedFile::~FollowedFile() { Close(); }

Status FollowedFile::Open() {
  if (fd_ >= 0) return {};
  const int fd = ::open(info_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return FromErrno("open " + info_.path, errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || FileKey{info.st_dev, info.st_ino} != info_.key) {
    ::close(fd);
    return NotFound(info_.path + " is another file by now");
  }
  fd_ = fd;
  return {};
}

void FollowedFile::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool FollowedFile::ReadAt(std::uint64_t offset, std::size_t bytes, std::string& out) const {
  out.resize(bytes);
  const ssize_t n = ReadFully(fd_, out.data(), bytes, offset);
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return out.size() == bytes;
}

bool FollowedFile::ResumeAt(const Bookmark& bookmark) {
  if (bookmark.tail.length > bookmark.offset || bookmark.head.length > bookmark.offset ||
      bookmark.tail.length > kTailBytes || bookmark.head.length > kHeadBytes) {
    return false;
  }
  std::string head;
  std::string tail;
  if (!ReadAt(0, bookmark.head.length, head) || Fingerprint::Of(head) != bookmark.head)
    return false;
  if (!ReadAt(bookmark.offset - bookmark.tail.length, bookmark.tail.length, tail)) return false;
  if (Fingerprint::Of(tail) != bookmark.tail) return false;
  origin = bookmark.origin;
  head_ = std::move(head);
  position_ = {bookmark.offset, std::move(tail), {bookmark.skips_line, bookmark.skips_record}};
  committed_ = position_;
  is_dirty_ = bookmark.file != info_.key || bookmark.path != info_.path;
  return true;
}

bool FollowedFile::BeginsLike(const FollowedFile& other) const {
  std::string head;
  (void)ReadAt(0, other.head_.size(), head);
  return std::string_view(other.head_).starts_with(head);
}

void FollowedFile::SkipToEnd() {
  // Half a line at the end belongs to what is passed over.
  std::string tail;
  const std::uint64_t size = info_.size;
  const std::size_t bytes = std::min<std::uint64_t>(size, kTailBytes);
  if (!ReadAt(size - bytes, bytes, tail)) return;
  position_ = {size, std::move(tail), {}};
  position_.split.skips_line = !position_.tail.empty() && position_.tail.back() != '\n';
  committed_ = position_;
  is_dirty_ = true;
  FillHead();
}

void FollowedFile::Restart() {
  head_.clear();
  position_ = {};
  is_dirty_ = true;
  is_drained = false;
  // A writer that keeps its own offset leaves a hole of zeros, which may be large.
  const off_t data = ::lseek(fd_, 0, SEEK_DATA);
  if (data <= 0) return;
  std::string zeros;
  const std::size_t bytes = std::min<std::uint64_t>(static_cast<std::uint64_t>(data), kTailBytes);
  if (!ReadAt(static_cast<std::uint64_t>(data) - bytes, bytes, zeros)) return;
  position_.offset = static_cast<std::uint64_t>(data);
  position_.tail = std::move(zeros);
}

FollowedFile::ReadOutcome FollowedFile::Read(std::string& buffer, std::string_view& data) {
  const std::string& tail = position_.tail;
  const ssize_t n = ReadFully(fd_, buffer.data(), buffer.size(), position_.offset - tail.size());
  if (n < 0) return ReadOutcome::kFailed;
  const auto bytes = static_cast<std::size_t>(n);
  if (bytes < tail.size() || std::memcmp(buffer.data(), tail.data(), tail.size()) != 0) {
    return ReadOutcome::kReplaced;
  }
  data = std::string_view(buffer.data() + tail.size(), bytes - tail.size());
  return data.empty() ? ReadOutcome::kEnd : ReadOutcome::kData;
}

void FollowedFile::Advance(std::string_view data, std::size_t bytes) {
  if (bytes == 0) return;
  position_.offset += bytes;
  // The tail stands directly before `data` in the buffer.
  const std::size_t known = position_.tail.size() + bytes;
  const std::size_t kept = std::min(known, kTailBytes);
  position_.tail.assign(data.data() + bytes - kept, kept);
  is_dirty_ = true;
  if (head_.size() < kHeadBytes) FillHead();
}

bool FollowedFile::FillHead() {
  const std::size_t bytes = std::min<std::uint64_t>(kHeadBytes, position_.offset);
  return ReadAt(0, bytes, head_);
}

bool FollowedFile::Refresh() {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return false;
  info_.size = static_cast<std::uint64_t>(info.st_size);
  info_.modified = std::chrono::sys_time<std::chrono::nanoseconds>(
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec));
  is_deleted = info.st_nlink == 0;
  return true;
}

Bookmark FollowedFile::MakeBookmark() const {
  Bookmark bookmark;
  bookmark.file = info_.key;
  bookmark.offset = position_.offset;
  bookmark.head = Fingerprint::Of(std::string_view(head_).substr(0, position_.offset));
  bookmark.tail = Fingerprint::Of(position_.tail);
  bookmark.skips_line = position_.split.skips_line;
  bookmark.skips_record = position_.split.skips_record;
  bookmark.modified = std::chrono::floor<Duration>(info_.modified);
  bookmark.path = info_.path;
  bookmark.origin = origin;
  return bookmark;
}

void FollowedFile::Commit() {
  committed_ = position_;
  is_dirty_ = false;
}

void FollowedFile::Rollback() {
  position_ = committed_;
  is_dirty_ = true;
  is_drained = false;
}

}  // namespace skep::logs
