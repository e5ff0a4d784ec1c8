#include "evaluator/tsdb/xor_chunk.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {
namespace {

// In words, and odd, as glibc adds one to each piece and gives pairs.
constexpr std::uint32_t kFirstCapacity = 5;

// What the fields take, for the compiler's sake.
constexpr std::uint32_t kAllBits = (1U << 20U) - 1;
constexpr std::uint32_t kAllWindow = (1U << 6U) - 1;

constexpr std::uint64_t LowBits(unsigned count) {
  return count == 64 ? ~0ULL : (1ULL << count) - 1;
}

// Safe on any words: behind their end are zeros.
class BitReader {
 public:
  explicit BitReader(std::span<const std::uint64_t> words)
      : words_(words), word_(words.empty() ? 0 : words[0]) {}

  bool ReadBit() { return Read(1) != 0; }

  // `count` is 1..64.
  std::uint64_t Read(unsigned count) {
    const unsigned left = 64 - used_;
    if (count < left) {
      used_ += count;
      return (word_ >> (left - count)) & LowBits(count);
    }
    std::uint64_t bits = word_ & LowBits(left);
    word_ = ++at_ < words_.size() ? words_[at_] : 0;
    used_ = count - left;
    if (used_ > 0) bits = (bits << used_) | (word_ >> (64 - used_));
    return bits;
  }

  std::uint64_t bits_read() const { return at_ * 64 + used_; }

 private:
  const std::span<const std::uint64_t> words_;
  std::size_t at_ = 0;
  std::uint64_t word_;  // words_[at_]
  unsigned used_ = 0;   // bits of it that were read, 0..63
};

// The signed number whose lowest `count` bits these are, where `count` bits hold
// -(2^(count-1) - 1) .. 2^(count-1).
std::int64_t SignExtend(std::uint64_t bits, unsigned count) {
  const std::uint64_t half = 1ULL << (count - 1);
  return bits > half ? static_cast<std::int64_t>(bits) - (1LL << count)
                     : static_cast<std::int64_t>(bits);
}

std::int64_t ReadChange(BitReader& reader) {
  if (!reader.ReadBit()) return 0;
  if (!reader.ReadBit()) return SignExtend(reader.Read(7), 7);
  if (!reader.ReadBit()) return SignExtend(reader.Read(14), 14);
  if (!reader.ReadBit()) return SignExtend(reader.Read(20), 20);
  return static_cast<std::int64_t>(reader.Read(64));
}

bool Fits(std::int64_t change, unsigned bits) {
  const std::int64_t half = 1LL << (bits - 1);
  return change > -half && change <= half;
}

// Walks a run. On words that are none it gives some samples or others.
class RunReader {
 public:
  RunReader(Timestamp first, std::span<const std::uint64_t> words)
      : bits_(words), time_(ToMillis(first)), value_(bits_.Read(64)) {}

  void Next() {
    delta_ = Plus(delta_, ReadChange(bits_));
    time_ = Plus(time_, delta_);
    value_ ^= ReadXor();
  }

  Timestamp time() const { return FromMillis(time_); }
  double value() const { return std::bit_cast<double>(value_); }

  // What a writer goes on with.
  std::int64_t delta() const { return delta_; }
  // Nothing where no XOR had a window.
  std::optional<unsigned> leading() const { return leading_; }
  unsigned trailing() const { return trailing_; }
  std::uint64_t bits_read() const { return bits_.bits_read(); }

 private:
  std::uint64_t ReadXor() {
    if (!bits_.ReadBit()) return 0;
    if (bits_.ReadBit()) {
      leading_ = static_cast<unsigned>(bits_.Read(5));
      significant_ = static_cast<unsigned>(bits_.Read(6)) + 1;
      trailing_ = (64 - *leading_ - significant_) % 64;
    }
    return bits_.Read(significant_) << trailing_;
  }

  BitReader bits_;
  std::int64_t time_;
  std::uint64_t value_;
  std::int64_t delta_ = 0;
  std::optional<unsigned> leading_;
  unsigned significant_ = 64;
  unsigned trailing_ = 0;
};

}  // namespace

void XorWriter::Read(std::uint32_t take, storage::TimeRange range,
                     storage::SampleColumns& out) const {
  take = std::min(take, samples());
  if (take == 0) return;
  std::size_t end = out.times.size();
  out.times.resize(end + take);
  out.values.resize(end + take);
  RunReader reader(first_time_, {words_.get(), words()});
  while (reader.time() <= range.max) {
    out.times[end] = reader.time();
    out.values[end] = reader.value();
    if (reader.time() >= range.min) ++end;
    if (--take == 0) break;
    reader.Next();
  }
  out.times.resize(end);
  out.values.resize(end);
}

// Few words at a time: the memory stays for the runs that follow, and they are alike.
void XorWriter::Grow(std::uint32_t last_word) {
  const std::uint32_t capacity =
      std::max({kFirstCapacity, capacity_ + capacity_ / 4U + 1, last_word + 1}) | 1U;
  auto grown = std::make_unique<std::uint64_t[]>(capacity);
  if (words_) std::memcpy(grown.get(), words_.get(), capacity_ * sizeof(std::uint64_t));
  words_ = std::move(grown);
  capacity_ = static_cast<std::uint16_t>(capacity);
}

