#include "evaluator/transfer/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "common/base/file.h"
#include "evaluator/tsdb/posix_disk.h"

namespace skep::transfer {
namespace {

constexpr const char* kSpoolName = "input";
constexpr std::size_t kReadBytes = 64UL << 10;

// Closes on scope exit; not standard input, which is not ours.
class Input {
 public:
  explicit Input(const std::string& path)
      : fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

// A file of /proc is a regular one, too, and says that it is empty.
bool CanBeMapped(const std::string& path) {
  struct ::stat info {};
  return path != "-" && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         info.st_size > 0;
}

Status Copy(const Input& input, const std::string& path, tsdb::AppendFile& to) {
  std::array<char, kReadBytes> buffer{};
  while (true) {
    const ssize_t n = ::read(input.get(), buffer.data(), buffer.size());
    if (n == 0) return {};
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FromErrno("read " + path, errno);
    RETURN_IF_ERROR(to.Append(std::string_view(buffer.data(), static_cast<std::size_t>(n))));
  }
}

}  // namespace

Result<tsdb::MappedFilePtr> OpenInput(const std::string& path, tsdb::Disk& disk,
                                      const std::string& spool) {
  if (CanBeMapped(path)) return tsdb::MapFile(path);
  const Input input(path);
  if (input.get() < 0) return FromErrno("open " + path, errno);
  const std::string spooled = JoinPath(spool, kSpoolName);
  const Result<std::unique_ptr<tsdb::AppendFile>> file = disk.Create(spooled);
  if (!file) return file.error();
  const Status copied = Copy(input, path, **file);
  Result<tsdb::MappedFilePtr> mapped = disk.Map(spooled);
  RETURN_IF_ERROR(disk.Remove(spooled));
  if (!copied) return copied.error();
  return mapped;
}

}  // namespace skep::transfer
