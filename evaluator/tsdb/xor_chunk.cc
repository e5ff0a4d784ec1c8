#include "evaluator/tsdb/xor_chunk.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace skep::tsdb {
namespace {

constexpr std::uint8_t kNoWindow = 0xff;
constexpr std::uint32_t kFirstCapacity = 8;  // words; 64 bytes hold the start of most runs

constexpr std::uint64_t LowBits(unsigned count) {
  return count == 64 ? ~0ULL : (1ULL << count) - 1;
}

class BitReader {
 public:
  explicit BitReader(const std::uint64_t* words) : word_(words) {}

  bool ReadBit() { return Read(1) != 0; }

  // `count` is 1..64. Never reads a word that holds none of the bits asked for.
  std::uint64_t Read(unsigned count) {
    const unsigned left = 64 - used_;
    if (count < left) {
      const std::uint64_t bits = (*word_ >> (left - count)) & LowBits(count);
      used_ += count;
      return bits;
    }
    std::uint64_t bits = *word_ & LowBits(left);
    ++word_;
    used_ = count - left;
    if (used_ > 0) bits = (bits << used_) | (*word_ >> (64 - used_));
    return bits;
  }

 private:
  const std::uint64_t* word_;
  unsigned used_ = 0;  // bits of *word_ that were read, 0..63
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

struct Window {
  unsigned significant = 0;
  unsigned trailing = 0;
};

std::uint64_t ReadXor(BitReader& reader, Window& window) {
  if (!reader.ReadBit()) return 0;
  if (reader.ReadBit()) {
    const auto leading = static_cast<unsigned>(reader.Read(5));
    window.significant = static_cast<unsigned>(reader.Read(6)) + 1;
    window.trailing = 64 - leading - window.significant;
  }
  return reader.Read(window.significant) << window.trailing;
}

// Differences may wrap around on hostile times; unsigned arithmetic makes that defined.
std::int64_t Add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t Subtract(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

bool Fits(std::int64_t change, unsigned bits) {
  const std::int64_t half = 1LL << (bits - 1);
  return change > -half && change <= half;
}

}  // namespace

void DecodeXor(const std::uint64_t* words, std::uint32_t samples, std::uint32_t take,
               storage::TimeRange range, storage::SampleColumns& out) {
  take = std::min(take, samples);
  if (take == 0) return;
  BitReader reader(words);
  auto time = static_cast<std::int64_t>(reader.Read(64));
  std::uint64_t value = reader.Read(64);
  std::int64_t delta = 0;
  Window window;
  for (std::uint32_t i = 0;;) {
    if (FromMillis(time) > range.max) return;
    if (FromMillis(time) >= range.min) {
      out.times.push_back(FromMillis(time));
      out.values.push_back(std::bit_cast<double>(value));
    }
    if (++i == take) return;
    delta = Add(delta, ReadChange(reader));
    time = Add(time, delta);
    value ^= ReadXor(reader, window);
  }
}

void XorWriter::Write(std::uint64_t bits, unsigned count) {
  const std::uint32_t last_word = (bits_ + count - 1) / 64;
  if (last_word >= capacity_) {
    const std::uint32_t capacity =
        capacity_ == 0 ? kFirstCapacity : std::max(capacity_ + capacity_ / 2, last_word + 1);
    auto grown = std::make_unique<std::uint64_t[]>(capacity);
    if (words_) std::memcpy(grown.get(), words_.get(), capacity_ * sizeof(std::uint64_t));
    words_ = std::move(grown);
    capacity_ = capacity;
  }
  bits &= LowBits(count);
  const unsigned left = 64 - bits_ % 64;
  std::uint64_t* const word = &words_[bits_ / 64];
  if (count <= left) {
    *word |= bits << (left - count);
  } else {
    *word |= bits >> (count - left);
    *(word + 1) |= bits << (64 - (count - left));
  }
  bits_ += count;
}

void XorWriter::WriteTime(std::int64_t time) {
  const std::int64_t delta = Subtract(time, ToMillis(last_time_));
  const std::int64_t change = Subtract(delta, delta_);
  delta_ = delta;
  const auto bits = static_cast<std::uint64_t>(change);
  if (change == 0) {
    Write(0, 1);
  } else if (Fits(change, 7)) {
    Write(0b10ULL << 7 | (bits & LowBits(7)), 9);
  } else if (Fits(change, 14)) {
    Write(0b110ULL << 14 | (bits & LowBits(14)), 17);
  } else if (Fits(change, 20)) {
    Write(0b1110ULL << 20 | (bits & LowBits(20)), 24);
  } else {
    Write(0b1111, 4);
    Write(bits, 64);
  }
}

void XorWriter::WriteValue(std::uint64_t value) {
  const std::uint64_t changed = value ^ std::bit_cast<std::uint64_t>(last_value_);
  if (changed == 0) return Write(0, 1);
  const auto leading = static_cast<std::uint8_t>(std::min(std::countl_zero(changed), 31));
  const auto trailing = static_cast<std::uint8_t>(std::countr_zero(changed));
  if (leading_ != kNoWindow && leading >= leading_ && trailing >= trailing_) {
    Write(0b10, 2);
    return Write(changed >> trailing_, 64U - leading_ - trailing_);
  }
  leading_ = leading;
  trailing_ = trailing;
  const unsigned significant = 64U - leading - trailing;
  Write(0b11ULL << 11 | static_cast<std::uint64_t>(leading) << 6 | (significant - 1), 13);
  Write(changed >> trailing, significant);
}

void XorWriter::Append(Timestamp time, double value) {
  if (samples_ == 0) {
    first_time_ = time;
    delta_ = 0;
    leading_ = kNoWindow;
    Write(static_cast<std::uint64_t>(ToMillis(time)), 64);
    Write(std::bit_cast<std::uint64_t>(value), 64);
  } else {
    WriteTime(ToMillis(time));
    WriteValue(std::bit_cast<std::uint64_t>(value));
  }
  last_time_ = time;
  last_value_ = value;
  ++samples_;
}

XorChunk XorWriter::Seal() {
  XorChunk chunk;
  chunk.word_count = (bits_ + 63) / 64;
  chunk.samples = samples_;
  chunk.min_time = first_time_;
  chunk.max_time = last_time_;
  chunk.words = std::make_unique<std::uint64_t[]>(chunk.word_count);
  std::memcpy(chunk.words.get(), words_.get(), chunk.word_count * sizeof(std::uint64_t));
  std::memset(words_.get(), 0, capacity_ * sizeof(std::uint64_t));
  bits_ = 0;
  samples_ = 0;
  return chunk;
}

//   run = samples n | first time s | last time s | words n | 8 bytes of each
//   writer = run | bits n | leading u8 | trailing u8 | delta s | last value u64
namespace {

constexpr std::uint64_t kMostSamples = std::uint64_t{1} << 20U;

void SaveRun(std::uint32_t samples, Timestamp first, Timestamp last,
             std::span<const std::uint64_t> words, ByteWriter& out) {
  out.Varint(samples);
  out.Signed(ToMillis(first));
  out.Signed(ToMillis(last));
  out.Varint(words.size());
  out.Bytes({reinterpret_cast<const char*>(words.data()), words.size_bytes()});
}

}  // namespace

void SaveXor(const XorChunk& chunk, ByteWriter& out) {
  SaveRun(chunk.samples, chunk.min_time, chunk.max_time, {chunk.words.get(), chunk.word_count},
          out);
}

std::optional<XorChunk> RestoreXor(ByteReader& reader) {
  XorChunk chunk;
  const std::uint64_t samples = reader.Varint();
  chunk.min_time = FromMillis(reader.Signed());
  chunk.max_time = FromMillis(reader.Signed());
  const std::uint64_t words = reader.Varint();
  if (samples > kMostSamples || words > reader.left() / sizeof(std::uint64_t)) return std::nullopt;
  const std::string_view bytes = reader.Bytes(words * sizeof(std::uint64_t));
  chunk.samples = static_cast<std::uint32_t>(samples);
  chunk.word_count = static_cast<std::uint32_t>(words);
  chunk.words = std::make_unique_for_overwrite<std::uint64_t[]>(words);
  if (words > 0) std::memcpy(chunk.words.get(), bytes.data(), bytes.size());
  return reader.ok() ? std::optional(std::move(chunk)) : std::nullopt;
}

void XorWriter::Save(ByteWriter& out) const {
  SaveRun(samples_, first_time_, last_time_, {words_.get(), (bits_ + 63) / 64}, out);
  out.Varint(bits_);
  out.U8(leading_);
  out.U8(trailing_);
  out.Signed(delta_);
  out.U64(std::bit_cast<std::uint64_t>(last_value_));
}

bool XorWriter::Restore(ByteReader& reader) {
  std::optional<XorChunk> run = RestoreXor(reader);
  if (!run) return false;
  const std::uint64_t bits = reader.Varint();
  leading_ = reader.U8();
  trailing_ = reader.U8();
  delta_ = reader.Signed();
  last_value_ = std::bit_cast<double>(reader.U64());
  if (!reader.ok() || (bits + 63) / 64 != run->word_count) return false;
  bits_ = static_cast<std::uint32_t>(bits);
  capacity_ = run->word_count;
  words_ = std::move(run->words);
  samples_ = run->samples;
  first_time_ = run->min_time;
  last_time_ = run->max_time;
  return true;
}

}  // namespace skep::tsdb
