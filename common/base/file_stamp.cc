#include "common/base/file_stamp.h"

#include <sys/stat.h>

#include <ctime>
#include <utility>

namespace skep {
namespace {

// Time stamps come from the clock tick: 10 ms at the slowest (HZ=100), doubled.
constexpr std::int64_t kStepNs = 20'000'000;

std::int64_t Nanoseconds(const std::timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// The clock that the kernel stamps files with. It is compared with such stamps only, so it is not
// the program's time.
std::int64_t StampClockNs() {
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return Nanoseconds(now);
}

}  // namespace

FileStamp FileStamp::Of(const std::string& path) {
  FileStamp stamp;
  struct ::stat info {};
  if (::stat(path.c_str(), &info) != 0) return stamp;
  stamp.device_ = info.st_dev;
  stamp.inode_ = info.st_ino;
  stamp.size_bytes_ = info.st_size;
  stamp.modified_ns_ = Nanoseconds(info.st_mtim);
  stamp.changed_ns_ = Nanoseconds(info.st_ctim);
  const std::int64_t age_ns = StampClockNs() - stamp.changed_ns_;
  // A stamp from the future (another machine's clock) says nothing about now, unless it is ahead by
  // less than a step: since Linux 6.13 stamps may be finer than the clock they are compared with.
  stamp.settled_ = age_ns <= -kStepNs || age_ns >= kStepNs;
  return stamp;
}

bool FileStamp::SameAs(const FileStamp& other) const {
  return settled_ && other.settled_ && device_ == other.device_ && inode_ == other.inode_ &&
         size_bytes_ == other.size_bytes_ && modified_ns_ == other.modified_ns_ &&
         changed_ns_ == other.changed_ns_;
}

FileStamps::FileStamps(const std::vector<std::string>& paths) {
  stamps_.reserve(paths.size());
  for (const std::string& path : paths) Add(path);
}

void FileStamps::Add(const std::string& path) { stamps_.emplace_back(path, FileStamp::Of(path)); }

bool FileStamps::SameAs(const FileStamps& other) const {
  if (stamps_.size() != other.stamps_.size()) return false;
  for (std::size_t i = 0; i < stamps_.size(); ++i) {
    if (stamps_[i].first != other.stamps_[i].first) return false;
    if (!stamps_[i].second.SameAs(other.stamps_[i].second)) return false;
  }
  return true;
}

}  // namespace skep
