#include "evaluator/tsdb/posix_disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/file.h"
#include "evaluator/tsdb/mapping_guard.h"

namespace skep::tsdb {
namespace {

namespace fs = std::filesystem;

// `what` ends with the path.
Error DiskError(const std::string& what, int errnum) {
  const Error error = FromErrno(what, errnum);
  if (errnum == ENOSPC || errnum == EDQUOT) return Unavailable(error.message());
  return error;
}

// Closes on scope exit, unless it was handed on.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class PosixFile final : public AppendFile {
 public:
  PosixFile(std::string path, int fd, std::uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  using AppendFile::Append;
  Status Append(std::span<const std::string_view> parts) override {
    while (!parts.empty()) {
      std::array<iovec, kMostParts> vectors{};
      const std::size_t count = std::min(parts.size(), kMostParts);
      for (std::size_t i = 0; i < count; ++i) {
        vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
      }
      RETURN_IF_ERROR(WriteAll(std::span(vectors).first(count)));
      parts = parts.subspan(count);
    }
    return {};
  }

  Status Truncate(std::uint64_t size_bytes) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)) != 0) {
      return DiskError("cut " + path_, errno);
    }
    size_ = size_bytes;
    return {};
  }

  Status Sync() override {
    // The size is part of what fdatasync writes; the times of the file are not needed.
    if (::fdatasync(fd_.get()) != 0) return DiskError("sync " + path_, errno);
    return {};
  }

  std::uint64_t size() const override { return size_; }

 private:
  static constexpr std::size_t kMostParts = 16;

  Status WriteAll(std::span<iovec> vectors) {
    while (true) {
      while (!vectors.empty() && vectors[0].iov_len == 0) vectors = vectors.subspan(1);
      if (vectors.empty()) return {};
      const ssize_t n = ::writev(fd_.get(), vectors.data(), static_cast<int>(vectors.size()));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return DiskError("write " + path_, errno);
      size_ += static_cast<std::uint64_t>(n);
      Skip(vectors, static_cast<std::size_t>(n));
    }
  }

  static void Skip(std::span<iovec>& vectors, std::size_t written) {
    while (written > 0) {
      const std::size_t step = std::min(written, vectors[0].iov_len);
      vectors[0].iov_base = static_cast<char*>(vectors[0].iov_base) + step;
      vectors[0].iov_len -= step;
      written -= step;
      if (vectors[0].iov_len == 0) vectors = vectors.subspan(1);
    }
  }

  const std::string path_;
  const Descriptor fd_;
  std::uint64_t size_;
};

class PosixMapping final : public MappedFile {
 public:
  PosixMapping(void* at, std::size_t size) : at_(at) {
    bytes_ = {static_cast<const char*>(at), size};
    if (at != nullptr) guard_.emplace(at, size);
  }
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;
  ~PosixMapping() override {
    guard_.reset();  // other files may be mapped there soon
    if (at_ != nullptr) ::munmap(at_, bytes_.size());
  }
  Lost lost() const override { return guard_ ? guard_->lost() : Lost(); }

 private:
  void* const at_;
  std::optional<MappingGuard> guard_;  // none of an empty file
};

// "process 17 (skep-evaluator)", as far as it can be found out.
std::string HolderOf(const std::string& lock_path) {
  const Result<std::string> pid = ReadFile(lock_path, 64);
  if (!pid || pid->empty()) return "another process";
  std::string holder = "process " + pid->substr(0, pid->find('\n'));
  const Result<std::string> name =
      ReadFile("/proc/" + pid->substr(0, pid->find('\n')) + "/comm", 256);
  if (name) holder += " (" + name->substr(0, name->find('\n')) + ")";
  return holder;
}

// The pid is for people; the lock itself is the kernel's.
void WriteHolder(int lock) {
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock, 0) != 0) return;
  (void)!::pwrite(lock, pid.data(), pid.size(), 0);  // a full disk is no reason not to start
}

Result<int> TakeLock(const std::string& root) {
  const std::string path = JoinPath(root, "lock");
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.get() < 0) return DiskError("open " + path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return DiskError("lock " + path, errno);
    return Unavailable("the folder " + root + " is in use by " + HolderOf(path));
  }
  WriteHolder(lock.get());
  return lock.Release();
}

Status MakeFolders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return DiskError("make folder " + path, error.value());
  return {};
}

}  // namespace

Result<std::unique_ptr<PosixDisk>> PosixDisk::Open(std::string root) {
  RETURN_IF_ERROR(MakeFolders(root));
  const Result<int> lock = TakeLock(root);
  if (!lock) return lock.error();
  return std::unique_ptr<PosixDisk>(new PosixDisk(std::move(root), *lock));
}

PosixDisk::~PosixDisk() { ::close(lock_); }

