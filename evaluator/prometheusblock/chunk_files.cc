#include "evaluator/prometheusblock/chunk_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/file.h"
#include "common/base/number.h"
#include "evaluator/prometheusblock/big_endian.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/posix_disk.h"

namespace skep::prometheusblock {
namespace {

constexpr std::uint32_t kMagic = 0x85BD40DD;
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 8;

// Numbers and names of the files; others (a "000002.tmp") are not looked at.
Result<std::vector<std::pair<std::uint64_t, std::string>>> ListFiles(const std::string& folder) {
  std::vector<std::pair<std::uint64_t, std::string>> files;
  std::error_code error;
  for (std::filesystem::directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error)) {
    const std::string name = each->path().filename().string();
    if (const auto number = ParseUint(name)) files.emplace_back(*number, name);
  }
  if (error) return FromErrno("read " + folder, error.value());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Error ChunkFile::Damage(std::uint64_t at, std::string_view what) const {
  return Corrupt(path_ + ": chunk at byte " + std::to_string(at) + ": " + std::string(what));
}

Result<ChunkFile> ChunkFile::Open(tsdb::MappedFilePtr file, std::string path) {
  const std::string_view bytes = file->bytes();
  if (bytes.size() < kHeaderBytes || LoadU32(bytes) != kMagic) {
    return Corrupt(path + ": byte 0: this does not begin as a file of chunks of Prometheus");
  }
  const auto version = static_cast<std::uint8_t>(bytes[4]);
  if (version != kVersion) {
    return Invalid(path + ": version " + std::to_string(version) +
                   " of a file of chunks is not known; 1 is");
  }
  return ChunkFile(std::move(file), std::move(path));
}

Result<ChunkView> ChunkFile::Find(std::uint64_t at) const {
  const std::string_view bytes = file_->bytes();
  if (at < kHeaderBytes || at >= bytes.size()) return Damage(at, "lies beyond the end of the file");
  tsdb::ByteReader reader(bytes.substr(at));
  const std::uint64_t size = reader.Varint();
  if (!reader.ok() || size >= reader.left()) return Damage(at, "is cut short");
  // The encoding is not among the bytes that `size` counts, but the sum is over it too.
  const auto content = Summed(bytes.substr(bytes.size() - reader.left()), size + 1);
  if (!content) return Damage(at, "is cut short, or its checksum is wrong");
  return ChunkView{static_cast<std::uint8_t>((*content)[0]), content->substr(1)};
}

Result<std::vector<ChunkFile>> OpenChunkFiles(const std::string& folder) {
  const auto names = ListFiles(folder);
  if (!names) return names.error();
  std::vector<ChunkFile> files;
  for (const auto& [number, name] : *names) {
    std::string path = JoinPath(folder, name);
    Result<tsdb::MappedFilePtr> mapped = tsdb::MapFile(path);
    if (!mapped) return mapped.error();
    Result<ChunkFile> file = ChunkFile::Open(*std::move(mapped), std::move(path));
    if (!file) return file.error();
    files.push_back(*std::move(file));
  }
  return files;
}

}  // namespace skep::prometheusblock
