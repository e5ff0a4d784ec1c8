#include "evaluator/prometheusblock/chunk_decoder.h"

#include <string>

#include "evaluator/prometheusblock/bit_reader.h"
#include "evaluator/prometheusblock/histogram_decoder.h"

namespace skep::prometheusblock {
namespace {

constexpr std::uint8_t kXor = 1;
constexpr std::uint8_t kHistogram = 2;
constexpr std::uint8_t kFloatHistogram = 3;

std::int64_t Plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// How far the distance of two times has changed since the two before.
std::int64_t ChangeOfDistance(BitReader& bits) {
  static constexpr unsigned kWidths[] = {0, 14, 17, 20, 64};
  return bits.Signed(kWidths[bits.Ones(4)]);
}

Status DecodeXor(std::string_view data, storage::SampleColumns& out) {
  BitReader bits(data);
  const std::uint64_t count = bits.Bits(16);
  std::int64_t time = 0;
  std::int64_t distance = 0;
  XorRow row;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i == 0) {
      time = bits.SignedVarint();
      row.value = bits.Double();
    } else {
      distance = i == 1 ? static_cast<std::int64_t>(bits.Varint())
                        : Plus(distance, ChangeOfDistance(bits));
      time = Plus(time, distance);
      row.Next(bits);
    }
    if (!bits.ok()) return Corrupt("it ends within sample " + std::to_string(i));
    if (!IsAfter(out, FromMillis(time))) {
      return Corrupt("times do not rise at sample " + std::to_string(i));
    }
    out.times.push_back(FromMillis(time));
    out.values.push_back(row.value);
  }
  return {};
}

Status Decode(const ChunkView& chunk, storage::SampleColumns& out) {
  switch (chunk.encoding) {
    case kXor:
      return DecodeXor(chunk.data, out);
    case kHistogram:
      return DecodeHistograms(chunk.data, HistogramCounts::kWhole, out);
    case kFloatHistogram:
      return DecodeHistograms(chunk.data, HistogramCounts::kFloat, out);
  }
  return Corrupt("its encoding " + std::to_string(chunk.encoding) +
                 " is not known; of Prometheus's, 1 (XOR), 2 (histogram) and 3 (float histogram) "
                 "are");
}

}  // namespace

Status DecodeChunk(const ChunkView& chunk, storage::SampleColumns& out) {
  const std::size_t floats = out.times.size();
  const std::size_t histograms = out.histograms.times.size();
  Status decoded = Decode(chunk, out);
  if (decoded) return {};
  out.times.resize(floats);
  out.values.resize(floats);
  out.histograms.times.resize(histograms);
  out.histograms.values.resize(histograms);
  return decoded;
}

}  // namespace skep::prometheusblock
