// A log file, a commit, series, a deletion of any bytes: read, or refused.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evaluator/tsdb/commit_codec.h"
#include "evaluator/tsdb/deletion_codec.h"
#include "evaluator/tsdb/record_file.h"
#include "evaluator/tsdb/series_codec.h"

namespace {

using namespace skep::tsdb;  // NOLINT: a small program of its own

void ReadCommit(std::string_view payload) {
  const auto parts = CommitParts::Find(payload);
  if (!parts) return;
  SeriesCursor series(parts->series);
  while (series.Next()) (void)series.labels().Hash();
  FloatCursor floats(parts->floats);
  while (floats.Next()) (void)floats.sample();
  FullCursor full(parts->full);
  while (full.Next()) {
    const skep::HistogramPtr& histogram = full.sample().histogram;
    if (histogram != nullptr) (void)SameHistogram(*histogram, *histogram);
  }
}

void ReadRecord(const Record& record) {
  ReadCommit(record.payload);
  SeriesCursor series(record.payload);
  while (series.Next()) (void)series.labels().Hash();
  (void)ReadForgotten(record.payload);
  (void)ReadDeletion(record.payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  ReadRecord({.kind = RecordKind::kCommit, .payload = content});
  if (!DecodeHeader(kSegmentMagic, content, "file")) return 0;
  RecordScanner scanner(1, content);
  while (scanner.Next()) ReadRecord(scanner.record());
  return 0;
}
