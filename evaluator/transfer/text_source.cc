#include "evaluator/transfer/text_source.h"

#include <algorithm>
#include <utility>

#include "evaluator/tsdb/posix_disk.h"

namespace skep::transfer {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::size_t kMaxLineBytes = 64UL << 20;

}  // namespace

TextSource::TextSource(std::string path, tsdb::MappedFilePtr file, std::size_t piece_bytes)
    : path_(std::move(path)),
      file_(std::move(file)),
      piece_bytes_(piece_bytes),
      left_(file_->bytes()) {
  if (left_.starts_with(kGzipMagic)) gzip_ = std::make_unique<net::GzipReader>();
}

Result<TextSource> TextSource::Open(const std::string& path, std::size_t piece_bytes) {
  Result<tsdb::MappedFilePtr> file = tsdb::MapFile(path);
  if (!file) return file.error();
  return TextSource(path, *std::move(file), piece_bytes);
}

Status TextSource::ReadMore() {
  if (gzip_ == nullptr) {
    const std::size_t size = std::min(piece_bytes_, left_.size());
    text_.append(left_.substr(0, size));
    left_.remove_prefix(size);
    return {};
  }
  const Status read = gzip_->Read(left_, piece_bytes_, text_);
  if (!read) return read.error().Wrap(path_);
  return {};
}

Result<std::string_view> TextSource::Next() {
  text_.erase(0, given_);
  given_ = 0;
  while (!read_all()) {
    RETURN_IF_ERROR(ReadMore());
    if (read_all()) break;
    const std::size_t end = text_.rfind('\n');
    if (end != std::string::npos) {
      given_ = end + 1;
      return std::string_view(text_).substr(0, given_);
    }
    if (text_.size() > kMaxLineBytes) {
      return Invalid(path_ + ": a line has more than " + std::to_string(kMaxLineBytes) + " bytes");
    }
  }
  given_ = text_.size();
  return std::string_view(text_);
}

}  // namespace skep::transfer