inline void XorWriter::Write(std::uint64_t bits, unsigned count) {
  const std::uint32_t last_word = (bits_ + count - 1) / 64;
  if (last_word >= capacity_) [[unlikely]]
    Grow(last_word);
  const unsigned left = 64 - bits_ % 64;
  std::uint64_t* const word = &words_[bits_ / 64];
  if (count <= left) {
    *word |= bits << (left - count);
  } else {
    *word |= bits >> (count - left);
    *(word + 1) |= bits << (64 - (count - left));
  }
  bits_ = (bits_ + count) & kAllBits;
}

XorWriter::Bits XorWriter::WriteTime(std::int64_t time) {
  const std::int64_t delta = Minus(time, ToMillis(last_time_));
  const std::int64_t change = Minus(delta, delta_);
  delta_ = delta;
  const auto bits = static_cast<std::uint64_t>(change);
  if (change == 0) return {0, 1};
  if (Fits(change, 7)) return {0b10ULL << 7 | (bits & LowBits(7)), 9};
  if (Fits(change, 14)) return {0b110ULL << 14 | (bits & LowBits(14)), 17};
  if (Fits(change, 20)) return {0b1110ULL << 20 | (bits & LowBits(20)), 24};
  Write(0b1111, 4);
  Write(bits, 64);
  return {0, 0};
}

// A write for each part of a sample cost twice as much as one for all of them, which mostly fit
// into a word.
void XorWriter::WriteValue(std::uint64_t value, Bits before) {
  const auto write = [this, before](std::uint64_t head, unsigned head_bits, Bits rest) {
    const Bits first{before.bits << head_bits | head, before.count + head_bits};
    if (first.count + rest.count <= 64) {
      return Write({first.bits << rest.count | rest.bits, first.count + rest.count});
    }
    Write(first);
    Write(rest);
  };
  const std::uint64_t changed = value ^ std::bit_cast<std::uint64_t>(last_value_);
  if (changed == 0) return Write({before.bits << 1, before.count + 1});
  const auto leading = static_cast<unsigned>(std::min(std::countl_zero(changed), 31));
  const auto trailing = static_cast<unsigned>(std::countr_zero(changed));
  if (leading_ != kNoWindow && leading >= leading_ && trailing >= trailing_) {
    return write(0b10, 2, {changed >> trailing_, 64U - leading_ - trailing_});
  }
  leading_ = leading & kAllWindow;
  trailing_ = trailing & kAllWindow;
  const unsigned significant = 64U - leading - trailing;
  write(0b11ULL << 11 | static_cast<std::uint64_t>(leading) << 6 | (significant - 1), 13,
        {changed >> trailing, significant});
}

void XorWriter::Append(Timestamp time, double value) {
  if (samples_ == 0) {
    delta_ = 0;
    leading_ = kNoWindow;
    first_time_ = time;
    Write(std::bit_cast<std::uint64_t>(value), 64);
  } else {
    const Bits of_time = WriteTime(ToMillis(time));
    WriteValue(std::bit_cast<std::uint64_t>(value), of_time);
  }
  last_time_ = time;
  last_value_ = value;
  ++samples_;
}

std::size_t XorWriter::heap_bytes() const { return HeapSize(capacity_ * sizeof(std::uint64_t)); }

void XorWriter::Clear() {
  std::fill_n(words_.get(), capacity_, 0);
  bits_ = 0;
  samples_ = 0;
}

//   run = samples n | bits n | [first time u64] | 8 bytes of each word
void XorWriter::Save(ByteWriter& out) const {
  out.Varint(samples_);
  out.Varint(empty() ? 0 : kTimeBits + bits_);
  if (!empty()) out.U64(static_cast<std::uint64_t>(ToMillis(first_time_)));
  out.Bytes({reinterpret_cast<const char*>(words_.get()), words() * sizeof(std::uint64_t)});
}

bool XorWriter::Restore(ByteReader& reader, std::uint32_t most) {
  const std::uint64_t samples = reader.Varint();
  const std::uint64_t bits = reader.Varint();
  if (!reader.ok() || samples > most || bits > std::uint64_t{most} * kMaxBits) return false;
  if (samples == 0 && bits == 0) return true;
  if (samples == 0 || bits < std::uint64_t{2} * kTimeBits) return false;
  bits_ = static_cast<std::uint32_t>(bits - kTimeBits) & kAllBits;
  first_time_ = FromMillis(static_cast<std::int64_t>(reader.U64()));
  const std::string_view bytes = reader.Bytes(words() * sizeof(std::uint64_t));
  if (!reader.ok()) return false;
  capacity_ = static_cast<std::uint16_t>(words());
  words_ = std::make_unique_for_overwrite<std::uint64_t[]>(capacity_);
  std::memcpy(words_.get(), bytes.data(), bytes.size());
  return WalkToEnd(static_cast<std::uint32_t>(samples));
}

bool XorWriter::WalkToEnd(std::uint32_t samples) {
  RunReader run(first_time_, {words_.get(), words()});
  last_time_ = run.time();
  for (samples_ = 1; samples_ < samples; ++samples_) {
    run.Next();
    if (run.time() <= last_time_) return false;
    last_time_ = run.time();
  }
  last_value_ = run.value();
  delta_ = run.delta();
  leading_ = run.leading().value_or(kNoWindow) & kAllWindow;
  trailing_ = run.trailing() & kAllWindow;
  const bool has_window = !run.leading() || *run.leading() + run.trailing() < 64;
  const bool zeros_follow = bits_ % 64 == 0 || words_[bits_ / 64] << bits_ % 64 == 0;
  return has_window && zeros_follow && run.bits_read() == bits_;
}

}  // namespace skep::tsdb
