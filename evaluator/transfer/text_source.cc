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

Error TextSource::LineTooLong() const {
  return Invalid(path_ + ": a line has more than " + std::to_string(kMaxLineBytes) + " bytes");
}

std::string_view TextSource::Give(std::size_t size_bytes) {
  given_ = size_bytes;
  return std::string_view(text_).substr(0, given_);
}

Result<std::string_view> TextSource::Next() { return is_pressed() ? NextPressed() : NextPlain(); }

Result<std::string_view> TextSource::NextPlain() {
  std::size_t size = left_.size();
  if (size > piece_bytes_) {
    std::size_t end = left_.rfind('\n', piece_bytes_ - 1);
    if (end == std::string_view::npos)
      end = left_.substr(0, kMaxLineBytes).find('\n', piece_bytes_);
    if (end != std::string_view::npos) size = end + 1;
    if (end == std::string_view::npos && size > kMaxLineBytes) return LineTooLong();
  }
  const std::string_view piece = left_.substr(0, size);
  left_.remove_prefix(size);
  return piece;
}

Result<std::string_view> TextSource::NextPressed() {
  text_.erase(0, given_);
  given_ = 0;
  if (damage_) return *damage_;
  while (!read_all()) {
    const Status read = gzip_->Read(left_, piece_bytes_, text_);
    if (read && read_all()) break;
    const std::size_t end = text_.rfind('\n');
    if (!read) damage_ = read.error().Wrap(path_);
    if (end != std::string::npos) return Give(end + 1);
    if (!read) return *damage_;
    if (text_.size() > kMaxLineBytes) return LineTooLong();
  }
  return Give(text_.size());
}

}  // namespace skep::transfer