std::string PosixDisk::Whole(const std::string& path) const {
  return path.empty() ? root_ : root_ + "/" + path;
}

Result<std::unique_ptr<AppendFile>> PosixDisk::OpenToAppend(const std::string& path, int flags) {
  std::string whole = Whole(path);
  Descriptor fd(::open(whole.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0644));
  if (fd.get() < 0) return DiskError("open " + whole, errno);
  struct ::stat info {};
  if (::fstat(fd.get(), &info) != 0) return DiskError("stat " + whole, errno);
  return {std::make_unique<PosixFile>(std::move(whole), fd.Release(),
                                      static_cast<std::uint64_t>(info.st_size))};
}

Result<std::unique_ptr<AppendFile>> PosixDisk::Create(const std::string& path) {
  return OpenToAppend(path, O_CREAT | O_EXCL);
}

Result<std::unique_ptr<AppendFile>> PosixDisk::Reopen(const std::string& path) {
  return OpenToAppend(path, 0);
}

Result<MappedFilePtr> PosixDisk::Map(const std::string& path) { return MapFile(Whole(path)); }

Result<MappedFilePtr> MapFile(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return DiskError("open " + path, errno);
  struct ::stat info {};
  if (::fstat(fd.get(), &info) != 0) return DiskError("stat " + path, errno);
  const auto size = static_cast<std::size_t>(info.st_size);
  void* at = nullptr;
  if (size > 0) {  // an empty mapping is refused by the kernel
    at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (at == MAP_FAILED) return DiskError("map " + path, errno);
  }
  return {std::make_shared<const PosixMapping>(at, size)};
}

Status PosixDisk::Rename(const std::string& from, const std::string& to) {
  if (::rename(Whole(from).c_str(), Whole(to).c_str()) == 0) return {};
  return DiskError("rename " + Whole(from) + " to " + Whole(to), errno);
}

Status PosixDisk::Link(const std::string& from, const std::string& to) {
  if (::link(Whole(from).c_str(), Whole(to).c_str()) == 0) return {};
  // Another file system, or one without links.
  if (errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP) return CopyFile(from, to);
  return DiskError("link " + Whole(from) + " to " + Whole(to), errno);
}

Status PosixDisk::CopyFile(const std::string& from, const std::string& to) {
  const Result<MappedFilePtr> source = Map(from);
  if (!source) return source.error();
  const Result<std::unique_ptr<AppendFile>> copy = Create(to);
  if (!copy) return copy.error();
  RETURN_IF_ERROR((*copy)->Append((*source)->bytes()));
  if ((*source)->lost().end > 0) return Corrupt(Whole(from) + " cannot be read as a whole");
  return (*copy)->Sync();
}

Status PosixDisk::Remove(const std::string& path) {
  if (::unlink(Whole(path).c_str()) == 0) return {};
  return DiskError("remove " + Whole(path), errno);
}

Status PosixDisk::RemoveFolder(const std::string& path) {
  const std::string whole = Whole(path);
  std::error_code error;
  if (!fs::exists(whole, error) && !error) return DiskError("remove " + whole, ENOENT);
  fs::remove_all(whole, error);
  if (error) return DiskError("remove " + whole, error.value());
  return {};
}

Status PosixDisk::MakeFolder(const std::string& path) { return MakeFolders(Whole(path)); }

Status PosixDisk::SyncFolder(const std::string& path) {
  const std::string whole = Whole(path);
  const Descriptor folder(::open(whole.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return DiskError("open " + whole, errno);
  if (::fsync(folder.get()) != 0) return DiskError("sync " + whole, errno);
  return {};
}

Result<std::vector<DiskEntry>> PosixDisk::List(const std::string& folder) const {
  return ListFolder(Whole(folder));
}

Result<std::vector<DiskEntry>> ListFolder(const std::string& path) {
  std::error_code error;
  std::vector<DiskEntry> entries;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;  // a file may vanish while we look
    const bool is_folder = at->is_directory(gone);
    const std::uint64_t size = is_folder || gone ? 0 : at->file_size(gone);
    if (gone) continue;
    entries.push_back({.name = at->path().filename().string(),
                       .kind = is_folder ? DiskEntry::Kind::kFolder : DiskEntry::Kind::kFile,
                       .size_bytes = size});
  }
  if (error) return DiskError("list " + path, error.value());
  std::sort(entries.begin(), entries.end(),
            [](const DiskEntry& a, const DiskEntry& b) { return a.name < b.name; });
  return entries;
}

Result<std::uint64_t> PosixDisk::FreeBytes() const {
  struct ::statvfs info {};
  if (::statvfs(root_.c_str(), &info) != 0)
    return DiskError("ask for free space of " + root_, errno);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace skep::tsdb
