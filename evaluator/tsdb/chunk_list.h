// Which chunks a series of a block has. The list stands before the chunks' bytes:
//
//   list     sum of the chunks (4 bytes), their length (varint), chunks
//   chunk    kind + 8 * has starts + 16 * has a summary + 32 * stands in the list (1 byte)
//            number of its column of times, less one more than that of the chunk before (signed)
//            bytes of values (varint), [bytes of starts (varint)], [summary (string)], then values
//            and starts if they stand in the list, else their sum (4 bytes); they follow the list,
//            one chunk after the other
//
// In the list stand values and starts of up to 16 bytes, and where there is no summary of up to
// 256. So what a summary is read for touches the list only, and neither a constant nor a chunk
// that is decoded whatever it is read for has a sum of its own. How many samples a chunk has is
// what its column of times says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/chunk.h"

namespace skep::tsdb {

// Collects the chunks of one series. Thread-compatible; reusable after Clear.
class ChunkListWriter {
 public:
  void Clear();
  // `column`: of the chunk's times, which are not written here.
  void Add(const ChunkView& chunk, std::uint32_t column);
  std::uint32_t chunks() const { return chunks_; }

  // Appends the list and behind it the chunks.
  void Write(ByteWriter& out) const;
  // Bytes of the list without its summaries.
  std::size_t size_bytes() const;

 private:
  ByteWriter entries_;
  ByteWriter data_;
  std::uint32_t chunks_ = 0;
  std::uint32_t last_column_ = ~0U;
  std::size_t summary_bytes_ = 0;
  std::size_t inline_bytes_ = 0;
};

// A chunk of a list. Views the mapping.
struct ListedChunk {
  ChunkView parts;  // without times, and without the count, which is theirs
  std::uint32_t column = 0;
  std::uint32_t crc = 0;  // of values and starts, one after the other
  bool checked = false;   // they stand in the list, whose sum is right
};

// Reads a list, safely on any bytes. A value.
class ChunkListReader {
 public:
  // `bytes` begin with the list and go on with its chunks.
  explicit ChunkListReader(std::string_view bytes);

  // Whether the list has the sum that it should have.
  bool ok() const { return ok_; }
  // Moves to the first or next chunk. False at the end, and where the rest is no list (ok() is
  // false then).
  bool Next();
  const ListedChunk& chunk() const { return chunk_; }

 private:
  bool ReadChunk();

  ByteReader list_;
  ByteReader data_;
  bool ok_ = false;
  ListedChunk chunk_;
};

}  // namespace skep::tsdb
