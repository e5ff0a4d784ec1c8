// Protocol buffers field by field, without generated code: what we read of others' formats is a few
// messages each, and hot. The only user of protozero; its exceptions end here.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skep::protobuf {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Goes over the fields of one encoded message. A field whose wire type is not what the caller
// expects reads as unknown, as in every parser of protocol buffers: compare tag() with Tag().
//
//   MessageReader reader(bytes);
//   while (reader.Next()) {
//     switch (reader.tag()) {
//       case Tag(1, WireType::kBytes): name = reader.bytes(); break;
//     }
//   }
//   if (!reader.ok()) ...
//
// Values are views into the message. Thread-compatible.
class MessageReader {
 public:
  explicit MessageReader(std::string_view message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  // Moves to the next field and reads its value. False at the end and at the first byte that cannot
  // be: a tag 0, a length beyond the message, a varint of more than ten bytes, a group.
  bool Next() {
    // Most fields are short texts and messages, with a tag and a length of one byte each.
    if (end_ - at_ >= 2) {
      const auto tag = static_cast<std::uint8_t>(at_[0]);
      const auto length = static_cast<std::uint8_t>(at_[1]);
      const bool is_bytes = (tag & 0x87) == static_cast<std::uint8_t>(WireType::kBytes) && tag > 7;
      if (is_bytes && length < 0x80 && length <= end_ - at_ - 2) {
        tag_ = tag;
        bytes_ = {at_ + 2, length};
        at_ += 2 + length;
        return true;
      }
    }
    return NextOfAnyShape();
  }
  // False once Next has met such a byte.
  bool ok() const { return ok_; }

  // Of the present field. Each accessor is for its wire type; of another one its value is
  // meaningless.
  std::uint32_t tag() const { return tag_; }
  std::string_view bytes() const { return bytes_; }
  std::uint64_t varint() const { return number_; }
  std::uint64_t fixed64() const { return number_; }
  double AsDouble() const { return std::bit_cast<double>(number_); }  // of a fixed64
  std::int64_t AsInt64() const { return static_cast<std::int64_t>(number_); }
  std::int32_t AsInt32() const { return static_cast<std::int32_t>(number_); }
  bool AsBool() const { return number_ != 0; }
  // sint32, sint64: zigzag.
  std::int64_t AsSint64() const {
    return static_cast<std::int64_t>(number_ >> 1) ^ -static_cast<std::int64_t>(number_ & 1);
  }

 private:
  bool NextOfAnyShape();
  bool ReadField();

  const char* at_;  // the end after a bad byte
  const char* end_;
  std::uint32_t tag_ = 0;
  bool ok_ = true;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

// A field's number with its wire type, as it stands in the bytes: for case labels.
constexpr std::uint32_t Tag(std::uint32_t field, WireType type) {
  return field << 3 | static_cast<std::uint32_t>(type);
}

// Add the values of a packed field to `out`. False where the bytes are no such list; `out` then has
// the values before.
bool AppendPackedFixed64(std::string_view packed, std::vector<std::uint64_t>& out);
bool AppendPackedDouble(std::string_view packed, std::vector<double>& out);
bool AppendPackedVarint(std::string_view packed, std::vector<std::uint64_t>& out);

// Appends fields to a string that must outlive it. A message within is written into a string of its
// own and added with Bytes. Thread-compatible.
class MessageWriter {
 public:
  explicit MessageWriter(std::string& out) : out_(out) {}

  MessageWriter& Varint(std::uint32_t field, std::uint64_t value);
  MessageWriter& Sint(std::uint32_t field, std::int64_t value);  // zigzag
  MessageWriter& Fixed64(std::uint32_t field, std::uint64_t value);
  MessageWriter& Double(std::uint32_t field, double value) {
    return Fixed64(field, std::bit_cast<std::uint64_t>(value));
  }
  MessageWriter& Bytes(std::uint32_t field, std::string_view value);
  MessageWriter& PackedFixed64(std::uint32_t field, const std::vector<std::uint64_t>& values);
  MessageWriter& PackedDouble(std::uint32_t field, const std::vector<double>& values);
  MessageWriter& PackedVarint(std::uint32_t field, const std::vector<std::uint64_t>& values);

 private:
  std::string& out_;
};

}  // namespace skep::protobuf
