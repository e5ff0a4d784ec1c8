#include "evaluator/prometheusblock/chunk_decoder.h"

#include <bit>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "common/model/sample.h"
#include "evaluator/prometheusblock/bit_reader.h"
#include "tests/support/many.h"

namespace {

using namespace skep;
using prometheusblock::BitReader;
using prometheusblock::DecodeChunk;
using storage::SampleColumns;

class BitWriter {
 public:
  void Bits(std::uint64_t bits, unsigned count) {
    for (unsigned i = count; i > 0; --i) {
      if (size_ % 8 == 0) bytes_.push_back('\0');
      if ((bits >> (i - 1) & 1) != 0)
        bytes_.back() = static_cast<char>(bytes_.back() | 0x80 >> size_ % 8);
      ++size_;
    }
  }
  void Varint(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) Bits((number & 0x7f) | 0x80, 8);
    Bits(number, 8);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t size_ = 0;
};

// A plain encoder, after the description of the format.
std::string EncodeXor(const std::vector<Sample>& samples) {
  BitWriter out;
  out.Bits(samples.size(), 16);
  std::int64_t distance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::int64_t time = ToMillis(samples[i].time);
    const auto bits = std::bit_cast<std::uint64_t>(samples[i].value);
    if (i == 0) {
      out.Varint(static_cast<std::uint64_t>(time) << 1 ^ static_cast<std::uint64_t>(time >> 63));
      out.Bits(bits, 64);
      continue;
    }
    const std::int64_t now = time - ToMillis(samples[i - 1].time);
    const std::int64_t change = now - distance;
    distance = now;
    if (i == 1) {
      out.Varint(static_cast<std::uint64_t>(now));
    } else if (change == 0) {
      out.Bits(0, 1);
    } else if (change >= -8191 && change <= 8192) {
      out.Bits(0b10, 2), out.Bits(static_cast<std::uint64_t>(change), 14);
    } else if (change >= -65535 && change <= 65536) {
      out.Bits(0b110, 3), out.Bits(static_cast<std::uint64_t>(change), 17);
    } else if (change >= -524287 && change <= 524288) {
      out.Bits(0b1110, 4), out.Bits(static_cast<std::uint64_t>(change), 20);
    } else {
      out.Bits(0b1111, 4), out.Bits(static_cast<std::uint64_t>(change), 64);
    }
    const std::uint64_t difference = bits ^ std::bit_cast<std::uint64_t>(samples[i - 1].value);
    if (difference == 0) {
      out.Bits(0, 1);
      continue;
    }
    const auto leading = static_cast<unsigned>(std::min(31, std::countl_zero(difference)));
    const auto trailing = static_cast<unsigned>(std::countr_zero(difference));
    const unsigned width = 64 - leading - trailing;
    out.Bits(0b11, 2), out.Bits(leading, 5), out.Bits(width % 64, 6);
    out.Bits(difference >> trailing, width);
  }
  return out.bytes();
}

void CheckRoundTrip(const std::vector<Sample>& samples) {
  SampleColumns out;
  const std::string data = EncodeXor(samples);
  const Status decoded = DecodeChunk({1, data}, out);
  REQUIRE(decoded);
  REQUIRE(out.times.size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CAPTURE(i);
    CHECK(out.times[i] == samples[i].time);
    CHECK(std::bit_cast<std::uint64_t>(out.values[i]) ==
          std::bit_cast<std::uint64_t>(samples[i].value));
  }
}

TEST_CASE("Every width of a time's change is read back, at its ends too", "[prometheusblock]") {
  std::vector<Sample> samples{{FromMillis(-5), 1}, {FromMillis(2'000'000), 1}};
  std::int64_t distance = 2'000'005;
  for (const std::int64_t change : {1L, -1L, 8192L, -8191L, 8193L, -8192L, 65536L, -65535L, 65537L,
                                    -65536L, 524288L, -524287L, 524289L, -524288L, 1L << 40}) {
    distance += change;
    samples.push_back({samples.back().time + Duration{distance}, 1});
  }
  CheckRoundTrip(samples);
}

TEST_CASE("Random floats come back bit by bit", "[prometheusblock]") {
  std::mt19937_64 random(11);
  for (int round = 0; round < test::Many(400); ++round) {
    std::vector<Sample> samples;
    std::int64_t time = static_cast<std::int64_t>(random() % 2'000'000'000'000);
    const std::size_t count = random() % 130;
    for (std::size_t i = 0; i < count; ++i) {
      time += 1 + static_cast<std::int64_t>(random() % (1UL << random() % 24));
      const double value = random() % 3 == 0   ? std::bit_cast<double>(random())
                           : random() % 2 == 0 ? static_cast<double>(random() % 100)
                                               : kStaleNaN;
      samples.push_back({FromMillis(time), value});
    }
    CheckRoundTrip(samples);
  }
}

