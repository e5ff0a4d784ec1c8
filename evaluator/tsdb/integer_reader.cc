#include <algorithm>
#include <bit>
#include <cstring>

#include "evaluator/tsdb/bit_packing.h"
#include "evaluator/tsdb/integer_column.h"
#include "evaluator/tsdb/integer_format.h"

namespace skep::tsdb {

IntegerReader::IntegerReader(std::string_view bytes, std::uint32_t count)
    : bytes_(bytes), count_(count) {
  step_ = bytes_.Varint();
  first_ = static_cast<std::uint64_t>(bytes_.Signed());
  ok_ = bytes_.ok();
}

void IntegerReader::Fail() {
  ok_ = false;
  index_ = count_;
}

std::uint32_t IntegerReader::BlockCount() const { return std::min(kIntegerBlock, count_ - index_); }

IntegerReader::Header IntegerReader::ReadHeader(std::uint32_t count) {
  Header header;
  if (index_ > 0) first_ += static_cast<std::uint64_t>(bytes_.Signed()) * step_;
  const std::uint8_t code = count > 1 ? bytes_.U8() : kFlatCode;
  header.flat = code == kFlatCode;
  if (header.flat) return header;
  header.width = code == kWidthCode64 ? 64 : code;
  const std::uint8_t rest = bytes_.U8();
  header.order = rest & 3;
  header.exceptions = rest >> 2;
  if (header.order == kTwice) header.slope = static_cast<std::uint64_t>(bytes_.Signed());
  if (header.order == kChanges) header.changed = ReadChangeBits(count);
  header.base = static_cast<std::uint64_t>(bytes_.Signed());
  if (code > kWidthCode64 || (header.order == kTwice && count < 2)) Fail();
  return header;
}

IntegerReader::ChangeBits IntegerReader::ReadChangeBits(std::uint32_t count) {
  ChangeBits changed = {};
  const std::string_view bytes = bytes_.Bytes((count + 6) / 8);
  if (!bytes.empty()) std::memcpy(changed.data(), bytes.data(), bytes.size());
  for (std::uint32_t i = 0; i < changed.size(); ++i) {
    const std::uint32_t before = 64 * i;
    const std::uint32_t bits = count - 1 > before ? std::min(count - 1 - before, 64U) : 0;
    changed[i] &= Mask(bits);
  }
  return changed;
}

std::uint32_t IntegerReader::Packed(const Header& header, std::uint32_t count) {
  if (header.order == kTwice) return count - 2;
  if (header.order != kChanges) return count - 1;
  int changes = 0;
  for (const std::uint64_t word : header.changed) changes += std::popcount(word);
  return static_cast<std::uint32_t>(changes);
}

void IntegerReader::SkipTo(std::uint32_t index) {
  while (ok_ && index - index_ >= kIntegerBlock && index_ < count_) {
    const std::uint32_t count = BlockCount();
    const Header header = ReadHeader(count);
    if (!header.flat && ok_) {
      (void)bytes_.Bytes(PackedBytes(Packed(header, count), header.width));
      for (unsigned i = 0; i < header.exceptions; ++i) {
        (void)bytes_.U8();
        (void)bytes_.Varint();
      }
    }
    if (!bytes_.ok()) Fail();
    if (ok_) index_ += count;
  }
}

bool IntegerReader::ReadDifferences(const Header& header, std::span<std::uint64_t> out) {
  const std::string_view rest = RestOf(bytes_);
  const std::size_t size = PackedBytes(out.size(), header.width);
  (void)bytes_.Bytes(size);
  if (!bytes_.ok()) return false;
  Unpack(rest, header.width, out);
  for (unsigned i = 0; i < header.exceptions; ++i) {
    const std::uint8_t place = bytes_.U8();
    const auto high = static_cast<std::uint64_t>(bytes_.Signed());
    if (place >= out.size()) return false;
    out[place] += high << (header.width % 64);
  }
  return bytes_.ok();
}

namespace {

// From packed differences to numbers, one loop for each order. kSteps: the step is not 1.
template <bool kSteps>
struct Integration {
  std::uint64_t base, step;

  std::uint64_t operator()(std::uint64_t packed) const {
    return kSteps ? (packed + base) * step : packed + base;
  }
};

template <typename Difference>
void Offset(std::uint64_t first, Difference difference, std::span<std::uint64_t> numbers) {
  for (std::uint64_t& number : numbers) number = first + difference(number);
}

template <typename Difference>
void SumUp(std::uint64_t first, Difference difference, std::span<std::uint64_t> numbers) {
  for (std::uint64_t& number : numbers) number = first += difference(number);
}

template <typename Difference>
void SumUpTwice(std::uint64_t first, std::uint64_t slope, Difference difference,
                std::span<std::uint64_t> numbers) {
  for (std::uint64_t& number : numbers) {
    slope += difference(number);
    number = first += slope;
  }
}

// `changes` are those of the bits that are set, and one more behind them.
template <typename Difference>
void SumUpChanges(std::uint64_t first, const std::uint64_t* changed, const std::uint64_t* changes,
                  Difference difference, std::span<std::uint64_t> numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint64_t bit = changed[i / 64] >> (i % 64) & 1;
    numbers[i] = first += difference(*changes) & (0 - bit);
    changes += bit;
  }
}

}  // namespace

void IntegerReader::Integrate(const Header& header, std::uint32_t count) {
  // Unpacked to where they are wanted: signed and unsigned may look at the same memory.
  auto* const numbers = reinterpret_cast<std::uint64_t*>(numbers_.data());
  const auto integrate = [&](auto difference) {
    const std::span<std::uint64_t> further(numbers + 1, count - 1);
    if (header.order == kFromFirst) return Offset(first_, difference, further);
    if (header.order == kFromBefore) return SumUp(first_, difference, further);
    if (header.order == kChanges) {
      return SumUpChanges(first_, header.changed.data(), changes_.data(), difference, further);
    }
    const std::uint64_t slope = header.slope * step_;
    numbers[1] = first_ + slope;
    SumUpTwice(numbers[1], slope, difference, {numbers + 2, count - 2});
  };
  numbers[0] = first_;
  if (step_ == 1) {
    integrate(Integration<false>{header.base, 1});
  } else {
    integrate(Integration<true>{header.base, step_});
  }
}

bool IntegerReader::ReadBlock(const Header& header, std::uint32_t count) {
  if (header.flat) {
    std::fill_n(numbers_.begin(), count, static_cast<std::int64_t>(first_));
    return bytes_.ok();
  }
  auto* const numbers = reinterpret_cast<std::uint64_t*>(numbers_.data());
  const std::uint32_t packed = Packed(header, count);
  const bool changes = header.order == kChanges;
  std::uint64_t* const to = changes ? changes_.data() : numbers + (count - packed);
  if (!ReadDifferences(header, {to, packed})) return false;
  if (changes) changes_[packed] = 0;
  Integrate(header, count);
  return true;
}

std::span<const std::int64_t> IntegerReader::Next() {
  if (!ok_ || index_ == count_) return {};
  const std::uint32_t count = BlockCount();
  const Header header = ReadHeader(count);
  if (!ok_ || !ReadBlock(header, count)) {
    Fail();
    return {};
  }
  index_ += count;
  return {numbers_.data(), count};
}

}  // namespace skep::tsdb
