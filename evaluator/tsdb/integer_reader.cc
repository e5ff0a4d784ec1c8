#include <algorithm>

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
  if (header.order == 2) header.slope = static_cast<std::uint64_t>(bytes_.Signed());
  header.base = static_cast<std::uint64_t>(bytes_.Signed());
  if (code > kWidthCode64 || header.order >= kOrders) Fail();
  return header;
}

std::uint32_t IntegerReader::Packed(const Header& header, std::uint32_t count) {
  return header.order == 2 ? count - 2 : count - 1;
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
    const auto number = static_cast<std::uint64_t>(bytes_.Signed());
    if (place >= out.size()) return false;
    out[place] = number;
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

}  // namespace

void IntegerReader::Integrate(const Header& header, std::uint32_t count) {
  // Unpacked to where they are wanted: signed and unsigned may look at the same memory.
  auto* const numbers = reinterpret_cast<std::uint64_t*>(numbers_.data());
  const auto integrate = [&](auto difference) {
    if (header.order == 0) return Offset(first_, difference, {numbers + 1, count - 1});
    if (header.order == 1) return SumUp(first_, difference, {numbers + 1, count - 1});
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

std::span<const std::int64_t> IntegerReader::Next() {
  if (!ok_ || index_ == count_) return {};
  const std::uint32_t count = BlockCount();
  const Header header = ReadHeader(count);
  if (!ok_ || (header.order == 2 && count < 2)) {
    Fail();
    return {};
  }
  if (header.flat) {
    std::fill_n(numbers_.begin(), count, static_cast<std::int64_t>(first_));
    if (!bytes_.ok()) Fail();
  } else {
    auto* const numbers = reinterpret_cast<std::uint64_t*>(numbers_.data());
    const std::uint32_t packed = Packed(header, count);
    if (ReadDifferences(header, {numbers + (count - packed), packed})) {
      Integrate(header, count);
    } else {
      Fail();
    }
  }
  if (!ok_) return {};
  index_ += count;
  return {numbers_.data(), count};
}

}  // namespace skep::tsdb
