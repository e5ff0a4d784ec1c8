// The text of a file in pieces of whole lines, also where it is pressed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/gzip.h"
#include "evaluator/tsdb/disk.h"

namespace skep::transfer {

// Thread-compatible. Holds one piece.
class TextSource {
 public:
  // gzip is recognised by the file's first bytes. Errors name the file.
  static Result<TextSource> Open(const std::string& path, std::size_t piece_bytes = 4UL << 20);

  // The next lines, about as many bytes as a piece has; valid until the next call. The last line of
  // the last piece may lack its newline. Requires: not done().
  Result<std::string_view> Next();
  bool done() const { return read_all() && text_.size() == given_; }

  std::uint64_t size_bytes() const { return file_->bytes().size(); }  // of the file
  std::uint64_t read_bytes() const { return size_bytes() - left_.size(); }

 private:
  TextSource(std::string path, tsdb::MappedFilePtr file, std::size_t piece_bytes);
  Status ReadMore();
  bool read_all() const { return left_.empty() && (gzip_ == nullptr || gzip_->ended()); }

  std::string path_;
  tsdb::MappedFilePtr file_;
  std::size_t piece_bytes_;
  std::string_view left_;                  // of the file
  std::unique_ptr<net::GzipReader> gzip_;  // null: plain text
  std::string text_;
  std::size_t given_ = 0;  // bytes at the begin of text_ that were handed out
};

}  // namespace skep::transfer
