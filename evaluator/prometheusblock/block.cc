#include "evaluator/prometheusblock/block.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "common/base/file.h"
#include "common/json/value.h"
#include "evaluator/tsdb/posix_disk.h"

namespace skep::prometheusblock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxMetaBytes = 64UL << 20;  // it names all blocks that it was made of

// What lies outside of `range` goes, as a deletion would take it.
void Cut(storage::TimeRange range, storage::SampleColumns& samples) {
  std::vector<storage::TimeRange> outside;
  if (range.min > kMinTimestamp) outside.push_back({kMinTimestamp, range.min - Duration{1}});
  if (range.max < kMaxTimestamp) outside.push_back({range.max + Duration{1}, kMaxTimestamp});
  Delete(outside, samples);
}

std::uint64_t CountOf(const json::Value& stats, std::string_view key) {
  const double count = stats[key].number();
  return count >= 0 && count < 9e18 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace

Result<Meta> ReadMeta(const std::string& text, const std::string& path) {
  const Result<json::Value> json = json::Value::Parse(text);
  if (!json) return Corrupt(path + ": " + json.error().message());
  const auto min_time = (*json)["minTime"].AsInt();
  const auto max_time = (*json)["maxTime"].AsInt();
  const auto version = (*json)["version"].AsInt();
  if (!min_time || !max_time || !version || !(*json)["ulid"].IsString()) {
    return Corrupt(path + ": ulid, minTime, maxTime and version are expected");
  }
  if (*version != 1) {
    return Invalid(path + ": version " + std::to_string(*version) +
                   " of a block is not known; 1 is");
  }
  Meta meta;
  meta.ulid = (*json)["ulid"].text();
  meta.min_time = FromMillis(*min_time);
  meta.max_time = FromMillis(*max_time);
  meta.samples = CountOf((*json)["stats"], "numSamples");
  meta.series = CountOf((*json)["stats"], "numSeries");
  return meta;
}

bool IsBlock(const std::string& folder) {
  std::error_code ignored;
  return fs::is_regular_file(JoinPath(folder, "meta.json"), ignored) &&
         fs::is_regular_file(JoinPath(folder, "index"), ignored);
}

Result<std::vector<std::string>> ListBlocks(const std::string& folder) {
  std::vector<std::string> blocks;
  std::error_code error;
  for (fs::directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error)) {
    if (IsBlock(each->path().string())) blocks.push_back(each->path().string());
  }
  if (error) return FromErrno("read " + folder, error.value());
  std::sort(blocks.begin(), blocks.end());
  return blocks;
}

Result<Block> Block::Open(const std::string& folder) {
  Block block;
  const std::string meta_path = JoinPath(folder, "meta.json");
  const Result<std::string> meta_text = ReadFile(meta_path, kMaxMetaBytes);
  if (!meta_text) return meta_text.error();
  Result<Meta> meta = ReadMeta(*meta_text, meta_path);
  if (!meta) return meta.error();
  block.meta_ = *std::move(meta);

  const std::string index_path = JoinPath(folder, "index");
  Result<tsdb::MappedFilePtr> index_file = tsdb::MapFile(index_path);
  if (!index_file) return index_file.error();
  block.index_file_ = *std::move(index_file);
  Result<Index> index = Index::Open(block.index_file_->bytes(), index_path);
  if (!index) return index.error();
  block.index_ = std::make_unique<Index>(*std::move(index));

  Result<std::vector<ChunkFile>> files = OpenChunkFiles(JoinPath(folder, "chunks"));
  if (!files) return files.error();
  block.chunk_files_ = *std::move(files);

  const std::string tombstones_path = JoinPath(folder, "tombstones");
  const Result<std::string> tombstones_bytes = ReadFile(tombstones_path);
  if (!tombstones_bytes && tombstones_bytes.error().kind() == ErrorKind::kNotFound) return block;
  if (!tombstones_bytes) return tombstones_bytes.error();
  Result<Tombstones> tombstones = ReadTombstones(*tombstones_bytes, tombstones_path);
  if (!tombstones) return tombstones.error();
  block.tombstones_ = *std::move(tombstones);
  return block;
}

Status Block::ReadChunk(const ChunkPlace& place, storage::SampleColumns& out) const {
  const std::uint64_t number = place.place >> 32;
  const std::uint64_t at = place.place & std::numeric_limits<std::uint32_t>::max();
  if (number >= chunk_files_.size()) {
    return Corrupt("block " + meta_.ulid + ": chunk file " + std::to_string(number + 1) +
                   " is missing");
  }
  const ChunkFile& file = chunk_files_[number];
  const Result<ChunkView> chunk = file.Find(at);
  if (!chunk) return chunk.error();
  const Status decoded = DecodeChunk(*chunk, out);
  if (!decoded) return file.Damage(at, decoded.error().message());
  return {};
}

void Block::ReadSamples(const IndexedSeries& series, storage::TimeRange range,
                        storage::SampleColumns& out, std::vector<Error>& damage) const {
  out.clear();
  for (const ChunkPlace& place : series.chunks) {
    if (place.max_time < range.min || place.min_time > range.max) continue;
    const Status read = ReadChunk(place, out);
    if (!read) damage.push_back(read.error().Wrap(series.labels.ToString()));
  }
  Cut(range, out);
  const auto deleted = tombstones_.find(series.number);
  if (deleted != tombstones_.end()) Delete(deleted->second, out);
}

}  // namespace skep::prometheusblock
