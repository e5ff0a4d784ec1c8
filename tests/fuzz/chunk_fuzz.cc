// Parts of a chunk of any bytes: decoded or refused, and what was decoded comes back from a chunk
// made of it.
//
// Input: kind (1 byte), count (2 bytes), then times, values, starts and summary, each after its
// length (2 bytes, little-endian).
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "common/model/histogram.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/chunk.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own

std::uint32_t U16(tsdb::ByteReader& in) {
  const std::uint32_t low = in.U8();
  return low | std::uint32_t{in.U8()} << 8;
}

std::string_view Part(tsdb::ByteReader& in) {
  const std::size_t size = U16(in);
  return in.Bytes(std::min(size, in.left()));
}

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckFloats(const storage::SampleColumns& samples) {
  tsdb::ChunkEncoder encoder;
  const tsdb::Chunk chunk = encoder.EncodeFloats(samples);
  storage::SampleColumns back;
  Check(tsdb::DecodeChunk(chunk, {}, back).has_value());
  Check(back.times == samples.times && SameBits(back.values, samples.values));
  Check(chunk.starts.empty() || back.starts == samples.starts);
  Check(tsdb::SummaryOf(chunk).has_value());
}

bool HasNaN(const Histogram& histogram) {
  const auto bounds = histogram.custom_bounds();
  return std::isnan(histogram.zero_threshold) ||
         std::any_of(bounds.begin(), bounds.end(), [](double bound) { return std::isnan(bound); });
}

void CheckHistograms(const storage::SampleColumns::Histograms& samples) {
  tsdb::ChunkEncoder encoder;
  const tsdb::Chunk chunk = encoder.EncodeHistograms(samples);
  storage::SampleColumns back;
  Check(tsdb::DecodeChunk(chunk, {}, back).has_value());
  Check(back.histograms.times == samples.times);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    // NaN among bounds is not equal to itself.
    if (HasNaN(*samples.values[i])) continue;
    Check(SameHistogram(*samples.values[i], *back.histograms.values[i]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tsdb::ByteReader in({reinterpret_cast<const char*>(data), size});
  tsdb::ChunkView view;
  view.kind = static_cast<tsdb::ChunkKind>(in.U8() % 5);
  view.count = U16(in);
  view.times = Part(in);
  view.values = Part(in);
  view.starts = Part(in);
  view.summary = Part(in);
  storage::SampleColumns samples;
  const bool decoded = tsdb::DecodeChunk(view, {}, samples).has_value();
  if (!decoded) Check(samples.empty() && samples.values.empty());
  storage::SampleColumns part;
  (void)tsdb::DecodeChunk(view, {FromMillis(1'700'000'000'000), FromMillis(1'700'000'900'000)},
                          part);
  (void)tsdb::SummaryOf(view);
  if (samples.size() > 0) CheckFloats(samples);
  if (!samples.histograms.empty()) CheckHistograms(samples.histograms);
  return 0;
}
