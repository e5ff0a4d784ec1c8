// The layout of a block file: its parts, the footer that says where they are, and what writer and
// reader must agree on. README.md has the picture.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/file_magic.h"

namespace skep::tsdb {

inline constexpr FileMagic kBlockMagic{.kind = "skepblk", .meaning = "block", .version = 2};

// So many values of a label, or series, begin with one that stands for itself; the others say how
// they differ from the one before.
inline constexpr std::uint32_t kValuesPerGroup = 16;
inline constexpr std::uint32_t kSeriesPerGroup = 16;

// Where the bytes of a block are. Those of the samples, then those of the index.
struct BlockParts {
  std::uint64_t times = 0;  // columns of times, each once
  std::uint64_t values = 0;
  std::uint64_t starts = 0;
  std::uint64_t summaries = 0;
  std::uint64_t chunk_lists = 0;  // which chunks a series has; without the summaries

  std::uint64_t times_table = 0;
  std::uint64_t postings = 0;
  std::uint64_t label_texts = 0;  // names and values
  std::uint64_t series_labels = 0;
  std::uint64_t places = 0;  // where the chunk list of each series begins

  std::uint64_t index_bytes() const {
    return times_table + postings + label_texts + series_labels + places;
  }
  BlockParts& operator+=(const BlockParts& other);
  bool operator==(const BlockParts&) const = default;
};

// What is known of a block without reading its samples.
struct BlockMeta {
  Timestamp min_time, max_time;  // of its samples, both included
  std::uint64_t series = 0;
  std::uint64_t chunks = 0;
  std::uint64_t samples = 0;  // floats and histograms
  std::uint64_t size_bytes = 0;
  BlockParts parts;

  bool operator==(const BlockMeta&) const = default;
};

// The parts of the index, in their order in the file.
enum class IndexPart : std::uint8_t {
  kTimesTable,       // TimesEntry of each column
  kPostings,         // of each pair of name and value
  kNames,            // label names and how many values each has
  kValues,           // groups of values
  kValueDirectory,   // of each group: its offset in kValues, that of its postings in kPostings
  kSeriesLabels,     // groups of series
  kSeriesDirectory,  // of each group: its offset in kSeriesLabels
  kPlaces,           // of each series: the offset of its chunk list in the file
};
inline constexpr std::size_t kIndexParts = 8;

// The end of the file.
struct BlockFooter {
  BlockMeta meta;                  // size_bytes is not written
  std::uint64_t index_offset = 0;  // where the samples end
  std::array<std::uint64_t, kIndexParts> part_bytes{};
  std::uint64_t columns = 0;  // of times
  std::uint64_t names = 0;
  std::uint64_t value_groups = 0;
  // Bytes of each number in kValueDirectory, kSeriesDirectory, kPlaces.
  std::uint8_t value_width = 0, series_width = 0, place_width = 0;
  std::uint32_t index_crc = 0;

  std::uint64_t index_bytes() const;
};

inline constexpr std::size_t kFooterBytes = 8 * (5 + 10 + 1 + kIndexParts + 3 + 1) + 8;

std::string EncodeFooter(const BlockFooter& footer);
// Of the whole file `content`, `path` for the message. Afterwards the parts lie within the file and
// are as large as the counts ask. kInvalid: another version. kCorrupt: no block, or its beginning
// only.
Result<BlockFooter> DecodeFooter(std::string_view content, const std::string& path);

// A column of times.
struct TimesEntry {
  std::uint64_t offset = 0;  // in the file; below 2^48
  std::uint32_t count = 0;   // of times; as 16 bits
  std::uint32_t size = 0;    // bytes
  std::uint32_t crc = 0;
  Timestamp min_time, max_time;
};
inline constexpr std::size_t kTimesEntryBytes = 8 + 4 + 4 + 8 + 8;

void EncodeTimesEntry(const TimesEntry& entry, ByteWriter& out);
// Requires: kTimesEntryBytes at `at`.
TimesEntry DecodeTimesEntry(const char* at);

// The fewest bytes that hold `largest`: 1 to 8.
std::uint8_t WidthOf(std::uint64_t largest);

// Appends the lowest `width` bytes of each number.
void PackNumbers(std::span<const std::uint64_t> numbers, std::uint8_t width, ByteWriter& out);

// Numbers of 1 to 8 bytes each in a mapped file. Views them.
class PackedArray {
 public:
  PackedArray() = default;
  // Requires: 8 bytes behind them may be read, too (the footer stands there).
  PackedArray(const char* data, std::uint8_t width)
      : data_(data), width_(width), mask_(~std::uint64_t{0} >> (64 - 8 * width)) {}
  std::uint64_t operator[](std::size_t i) const { return LoadU64(data_ + i * width_) & mask_; }

 private:
  const char* data_ = nullptr;
  std::size_t width_ = 0;
  std::uint64_t mask_ = 0;
};

// "PATH at byte OFFSET: WHAT".
Error DamagedBlock(const std::string& path, std::uint64_t offset, std::string_view what);

// What the first reader that met damage was told. Thread-safe.
class FirstDamage {
 public:
  void Note(const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (!message_) message_ = message;
  }
  std::optional<std::string> message() const {
    const std::lock_guard lock(mutex_);
    return message_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> message_;  // guarded by mutex_
};

// A mapped block file, as its readers see it.
struct BlockBytes {
  std::string path;
  MappedFilePtr file;
  std::string_view content;
  mutable FirstDamage first_damage;

  // `at` is a place in `content`. Remembered in first_damage.
  Error Damaged(const char* at, std::string_view what) const;
};

// The index of a block in its parts.
class IndexParts {
 public:
  IndexParts(std::string_view content, const BlockFooter& footer);
  std::string_view operator[](IndexPart part) const {
    return parts_[static_cast<std::size_t>(part)];
  }

 private:
  std::array<std::string_view, kIndexParts> parts_;
};

}  // namespace skep::tsdb
