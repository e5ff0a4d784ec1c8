// gzip both ways, with a bound on what comes out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep::net {

// Whether an Accept-Encoding header allows gzip.
bool AcceptsGzip(std::string_view accept_encoding);

// The text of one or more gzip members. kCorrupt: broken or cut short; kInvalid: longer than
// `limit_bytes` ("body larger than N bytes").
Result<std::string> Gunzip(std::string_view compressed, std::size_t limit_bytes);

// Inflates in pieces, one or more members. Thread-compatible.
class GzipReader {
 public:
  GzipReader();
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Appends at least `least` bytes to `out` where there are so many, and some 64 KB more at most;
  // takes what it used from the front of `compressed`, which is all that there is. kCorrupt: broken
  // or cut short.
  Status Read(std::string_view& compressed, std::size_t least, std::string& out);
  // Whether the last member read is over: where nothing follows it, all was read.
  bool ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Compresses in pieces, at level 1: an answer of 100 MB costs less time to press than to send raw
// over a usual network, and higher levels save little on text of this kind. Thread-compatible.
class GzipWriter {
 public:
  GzipWriter();
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  // Begins a new member; what was not finished is forgotten. Cheaper than a new GzipWriter.
  void Reset();
  // Appends to `out` all that stands for `text`, so that the reader sees it at once.
  void Flush(std::string_view text, std::string& out);
  // The same as the last piece.
  void Finish(std::string_view text, std::string& out);

 private:
  struct State;
  void Deflate(std::string_view text, int flush, std::string& out);
  std::unique_ptr<State> state_;
};

}  // namespace skep::net
