// A growing run of samples, compressed: times as differences of differences, values as XOR with the
// one before (the scheme of Facebook's Gorilla), in bits.
//
//   first sample        time 64, value 64
//   each further time   0                    same distance as before
//                       10   7 bits          distance changed by -63..64 ms: scrape jitter
//                       110  14 bits         ... by -8191..8192 ms
//                       1110 20 bits         ... by -524287..524288 ms
//                       1111 64 bits         anything else
//   and its value       0                    same bits
//                       10   n bits          differing bits lie within the window of the last one
//                       11   5, 6, n bits    leading zeros, n - 1, differing bits: new window
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/base/time.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

// A run that grows. Thread-compatible; 48 bytes beside its bits, of which the first 64, the first
// time, stand here: each Append of a series asks for it, and the others may be in another line of
// the processor's cache.
class XorWriter {
 public:
  // The most samples of one.
  static constexpr std::uint32_t kMaxSamples = 4096;

  // Requires: `time` is after the last one, and fewer than kMaxSamples are there.
  void Append(Timestamp time, double value);

  std::uint32_t samples() const { return samples_; }
  bool empty() const { return samples_ == 0; }
  // Requires: not empty.
  Timestamp first_time() const { return first_time_; }
  // Also after Clear.
  Timestamp last_time() const { return last_time_; }
  double last_value() const { return last_value_; }
  std::size_t size_bytes() const {
    return samples_ == 0 ? 0 : (kTimeBits + std::size_t{bits_} + 7) / 8;
  }
  // Of the heap.
  std::size_t heap_bytes() const;

  // Asks for the memory that the next Append writes: of 100,000 runs none is in the cache.
  void Prefetch() const {
    if (words_) __builtin_prefetch(words_.get() + bits_ / 64, 1);
  }

  // Appends those of the first `take` samples that lie in `range`.
  void Read(std::uint32_t take, storage::TimeRange range, storage::SampleColumns& out) const;

  // Begins anew, in the same memory, but still knows the last sample.
  void Clear();

  // As bytes of a checkpoint, and back. Restore requires that nothing was written; false where the
  // bytes are no run, or one of more than `most` samples.
  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& reader, std::uint32_t most);

 private:
  static constexpr std::uint32_t kMaxBits =
      145;  // of a sample: 4 + 64 of the time, 13 + 64 of the value
  static_assert(kMaxSamples * kMaxBits < 1U << 20U);
  static constexpr std::uint32_t kTimeBits = 64;  // of the first sample
  static constexpr std::uint32_t kNoWindow = 63;  // leading zeros are at most 31

  // After Restore: what the bits say of `samples`, and where they end.
  bool WalkToEnd(std::uint32_t samples);
  // Some lowest bits of a word; the others are 0.
  struct Bits {
    std::uint64_t bits;
    unsigned count;  // 0..64
  };
  // Gives the last bits, up to 24, for the value's to follow in the same word.
  Bits WriteTime(std::int64_t time);
  void WriteValue(std::uint64_t value, Bits before);
  void Write(Bits bits) { Write(bits.bits, bits.count); }
  // The lowest `count` bits, 1..64, of `bits`, whose others are 0.
  void Write(std::uint64_t bits, unsigned count);
  void Grow(std::uint32_t last_word);

  std::uint32_t words() const { return (bits_ + 63U) / 64; }

  std::unique_ptr<std::uint64_t[]> words_;  // first bit is the highest of the first word
  Timestamp first_time_;
  Timestamp last_time_;
  std::int64_t delta_ = 0;
  double last_value_ = 0;
  std::uint32_t bits_ : 20 = 0;  // written, without the first time
  // Window of the last XOR.
  std::uint32_t leading_ : 6 = kNoWindow;
  std::uint32_t trailing_ : 6 = 0;
  std::uint16_t capacity_ = 0;  // in words
  std::uint16_t samples_ = 0;
};

}  // namespace skep::tsdb
