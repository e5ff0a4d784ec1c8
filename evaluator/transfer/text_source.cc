#include "evaluator/transfer/text_source.h"

#include <algorithm>
#include <utility>

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

Result<std::string_view> TextSource::Give(std::size_t size_bytes) {
  given_ = size_bytes;
  return std::string_view(text_).substr(0, given_);
}

Result<std::string_view> TextSource::Next() {
  text_.erase(0, given_);
  given_ = 0;
  if (damage_) return *damage_;
  while (!read_all()) {
    const Status read = ReadMore();
    if (read && read_all()) break;
    const std::size_t end = text_.rfind('\n');
    if (!read) damage_ = read.error();
    if (end != std::string::npos) return Give(end + 1);
    if (!read) return read.error();
    if (text_.size() > kMaxLineBytes) {
      return Invalid(path_ + ": a line has more than " + std::to_string(kMaxLineBytes) + " bytes");
    }
  }
  return Give(text_.size());
}

}  // namespace skep::transfer
