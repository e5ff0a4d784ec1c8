#include "exporter/collectors/source_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace skep::exporter {
namespace {

constexpr std::size_t kFirstBuffer = 4096;
constexpr std::size_t kMostBytes = 64UL << 20;

// The descriptor is of no use any more, a new one may be.
bool IsStale(long error) { return error == ENODEV || error == ESTALE || error == ENOENT; }

}  // namespace

SourceFile::SourceFile(std::string path, Keep keep) : path_(std::move(path)), keep_(keep) {}

SourceFile::SourceFile(SourceFile&& other) noexcept
    : path_(std::move(other.path_)),
      keep_(other.keep_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)),
      size_(other.size_) {}

SourceFile& SourceFile::operator=(SourceFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(keep_, other.keep_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(buffer_, other.buffer_);
  std::swap(size_, other.size_);
  return *this;
}

SourceFile::~SourceFile() { Close(); }

Result<std::string_view> SourceFile::Read() { return ReadWith(true); }

Result<std::string_view> SourceFile::ReadAttribute() { return ReadWith(false); }

Result<std::string_view> SourceFile::ReadWith(bool whole) {
  const bool was_open = descriptor_ >= 0;
  RETURN_IF_ERROR(Open());
  long error = Fill(whole);
  if (was_open && IsStale(error)) {
    Close();
    RETURN_IF_ERROR(Open());
    error = Fill(whole);
  }
  if (keep_ == Keep::kReopen || error != 0) Close();
  if (error == EFBIG) return Invalid(path_ + ": larger than 64 MiB");
  if (error != 0) return FromErrno(path_, static_cast<int>(error));
  return std::string_view(buffer_.data(), size_);
}

// Fills the buffer from the start of the file. 0, or the errno.
long SourceFile::Fill(bool whole) {
  size_ = 0;
  if (buffer_.empty()) buffer_.resize(kFirstBuffer);
  for (;;) {
    const long got = ReadOnce(size_);
    if (got < 0) return -got;
    size_ += static_cast<std::size_t>(got);
    if (got == 0 || (!whole && size_ < buffer_.size())) return 0;
    if (size_ < buffer_.size()) continue;
    if (buffer_.size() >= kMostBytes) return EFBIG;
    buffer_.resize(buffer_.size() * 2);
  }
}

long SourceFile::ReadOnce(std::size_t offset) {
  for (;;) {
    const ssize_t got = ::pread(descriptor_, buffer_.data() + offset, buffer_.size() - offset,
                                static_cast<off_t>(offset));
    if (got >= 0) return got;
    if (errno != EINTR) return -errno;
  }
}

Status SourceFile::Open() {
  if (descriptor_ >= 0) return {};
  // O_NONBLOCK: a FIFO put where a file is expected must not stop the scrape.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) return FromErrno(path_, errno);
  return {};
}

void SourceFile::Close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace skep::exporter
