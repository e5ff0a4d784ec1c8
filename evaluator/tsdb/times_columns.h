// The columns of times of a block that is being written: each one gets a number, and stands in the
// file once, because all series of a target have the same.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/tsdb/block_format.h"

namespace skep::tsdb {

// Remembers up to 32 MB of columns; then it begins anew, so some may stand twice.
// Thread-compatible.
class TimesColumns {
 public:
  // A column, and its bytes where it is new: the caller writes them, then tells Placed.
  struct Column {
    std::uint32_t number = 0;
    std::string_view new_bytes;  // empty: it is known. Until the next call
  };

  // Of times. Requires: 1 to kMaxChunkSamples, strictly rising.
  Column Of(std::span<const Timestamp> times);
  // Of an encoded column. kCorrupt where the bytes are none.
  Result<Column> OfBytes(std::string_view bytes);
  // Where the newest column stands.
  void Placed(std::uint64_t offset) { entries_.back().offset = offset; }

  const TimesEntry& operator[](std::uint32_t number) const { return entries_[number]; }
  std::span<const TimesEntry> entries() const { return entries_; }

 private:
  struct Known {
    std::string bytes;
    std::uint32_t number = 0;
  };
  using Index = std::unordered_map<std::uint64_t, std::size_t>;  // into known_

  bool IsColumn(const Known& known, std::span<const Timestamp> times);
  Column Add(std::string_view bytes, std::span<const Timestamp> times);

  std::vector<TimesEntry> entries_;
  std::vector<Known> known_;
  std::size_t known_bytes_ = 0;
  Index by_times_, by_bytes_;  // by hashes; of two with the same the later one is found
  std::vector<Timestamp> decoded_;
  std::string encoded_;
};

}  // namespace skep::tsdb
