// An index, tombstones, a file of chunks, a chunk of any bytes: read, or refused. Sums are right
// where a fuzzer will not find them: chunks are given to the decoders without theirs.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "evaluator/prometheusblock/block.h"

namespace {

using namespace skep;                   // NOLINT: a small program of its own
using namespace skep::prometheusblock;  // NOLINT

class Bytes final : public tsdb::MappedFile {
 public:
  explicit Bytes(std::string_view bytes) { bytes_ = bytes; }
};

void ReadIndex(std::string_view bytes) {
  const Result<Index> index = Index::Open(bytes, "index");
  if (!index) return;
  IndexedSeries series;
  for (std::size_t i = 0; i < index->series_count(); ++i) (void)index->Read(i, series);
}

void ReadChunks(std::string_view bytes) {
  const Result<ChunkFile> file = ChunkFile::Open(std::make_shared<const Bytes>(bytes), "000001");
  if (file) (void)file->Find(8);
}

void Decode(std::uint8_t encoding, std::string_view bytes) {
  storage::SampleColumns samples;
  if (!DecodeChunk({encoding, bytes}, samples)) return;
  for (const HistogramPtr& histogram : samples.histograms.values) {
    std::vector<HistogramBucket> buckets;
    if (SizeBytes(*histogram) < 1 << 16) ListBuckets(*histogram, buckets);
  }
  Delete({{FromMillis(0), FromMillis(1'000'000)}}, samples);
}

}  // namespace

// The first byte says what the others are: 1 to 3 a chunk of that encoding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'i':
      ReadIndex(bytes);
      break;
    case 't':
      (void)ReadTombstones(bytes, "tombstones");
      break;
    case 'c':
      ReadChunks(bytes);
      break;
    case 'm':
      (void)ReadMeta(std::string(bytes), "meta.json");
      break;
    default:
      Decode(data[0], bytes);
  }
  return 0;
}
