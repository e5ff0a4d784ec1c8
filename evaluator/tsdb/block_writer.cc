#include "evaluator/tsdb/block_writer.h"

#include <algorithm>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/chunk_cut.h"

namespace skep::tsdb {
namespace {

// Rows `begin` up to `end` of a column that may be empty.
template <typename T>
std::vector<T> Part(const std::vector<T>& column, std::size_t begin, std::size_t end) {
  if (column.empty()) return {};
  return {column.begin() + static_cast<std::ptrdiff_t>(begin),
          column.begin() + static_cast<std::ptrdiff_t>(end)};
}

// visit(row of the begin, row of the end) of each chunk.
template <typename Visit>
Status ForEachChunk(const std::vector<std::uint32_t>& ends, Visit visit) {
  std::uint32_t begin = 0;
  for (const std::uint32_t end : ends) {
    RETURN_IF_ERROR(visit(begin, end));
    begin = end;
  }
  return {};
}

// Whether the chunk's summary is worth its bytes: it spares decoding many samples, or takes little
// beside them.
bool IsWorthIt(const Chunk& chunk) {
  constexpr std::size_t kPart = 4;  // a quarter
  return chunk.count >= kKeptChunkSamples || kPart * chunk.summary.size() <= chunk.values.size();
}

Status CheckLabels(const Labels& labels) {
  if (labels.empty()) return Invalid("a series of a block has no labels");
  for (const auto& [name, value] : labels) {
    if (value.empty()) return Invalid(labels.ToString() + ": a label has an empty value");
  }
  return {};
}

void Count(const BlockParts& from, BlockParts& to) {
  to.values += from.values;
  to.starts += from.starts;
  to.summaries += from.summaries;
  to.chunk_lists += from.chunk_lists;
}

}  // namespace

Result<std::unique_ptr<BlockWriter>> BlockWriter::Create(Disk& disk, std::string path) {
  Result<UnfinishedFile> file = UnfinishedFile::Create(disk, std::move(path));
  if (!file) return file.error();
  RETURN_IF_ERROR(file->Append(kBlockMagic.bytes()));
  return std::unique_ptr<BlockWriter>(new BlockWriter(*std::move(file)));
}

Status BlockWriter::Add(const Labels& labels, const storage::SampleColumns& samples) {
  if (samples.empty()) return {};
  RETURN_IF_ERROR(BeginSeries(labels));
  RETURN_IF_ERROR(AddSamples(samples));
  return EndSeries();
}

Status BlockWriter::Add(const Labels& labels, std::span<const ChunkView> chunks) {
  RETURN_IF_ERROR(BeginSeries(labels));
  for (const ChunkView& chunk : chunks) RETURN_IF_ERROR(AddChunk(chunk));
  return EndSeries();
}

Status BlockWriter::BeginSeries(const Labels& labels) {
  RETURN_IF_ERROR(CheckLabels(labels));
  if (labels <= last_labels_) {
    return Invalid("the series of a block must rise: " + labels.ToString() + " comes after " +
                   last_labels_.ToString());
  }
  labels_ = labels;
  list_.Clear();
  series_ = {};
  series_.min_time = kMaxTimestamp;
  series_.max_time = kMinTimestamp;
  last_float_ = last_histogram_ = std::nullopt;
  return {};
}

Status BlockWriter::AddSamples(const storage::SampleColumns& samples) {
  if (!samples.times.empty()) RETURN_IF_ERROR(AddFloats(samples));
  if (samples.histograms.empty()) return {};
  return AddHistograms(samples.histograms);
}

Status BlockWriter::AddFloats(const storage::SampleColumns& samples) {
  CutIntoChunks(samples.times, ends_);
  return ForEachChunk(ends_, [&](std::uint32_t begin, std::uint32_t end) {
    const std::size_t count = end - begin;
    const auto times = std::span(samples.times).subspan(begin, count);
    const auto values = std::span(samples.values).subspan(begin, count);
    chunk_.count = static_cast<std::uint32_t>(count);
    chunk_.values.clear();
    chunk_.starts.clear();
    chunk_.summary.clear();
    chunk_.kind = encoder_.EncodeValues(values, chunk_.values);
    encoder_.EncodeSummaryOf(values, chunk_.values, chunk_.summary);
    if (!IsWorthIt(chunk_)) chunk_.summary.clear();
    if (!samples.starts.empty()) {
      EncodeStarts(times, std::span(samples.starts).subspan(begin, count), chunk_.starts);
    }
    return AddToList(chunk_, columns_.Of(times));
  });
}

Status BlockWriter::AddHistograms(const storage::SampleColumns::Histograms& samples) {
  CutIntoChunks(samples.times, ends_);
  return ForEachChunk(ends_, [&](std::uint32_t begin, std::uint32_t end) {
    const storage::SampleColumns::Histograms part{.times = Part(samples.times, begin, end),
                                                  .values = Part(samples.values, begin, end),
                                                  .starts = Part(samples.starts, begin, end)};
    return AddToList(encoder_.EncodeHistograms(part), columns_.Of(part.times));
  });
}

Status BlockWriter::AddChunk(const ChunkView& chunk) {
  const Result<TimesColumns::Column> column = columns_.OfBytes(chunk.times);
  if (!column) return column.error();
  return AddToList(chunk, *column);
}

Status BlockWriter::AddToList(const ChunkView& chunk, TimesColumns::Column column) {
  if (!column.new_bytes.empty()) {
    columns_.Placed(file_.size());
    footer_.meta.parts.times += column.new_bytes.size();
    RETURN_IF_ERROR(file_.Append(column.new_bytes));
  }
  const TimesEntry& times = columns_[column.number];
  const bool histograms = chunk.kind == ChunkKind::kHistogram;
  std::optional<Timestamp>& last = histograms ? last_histogram_ : last_float_;
  if (chunk.count != times.count || chunk.values.empty()) {
    return Invalid(labels_.ToString() + ": a chunk has other times than samples");
  }
  if (last && times.min_time <= *last) {
    return Invalid(labels_.ToString() + ": its chunks must rise, and the one that begins at " +
                   FormatTimestamp(times.min_time) + " comes after one that ends at " +
                   FormatTimestamp(*last));
  }
  last = times.max_time;
  list_.Add(chunk, column.number);
  ++series_.chunks;
  series_.samples += chunk.count;
  series_.parts.values += chunk.values.size();
  series_.parts.starts += chunk.starts.size();
  series_.parts.summaries += chunk.summary.size();
  series_.min_time = std::min(series_.min_time, times.min_time);
  series_.max_time = std::max(series_.max_time, times.max_time);
  return {};
}

Status BlockWriter::EndSeries() {
  if (list_.chunks() == 0) return {};
  places_.push_back(file_.size());
  out_.Clear();
  list_.Write(out_);
  RETURN_IF_ERROR(file_.Append(out_.view()));
  series_.parts.chunk_lists = list_.size_bytes();
  BlockMeta& meta = footer_.meta;
  const bool first = meta.series == 0;
  meta.min_time = first ? series_.min_time : std::min(meta.min_time, series_.min_time);
  meta.max_time = first ? series_.max_time : std::max(meta.max_time, series_.max_time);
  ++meta.series;
  meta.chunks += series_.chunks;
  meta.samples += series_.samples;
  Count(series_.parts, meta.parts);
  index_.Add(labels_);
  last_labels_ = labels_;
  list_.Clear();
  return {};
}

Status BlockWriter::WritePart(IndexPart part, std::string_view bytes) {
  footer_.part_bytes[static_cast<std::size_t>(part)] += bytes.size();
  footer_.index_crc = Crc32c(bytes, footer_.index_crc);
  return file_.Append(bytes);
}

Status BlockWriter::WriteTimesTable() {
  out_.Clear();
  for (const TimesEntry& entry : columns_.entries()) EncodeTimesEntry(entry, out_);
  footer_.columns = columns_.entries().size();
  return WritePart(IndexPart::kTimesTable, out_.view());
}

Status BlockWriter::WritePlaces() {
  out_.Clear();
  footer_.place_width = WidthOf(places_.back());
  PackNumbers(places_, footer_.place_width, out_);
  return WritePart(IndexPart::kPlaces, out_.view());
}

Status BlockWriter::WriteIndex() {
  footer_.index_offset = file_.size();
  RETURN_IF_ERROR(WriteTimesTable());
  RETURN_IF_ERROR(index_.Write(
      [this](IndexPart part, std::string_view bytes) { return WritePart(part, bytes); }, footer_));
  RETURN_IF_ERROR(WritePlaces());
  const auto bytes = [this](IndexPart part) {
    return footer_.part_bytes[static_cast<std::size_t>(part)];
  };
  BlockParts& parts = footer_.meta.parts;
  parts.times_table = bytes(IndexPart::kTimesTable);
  parts.postings = bytes(IndexPart::kPostings);
  parts.label_texts =
      bytes(IndexPart::kNames) + bytes(IndexPart::kValues) + bytes(IndexPart::kValueDirectory);
  parts.series_labels = bytes(IndexPart::kSeriesLabels) + bytes(IndexPart::kSeriesDirectory);
  parts.places = bytes(IndexPart::kPlaces);
  return file_.Append(EncodeFooter(footer_));
}

Result<BlockMeta> BlockWriter::Finish() {
  if (footer_.meta.series == 0) {
    RETURN_IF_ERROR(file_.Discard());
    return BlockMeta();
  }
  RETURN_IF_ERROR(WriteIndex());
  footer_.meta.size_bytes = file_.size();
  RETURN_IF_ERROR(file_.Finish());
  return footer_.meta;
}

}  // namespace skep::tsdb
