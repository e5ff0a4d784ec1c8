#include "common/base/file.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace skep {
namespace {

// Closes on scope exit; the error of a close after reading tells nothing.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  // Closes now and gives close's answer: after writing it matters.
  int Close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd);
  }

 private:
  int fd_;
};

Status WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FromErrno("write " + path, errno);
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status WriteAndSync(const std::string& path, std::string_view content) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return FromErrno("open " + path, errno);
  RETURN_IF_ERROR(WriteAll(file.get(), content, path));
  if (::fsync(file.get()) != 0) return FromErrno("sync " + path, errno);
  if (file.Close() != 0) return FromErrno("close " + path, errno);
  return {};
}

// Refuses what may never end. A pipe under /dev was handed over by the shell (`<(command)`): it is
// read to its end.
Status CheckReadable(int fd, const std::string& path) {
  struct ::stat info {};
  if (::fstat(fd, &info) != 0) return FromErrno("stat " + path, errno);
  const bool pipe = S_ISFIFO(info.st_mode);
  if (pipe && path.starts_with("/dev/")) {
    if (::fcntl(fd, F_SETFL, 0) != 0) return FromErrno("open " + path, errno);
    return {};
  }
  if (pipe || S_ISSOCK(info.st_mode) || S_ISBLK(info.st_mode)) {
    return Invalid("read " + path + ": not a regular file");
  }
  return {};
}

Status SyncFolder(const std::string& path) {
  FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return FromErrno("open " + path, errno);
  if (::fsync(folder.get()) != 0) return FromErrno("sync " + path, errno);
  return {};
}

// One character of a bracket expression, which may be escaped.
bool SkipRangeEnd(std::string_view pattern, std::size_t& at) {
  if (at >= pattern.size() || pattern[at] == '-' || pattern[at] == ']') return false;
  if (pattern[at] == '\\') ++at;
  return ++at < pattern.size();
}

// `at` is at the '[' and comes to the ']' of it.
bool SkipBrackets(std::string_view pattern, std::size_t& at) {
  ++at;
  if (at < pattern.size() && pattern[at] == '^') ++at;
  for (bool first = true; first || pattern[at] != ']'; first = false) {
    if (!SkipRangeEnd(pattern, at)) return false;
    if (pattern[at] == '-' && !SkipRangeEnd(pattern, ++at)) return false;
  }
  return true;
}

}  // namespace

Status ReadFileInto(const std::string& path, std::string& out, std::size_t limit_bytes) {
  // Not blocking: a pipe that nobody writes to, put among the files by accident, must not hold the
  // program.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return FromErrno("open " + path, errno);
  RETURN_IF_ERROR(CheckReadable(file.get(), path));
  std::size_t used = 0;
  if (out.capacity() < 4096) out.reserve(4096);
  out.resize(out.capacity());
  for (;;) {
    if (used == out.size()) out.resize(out.size() * 2);
    const ssize_t n = ::read(file.get(), out.data() + used, out.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      out.clear();
      return FromErrno("read " + path, errno);
    }
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
    if (used > limit_bytes) {
      out.clear();
      return Invalid("read " + path + ": larger than " + std::to_string(limit_bytes) + " bytes");
    }
  }
  out.resize(used);
  return {};
}

Result<std::string> ReadFile(const std::string& path, std::size_t limit_bytes) {
  std::string content;
  RETURN_IF_ERROR(ReadFileInto(path, content, limit_bytes));
  return content;
}

Status WriteFileAtomic(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  if (Status written = WriteAndSync(temporary, content); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int errnum = errno;
    ::unlink(temporary.c_str());
    return FromErrno("rename " + temporary + " to " + path, errnum);
  }
  return SyncFolder(DirName(path));
}

Status CheckFile(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return FromErrno("open " + path, errno);
  return CheckReadable(file.get(), path);
}

Status CheckNamedFile(const NamedFile& file) {
  const Status good = CheckFile(file.path);
  return good ? good
              : Status(Error(good.error().kind(), file.place + ": " + good.error().message()));
}

Status CheckGlob(std::string_view pattern) {
  const Error bad = Invalid("syntax error in pattern \"" + std::string(pattern) + "\"");
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      if (++i == pattern.size()) return bad;
    } else if (pattern[i] == '[' && !SkipBrackets(pattern, i)) {
      return bad;
    }
  }
  return {};
}

Result<std::vector<std::string>> Glob(const std::string& pattern) {
  glob_t found{};
  const int code = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths;
  if (code == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (code != 0 && code != GLOB_NOMATCH) {
    return Error(ErrorKind::kIo, "expand " + pattern + ": cannot read a folder of it");
  }
  return paths;
}

std::string JoinPath(std::string_view folder, std::string_view path) {
  if (path.starts_with('/') || folder.empty() || folder == ".") return std::string(path);
  std::string joined(folder);
  if (!joined.ends_with('/')) joined.push_back('/');
  return joined.append(path);
}

std::string DirName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace skep
