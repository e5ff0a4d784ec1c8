// The folder "chunks" of a Prometheus block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/prometheusblock/chunk_decoder.h"
#include "evaluator/tsdb/disk.h"

namespace skep::prometheusblock {

// One of the files, 000001 and so on. Immutable.
class ChunkFile {
 public:
  // kCorrupt: this is none. kInvalid: another version. `path` is for messages.
  static Result<ChunkFile> Open(tsdb::MappedFilePtr file, std::string path);

  // The chunk at a byte, a view of the file. kCorrupt names file and byte: there is none, or its
  // checksum is wrong.
  Result<ChunkView> Find(std::uint64_t at) const;
  // kCorrupt with file and byte.
  Error Damage(std::uint64_t at, std::string_view what) const;

 private:
  ChunkFile(tsdb::MappedFilePtr file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  tsdb::MappedFilePtr file_;
  std::string path_;
};

// All of a folder, in the order of their numbers: the one at i is the index's file i.
Result<std::vector<ChunkFile>> OpenChunkFiles(const std::string& folder);

}  // namespace skep::prometheusblock
