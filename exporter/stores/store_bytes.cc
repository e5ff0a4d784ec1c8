#include "exporter/stores/store_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace skep::stores {
namespace {

// Closes a descriptor at the end of its scope.
struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

Timestamp ModifiedAt(const struct stat& info) {
  return FromMillis(info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000);
}

}  // namespace

ReadFailure FailureOfErrno(int error) {
  if (error == ENOENT || error == ENOTDIR) return ReadFailure::kMissing;
  if (error == EACCES || error == EPERM) return ReadFailure::kPermission;
  return ReadFailure::kIo;
}

Reading<StoreBytes> ReadStoreBytes(const std::string& path, std::uint64_t max_bytes) {
  // Not to hang at a pipe that nobody writes to.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number < 0) return FailureOfErrno(errno);
  struct stat info {};
  if (::fstat(file.number, &info) != 0) return FailureOfErrno(errno);
  if (!S_ISREG(info.st_mode)) return ReadFailure::kSchema;
  if (static_cast<std::uint64_t>(info.st_size) > max_bytes) return ReadFailure::kTooLarge;
  // One byte more than the file had, so that its growth while it is read shows.
  std::string bytes(static_cast<std::size_t>(info.st_size) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    const ssize_t got = ::read(file.number, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailureOfErrno(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > max_bytes) return ReadFailure::kTooLarge;
    if (size == bytes.size()) bytes.resize(2 * size);
  }
  bytes.resize(size);
  return StoreBytes{.bytes = std::move(bytes), .modified = ModifiedAt(info)};
}

}  // namespace skep::stores