TEST_CASE("A chunk that is cut short is refused and leaves nothing behind", "[prometheusblock]") {
  std::vector<Sample> samples;
  for (int i = 0; i < 100; ++i) samples.push_back({FromMillis(1000 * i), i * 0.1});
  const std::string data = EncodeXor(samples);
  SampleColumns out;
  out.times.push_back(FromMillis(-1));
  out.values.push_back(1);
  for (std::size_t size = 0; size < data.size(); ++size) {
    CAPTURE(size);
    const Status decoded = DecodeChunk({1, std::string_view(data).substr(0, size)}, out);
    // Without its header it has no samples.
    if (size >= 2) REQUIRE_FALSE(decoded);
    CHECK(out.times.size() == 1);
    CHECK(out.values.size() == 1);
  }
}

TEST_CASE("Times that do not rise are damage", "[prometheusblock]") {
  SampleColumns out;
  const std::string data =
      EncodeXor({{FromMillis(10), 1}, {FromMillis(20), 2}, {FromMillis(20), 3}});
  const Status decoded = DecodeChunk({1, data}, out);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().message() == "times do not rise at sample 2");
  CHECK(out.empty());
  const std::string good = EncodeXor({{FromMillis(10), 1}});
  REQUIRE(DecodeChunk({1, good}, out));
  CHECK_FALSE(DecodeChunk({1, good}, out));
  CHECK(out.times.size() == 1);
}

TEST_CASE("Encodings that are not known are refused by number", "[prometheusblock]") {
  SampleColumns out;
  for (const int encoding : {0, 4, 255}) {
    const Status decoded = DecodeChunk({static_cast<std::uint8_t>(encoding), "\0\1xx"}, out);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().message().starts_with("its encoding " + std::to_string(encoding) +
                                                " is not known"));
  }
}

// A chunk of one gauge histogram with custom buckets.
std::string CustomChunk(const std::vector<std::uint64_t>& thousandths, unsigned first,
                        unsigned length) {
  BitWriter out;
  const auto packed = [&out](std::uint64_t number) {
    out.Bits(0b11111111, 8), out.Bits(number, 64);
  };
  out.Bits(1, 16), out.Bits(0b11, 2), out.Bits(0, 6);  // one sample, a gauge
  out.Bits(0, 8);                                      // zero threshold
  packed(static_cast<std::uint64_t>(-53));
  packed(1), packed(length), packed(first);
  packed(0);  // no negative spans
  packed(thousandths.size());
  for (const std::uint64_t each : thousandths) packed(each + 1);
  packed(5000);        // time
  packed(2 * length);  // count
  packed(0);           // zero count
  out.Bits(std::bit_cast<std::uint64_t>(3.5), 64);
  for (unsigned i = 0; i < std::min(length, 10U); ++i) packed(i == 0 ? 2 : 0);
  return out.bytes();
}

TEST_CASE("Histograms with custom buckets are read, and refused where they do not fit",
          "[prometheusblock]") {
  SampleColumns out;
  REQUIRE(DecodeChunk({2, CustomChunk({100, 500, 2500}, 1, 3)}, out));
  REQUIRE(out.histograms.size() == 1);
  const Histogram& histogram = *out.histograms.values[0];
  CHECK(histogram.custom());
  CHECK(*histogram.bounds == std::vector<double>{0.1, 0.5, 2.5});
  CHECK(histogram.positive.spans == std::vector<BucketSpan>{{1, 3}});
  CHECK(histogram.positive.counts == std::vector<double>{2, 2, 2});
  CHECK(histogram.sum == 3.5);
  CHECK(histogram.reset_hint == CounterResetHint::kGauge);
  out.clear();
  for (const std::string& bad : {CustomChunk({100, 500, 2500}, 2, 3), CustomChunk({500, 100}, 0, 1),
                                 CustomChunk({100}, 0, 4'000'000'000U)}) {
    CHECK_FALSE(DecodeChunk({2, bad}, out));
    CHECK(out.empty());
  }
}

TEST_CASE("Bits are read across bytes and not beyond the end", "[prometheusblock]") {
  BitWriter writer;
  for (unsigned width = 1; width <= 64; ++width)
    writer.Bits(0x9e3779b97f4a7c15 >> (64 - width), width);
  BitReader reader(writer.bytes());
  for (unsigned width = 1; width <= 64; ++width) {
    CAPTURE(width);
    CHECK(reader.Bits(width) == 0x9e3779b97f4a7c15 >> (64 - width));
  }
  CHECK(reader.left() < 8);
  CHECK(reader.ok());
  CHECK(reader.Bits(8) == 0);
  CHECK_FALSE(reader.ok());
}

}  // namespace
