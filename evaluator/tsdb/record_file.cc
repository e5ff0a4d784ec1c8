#include "evaluator/tsdb/record_file.h"

#include <cstring>
#include <limits>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {
namespace {

template <typename Number>
void Put(char*& at, Number n) {
  std::memcpy(at, &n, sizeof(n));
  at += sizeof(n);
}

// What the sum of a record begins with.
std::uint32_t SumOfPlace(RecordPlace place, std::uint32_t length, std::uint8_t kind) {
  std::array<char, 8 + 8 + 4 + 1> bytes{};
  char* at = bytes.data();
  Put(at, place.file_number);
  Put(at, place.offset);
  Put(at, length);
  Put(at, kind);
  return Crc32c({bytes.data(), bytes.size()});
}

}  // namespace

std::string EncodeHeader(const FileMagic& magic, const RecordFileHeader& header) {
  ByteWriter out;
  out.Bytes(magic.bytes());
  out.U64(header.number);
  out.U64(header.previous);
  out.U64(header.previous_end);
  out.U32(Crc32c(out.view()));
  return std::string(out.view());
}

Result<RecordFileHeader> DecodeHeader(const FileMagic& magic, std::string_view content,
                                      const std::string& path) {
  RETURN_IF_ERROR(CheckMagic(magic, content, path));
  ByteReader reader(content.substr(kMagicBytes));
  const RecordFileHeader header{
      .number = reader.U64(), .previous = reader.U64(), .previous_end = reader.U64()};
  const std::uint32_t sum = reader.U32();
  if (!reader.ok() || sum != Crc32c(content.substr(0, kRecordFileHeaderBytes - 4))) {
    return Corrupt("the header of " + path + " is damaged");
  }
  return header;
}

Result<RecordHead> MakeRecordHead(RecordPlace place, RecordKind kind,
                                  std::span<const std::string_view> payload) {
  std::uint64_t length = 0;
  for (const std::string_view part : payload) length += part.size();
  if (length > std::numeric_limits<std::uint32_t>::max()) {
    return Invalid("a record of " + std::to_string(length) +
                   " bytes: at most 4294967295 fit into one");
  }
  const auto short_length = static_cast<std::uint32_t>(length);
  std::uint32_t sum = SumOfPlace(place, short_length, static_cast<std::uint8_t>(kind));
  for (const std::string_view part : payload) sum = Crc32c(part, sum);
  RecordHead head{};
  char* at = head.data();
  Put(at, short_length);
  Put(at, sum);
  Put(at, static_cast<std::uint8_t>(kind));
  return head;
}

bool RecordScanner::Next() {
  offset_ = next_;
  problem_ = offset_ >= content_.size() ? std::string_view() : Judge();
  return next_ > offset_;
}

std::string_view RecordScanner::Judge() {
  ByteReader reader(content_.substr(static_cast<std::size_t>(offset_)));
  const std::uint32_t length = reader.U32();
  const std::uint32_t sum = reader.U32();
  const std::uint8_t kind = reader.U8();
  const std::string_view payload = reader.Bytes(length);
  if (!reader.ok()) return "a record that is cut off";
  if (sum != Crc32c(payload, SumOfPlace({number_, offset_}, length, kind))) {
    return "a record whose checksum is wrong";
  }
  record_ = {static_cast<RecordKind>(kind), payload};
  next_ = offset_ + kRecordHeadBytes + length;
  return {};
}

}  // namespace skep::tsdb
