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

// A run that grows. Thread-compatible.
class XorWriter {
 public:
  // Requires: `time` is after the last one.
  void Append(Timestamp time, double value);

  std::uint32_t samples() const { return samples_; }
  bool empty() const { return samples_ == 0; }
  Timestamp first_time() const { return first_time_; }
  // Requires: not empty.
  Timestamp last_time() const { return last_time_; }
  double last_value() const { return last_value_; }
  std::size_t size_bytes() const { return (bits_ + 7) / 8; }

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
  // After Restore: what the bits say of `samples`, and where they end.
  bool WalkToEnd(std::uint32_t samples);
  void WriteTime(std::int64_t time);
  void WriteValue(std::uint64_t value);
  // The lowest `count` bits, 1..64.
  void Write(std::uint64_t bits, unsigned count);

  std::uint32_t words() const { return (bits_ + 63) / 64; }

  std::unique_ptr<std::uint64_t[]> words_;  // first bit is the highest of the first word
  std::uint32_t capacity_ = 0;              // in words
  std::uint32_t bits_ = 0;                  // written
  std::uint32_t samples_ = 0;
  std::uint8_t leading_ = 0xff;  // window of the last XOR; 0xff: none yet
  std::uint8_t trailing_ = 0;
  Timestamp first_time_, last_time_;
  std::int64_t delta_ = 0;
  double last_value_ = 0;
};

}  // namespace skep::tsdb
