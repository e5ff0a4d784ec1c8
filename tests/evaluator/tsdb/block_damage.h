// Blocks of any bytes, for tests and for the fuzz target.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/labels_cursor.h"

namespace skep::tsdb {

// A mapped file in the heap, so that address sanitizer sees each byte beside it.
class HeapFile final : public MappedFile {
 public:
  explicit HeapFile(std::string content)
      : size_(content.size()), copy_(std::make_unique<char[]>(content.size())) {
    std::copy(content.begin(), content.end(), copy_.get());
    bytes_ = {copy_.get(), size_};
  }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> copy_;
};

inline void PutU32(std::uint32_t n, std::size_t at, std::string& content) {
  std::memcpy(content.data() + at, &n, sizeof(n));
}

inline void MendTimes(const BlockFooter& footer, std::string& content) {
  for (std::size_t i = 0; i < footer.columns; ++i) {
    const std::size_t at = footer.index_offset + i * kTimesEntryBytes;
    TimesEntry entry = DecodeTimesEntry(content.data() + at);
    if (entry.offset > content.size() || entry.size > content.size() - entry.offset) continue;
    entry.crc = Crc32c(std::string_view(content).substr(entry.offset, entry.size));
    ByteWriter out;
    EncodeTimesEntry(entry, out);
    content.replace(at, kTimesEntryBytes, out.view());
  }
}

inline void MendLists(const BlockFooter& footer, std::string& content) {
  const IndexParts parts(content, footer);
  const PackedArray places(parts[IndexPart::kPlaces].data(), footer.place_width);
  for (std::size_t series = 0; series < footer.meta.series; ++series) {
    const std::uint64_t place = places[series];
    if (place > content.size() || content.size() - place < 5) continue;
    ByteReader in(std::string_view(content).substr(place + 4));
    PutU32(Crc32c(in.String()), place, content);
  }
}

// Makes the sums of footer, index, times and chunk lists right again, so that what they guard is
// read; as far as the footer allows it.
inline void MendSums(std::string& content) {
  if (content.size() < kMagicBytes + kFooterBytes) return;
  const auto mend_footer = [&] {
    const auto footer = std::string_view(content).substr(content.size() - kFooterBytes);
    PutU32(Crc32c(footer.substr(0, kFooterBytes - 8)), content.size() - 8, content);
  };
  mend_footer();
  Result<BlockFooter> footer = DecodeFooter(content, "");
  if (!footer) return;
  MendTimes(*footer, content);
  MendLists(*footer, content);
  const std::uint32_t sum =
      Crc32c(std::string_view(content).substr(footer->index_offset, footer->index_bytes()));
  PutU32(sum, content.size() - 12, content);
  mend_footer();
}

// Calls every function of the block that reads. Gives the messages of the errors.
inline std::vector<std::string> ReadAll(const Block& block) {
  std::vector<std::string> errors;
  const auto note = [&](const auto& result) {
    if (!result) errors.push_back(result.error().message());
  };
  constexpr std::size_t kMostSamples = 1'000'000;  // a few bytes can be that many
  std::size_t read = 0;
  LabelsCursor cursor(block.index());
  for (std::uint32_t series = 0; series < block.series_count(); ++series) {
    note(cursor.LabelsOf(series));
    storage::SampleColumns samples;
    std::vector<BlockChunk> chunks;
    note(block.ReadChunks(series, {}, chunks));
    for (const BlockChunk& chunk : chunks) note(block.SummaryOf(chunk));
    if (read < kMostSamples) note(block.ReadSamples(series, {}, samples));
    read += samples.size() + samples.histograms.size();
    note(block.ReadSamples(series, {block.meta().min_time, block.meta().min_time}, samples));
  }
  for (const auto& [type, name, value] :
       std::vector<std::tuple<MatchType, std::string, std::string>>{
           {MatchType::kEqual, "__name__", "metric_1"},
           {MatchType::kNotEqual, "mode", "idle"},
           {MatchType::kRegex, "instance", "host-.*"},
           {MatchType::kRegex, "id", "1|2|30"},
           {MatchType::kNotRegex, "Zone", ".*z"}}) {
    const std::vector matchers{Matcher::Create(type, name, value).value()};
    note(block.Select(matchers));
    note(block.LabelNames(matchers));
    note(block.LabelValues("id", matchers));
  }
  const auto names = block.LabelNames({});
  note(names);
  for (const std::string& name : *names) note(block.LabelValues(name, {}));
  return errors;
}

}  // namespace skep::tsdb
