// A file of records, each with a checksum: what segments of the log and checkpoints are made of.
//
//   header = magic 8 | number u64 | previous u64 | end of the previous u64 | sum u32 of all before
//   record = length u32 | sum u32 | kind u8 | payload of `length` bytes
//
// The sum of a record (CRC-32C) is that of: number of the file u64, offset of the record u64,
// length u32, kind u8, payload. So a record is good only at its place: old blocks of the disk that
// come to light after a power cut are no records.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/tsdb/file_magic.h"

namespace skep::tsdb {

inline constexpr FileMagic kSegmentMagic{.kind = "skepwal",
                                         .meaning = "segment of the write-ahead log"};
inline constexpr FileMagic kCheckpointMagic{.kind = "skepckp",
                                            .meaning = "checkpoint of the write-ahead log"};

// What a payload is. From kFirstOfHead on the head gives the meaning; the log does not look at it.
enum class RecordKind : std::uint8_t {
  kCommit = 1,    // commit_codec.h
  kSeries = 2,    // series_codec.h: one run
  kForget = 3,    // deletion_codec.h: series that are no more
  kDeletion = 4,  // deletion_codec.h: series of which a span of time is deleted
  kEnd = 5,       // of a checkpoint; never handed out
  kFirstOfHead = 64,
};

struct Record {
  RecordKind kind{};
  std::string_view payload;
};

struct RecordFileHeader {
  std::uint64_t number = 0;
  // Of a segment: the one that was written before it (0: none), and how many of its bytes count.
  // What stands behind them was never acknowledged.
  std::uint64_t previous = 0;
  std::uint64_t previous_end = 0;
};

inline constexpr std::size_t kRecordFileHeaderBytes = kMagicBytes + 8 + 8 + 8 + 4;
inline constexpr std::size_t kRecordHeadBytes = 4 + 4 + 1;

std::string EncodeHeader(const FileMagic& magic, const RecordFileHeader& header);
// `path` is for the message. kInvalid: another version; kCorrupt: no such file.
Result<RecordFileHeader> DecodeHeader(const FileMagic& magic, std::string_view content,
                                      const std::string& path);

// Where a record stands.
struct RecordPlace {
  std::uint64_t file_number = 0;
  std::uint64_t offset = 0;
};
using RecordHead = std::array<char, kRecordHeadBytes>;
// The bytes before the payload, which is given in parts. kInvalid: it is longer than 2^32 - 1
// bytes.
Result<RecordHead> MakeRecordHead(RecordPlace place, RecordKind kind,
                                  std::span<const std::string_view> payload);

// Walks the records of one file, up to the first that is none. Thread-compatible.
class RecordScanner {
 public:
  // Views `content`: the whole file, whose header is good, or its beginning that counts.
  RecordScanner(std::uint64_t file_number, std::string_view content)
      : number_(file_number), content_(content) {}

  // Moves to the first or next record. False at the end, and where the bytes are no record.
  bool Next();
  const Record& record() const { return record_; }
  // Where the present record begins. After Next gave false: where the good bytes end.
  std::uint64_t offset() const { return offset_; }
  // After Next gave false: what is wrong there; "" at the end.
  std::string_view problem() const { return problem_; }

 private:
  std::string_view Judge();

  const std::uint64_t number_;
  const std::string_view content_;
  std::uint64_t offset_ = 0;
  std::uint64_t next_ = kRecordFileHeaderBytes;
  Record record_;
  std::string_view problem_;
};

}  // namespace skep::tsdb
