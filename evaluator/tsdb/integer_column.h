// A column of whole numbers as bytes: blocks of 128, each packed by its own width.
//
//   column     step (varint; greatest common divisor of all distances from the first number)
//              first (signed varint)
//              block...
//   block      distance of its first number from that of the block before, in steps (signed varint;
//              not in block 0), so that a reader can skip
//              width code (1 byte): 0..56, 57 for 64; 63: all numbers equal, the block ends here
//              order + 4 * exceptions (1 byte)
//              order 2 only: the first difference (signed varint)
//              order 3 only: which numbers differ from the one before (one bit each, whole bytes)
//              base (signed varint)
//              the lowest `width` bits of number - base, lowest bit first, up to a whole byte
//              exceptions: place (1 byte), the bits above these (signed varint)
//
// What is packed, in steps: order 0 the distance of each further number from the block's first one,
// order 1 that from the number before, order 2 the difference of two such, order 3 as order 1 but
// of the numbers that differ alone. Exceptions stand apart so that one counter reset, or one jump
// among many that stand still, does not widen all. A block of a single number ends after its
// distance. All arithmetic is modulo 2^64.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "evaluator/tsdb/column_bytes.h"

namespace skep::tsdb {

inline constexpr std::uint32_t kIntegerBlock = 128;

// Appends the column. Requires: not empty.
void EncodeIntegers(std::span<const std::int64_t> numbers, std::string& out);

// Walks the blocks of a column. Safe on any bytes. Thread-compatible; owns nothing of the bytes.
class IntegerReader {
 public:
  // `bytes` may go on after the column.
  IntegerReader(std::string_view bytes, std::uint32_t count);

  // Passes over whole blocks until the next one holds number `index`. Requires: not behind.
  void SkipTo(std::uint32_t index);
  // The next block's numbers; empty at the end, or where the bytes are no column. Valid until the
  // next call.
  std::span<const std::int64_t> Next();

  bool ok() const { return ok_; }
  // Of the next number.
  std::uint32_t index() const { return index_; }
  // What follows the blocks that were read.
  std::string_view rest() const { return RestOf(bytes_); }

 private:
  using ChangeBits = std::array<std::uint64_t, kIntegerBlock / 64>;
  struct Header {
    unsigned width = 0;
    unsigned order = 0;
    unsigned exceptions = 0;
    bool flat = false;
    std::uint64_t slope = 0;  // of order 2
    std::uint64_t base = 0;
    ChangeBits changed = {};  // of order 3: bit i of number i + 1
  };

  // Reads up to the packed bits and moves first_; the packed ones are `packed` many.
  Header ReadHeader(std::uint32_t count);
  ChangeBits ReadChangeBits(std::uint32_t count);
  static std::uint32_t Packed(const Header& header, std::uint32_t count);
  bool ReadDifferences(const Header& header, std::span<std::uint64_t> out);
  bool ReadBlock(const Header& header, std::uint32_t count);
  void Integrate(const Header& header, std::uint32_t count);
  std::uint32_t BlockCount() const;
  void Fail();

  ByteReader bytes_;
  const std::uint32_t count_;
  std::uint32_t index_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t first_ = 0;  // of the block that was read last
  bool ok_ = true;
  std::array<std::int64_t, kIntegerBlock> numbers_;
  std::array<std::uint64_t, kIntegerBlock> changes_;  // of order 3, and a zero behind them
};

}  // namespace skep::tsdb
