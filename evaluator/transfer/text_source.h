// The text of a file in pieces of whole lines, also where it is pressed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/gzip.h"
#include "evaluator/tsdb/disk.h"

namespace skep::transfer {

// Thread-compatible. The pieces of a plain file are views of its mapping; pressed text is held
// piece by piece.
class TextSource {
 public:
  // gzip is recognised by the file's first bytes. `path` is for errors.
  TextSource(std::string path, tsdb::MappedFilePtr file, std::size_t piece_bytes = 4UL << 20);

  // The next lines, about as many bytes as a piece has; valid until the next call. The last line of
  // the last piece may lack its newline. Where gzip is damaged, the whole lines before come first,
  // then the error. Requires: not done(), and no error has come.
  Result<std::string_view> Next();
  bool done() const { return !damage_ && read_all() && text_.size() == given_; }

  std::uint64_t size_bytes() const { return file_->bytes().size(); }  // of the file
  bool is_pressed() const { return gzip_ != nullptr; }
  std::uint64_t read_bytes() const { return size_bytes() - left_.size(); }

 private:
  Result<std::string_view> NextPlain();
  Result<std::string_view> NextPressed();
  Error LineTooLong() const;
  std::string_view Give(std::size_t size_bytes);
  bool read_all() const { return left_.empty() && (gzip_ == nullptr || gzip_->ended()); }

  std::string path_;
  tsdb::MappedFilePtr file_;
  std::size_t piece_bytes_;
  std::string_view left_;                  // of the file
  std::unique_ptr<net::GzipReader> gzip_;  // null: plain text
  std::string text_;                       // of pressed text what was read and not yet forgotten
  std::optional<Error> damage_;            // comes when the lines before it were given
  std::size_t given_ = 0;                  // bytes at the begin of text_ that were handed out
};

}  // namespace skep::transfer
