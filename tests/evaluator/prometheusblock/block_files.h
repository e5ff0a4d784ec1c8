// The block in tests/data/prometheusblock, and copies of it that are damaged.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"

namespace skep::test {

inline constexpr const char* kBlock = SKEP_SOURCE_DIR "/tests/data/prometheusblock/block";
inline constexpr const char* kBlockFiles[] = {"meta.json", "index", "chunks/000001", "tombstones"};

inline void WriteBytes(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), bytes.size());
}

inline std::string CopyOfBlock(const std::string& to) {
  std::filesystem::copy(kBlock, to, std::filesystem::copy_options::recursive);
  return to;
}

}  // namespace skep::test
