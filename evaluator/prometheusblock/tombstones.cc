#include "evaluator/prometheusblock/tombstones.h"

#include "evaluator/prometheusblock/big_endian.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::prometheusblock {
namespace {

constexpr std::uint32_t kMagic = 0x0130BA30;
constexpr std::uint8_t kVersion = 1;

bool Holds(const std::vector<storage::TimeRange>& spans, Timestamp time) {
  for (const storage::TimeRange& span : spans) {
    if (span.min <= time && time <= span.max) return true;
  }
  return false;
}

template <typename Value>
void DeleteRows(const std::vector<storage::TimeRange>& spans, std::vector<Timestamp>& times,
                std::vector<Value>& values) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (Holds(spans, times[i])) continue;
    if (kept != i) {
      times[kept] = times[i];
      values[kept] = std::move(values[i]);
    }
    ++kept;
  }
  times.resize(kept);
  values.resize(kept);
}

}  // namespace

Result<Tombstones> ReadTombstones(std::string_view bytes, const std::string& path) {
  if (bytes.size() < 4 + 1 + 4 || LoadU32(bytes) != kMagic) {
    return Corrupt(path + ": byte 0: this does not begin as tombstones of Prometheus");
  }
  const auto version = static_cast<std::uint8_t>(bytes[4]);
  if (version != kVersion) {
    return Invalid(path + ": version " + std::to_string(version) +
                   " of tombstones is not known; 1 is");
  }
  // The sum is over what stands between the version and itself.
  const auto content = Summed(bytes.substr(5), bytes.size() - 9);
  if (!content) {
    return Corrupt(path + ": byte " + std::to_string(bytes.size() - 4) + ": the checksum is wrong");
  }
  Tombstones tombstones;
  tsdb::ByteReader reader(*content);
  while (!reader.done()) {
    const std::uint64_t series = reader.Varint();
    const Timestamp first = FromMillis(reader.Signed());
    const Timestamp last = FromMillis(reader.Signed());
    if (!reader.ok()) break;
    tombstones[series].push_back({first, last});
  }
  if (!reader.ok()) {
    return Corrupt(path + ": byte " + std::to_string(bytes.size() - 4) + ": the last one is cut");
  }
  return tombstones;
}

void Delete(const std::vector<storage::TimeRange>& spans, storage::SampleColumns& samples) {
  if (spans.empty()) return;
  DeleteRows(spans, samples.times, samples.values);
  DeleteRows(spans, samples.histograms.times, samples.histograms.values);
}

}  // namespace skep::prometheusblock
