#include "common/protobuf/message.h"

#include <cstring>
#include <exception>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>

namespace skep::protobuf {
namespace {

// Little endian, as on every machine that we build for.
static_assert(std::endian::native == std::endian::little);

template <typename T>
bool AppendFixed(std::string_view packed, std::vector<T>& out) {
  const std::size_t whole = packed.size() / sizeof(T);
  const std::size_t old = out.size();
  out.resize(old + whole);
  if (whole > 0) std::memcpy(out.data() + old, packed.data(), whole * sizeof(T));
  return whole * sizeof(T) == packed.size();
}

}  // namespace

bool MessageReader::NextOfAnyShape() {
  if (at_ == end_ || !ok_) return false;
  try {
    ok_ = ReadField();
  } catch (const std::exception&) {  // protozero's: a varint that is cut short or too long
    ok_ = false;
  }
  if (!ok_) at_ = end_;
  return ok_;
}

// What follows a tag is read with it, so that a field costs one call.
bool MessageReader::ReadField() {
  const std::uint64_t tag = protozero::decode_varint(&at_, end_);
  if (tag > UINT32_MAX || tag >> 3 == 0) return false;
  tag_ = static_cast<std::uint32_t>(tag);
  const auto left = [this] { return static_cast<std::size_t>(end_ - at_); };
  switch (static_cast<WireType>(tag & 7)) {
    case WireType::kVarint:
      number_ = protozero::decode_varint(&at_, end_);
      return true;
    case WireType::kFixed64:
      if (left() < 8) return false;
      std::memcpy(&number_, at_, 8);
      at_ += 8;
      return true;
    case WireType::kBytes: {
      const std::uint64_t length = protozero::decode_varint(&at_, end_);
      if (length > left()) return false;
      bytes_ = {at_, static_cast<std::size_t>(length)};
      at_ += length;
      return true;
    }
    case WireType::kFixed32: {
      if (left() < 4) return false;
      std::uint32_t narrow = 0;
      std::memcpy(&narrow, at_, 4);
      number_ = narrow;
      at_ += 4;
      return true;
    }
  }
  return false;  // groups, which proto3 has not
}

bool AppendPackedFixed64(std::string_view packed, std::vector<std::uint64_t>& out) {
  return AppendFixed(packed, out);
}

bool AppendPackedDouble(std::string_view packed, std::vector<double>& out) {
  return AppendFixed(packed, out);
}

bool AppendPackedVarint(std::string_view packed, std::vector<std::uint64_t>& out) {
  const char* at = packed.data();
  const char* const end = at + packed.size();
  try {
    while (at != end) out.push_back(protozero::decode_varint(&at, end));
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

MessageWriter& MessageWriter::Varint(std::uint32_t field, std::uint64_t value) {
  protozero::pbf_writer(out_).add_uint64(field, value);
  return *this;
}

MessageWriter& MessageWriter::Sint(std::uint32_t field, std::int64_t value) {
  protozero::pbf_writer(out_).add_sint64(field, value);
  return *this;
}

MessageWriter& MessageWriter::Fixed64(std::uint32_t field, std::uint64_t value) {
  protozero::pbf_writer(out_).add_fixed64(field, value);
  return *this;
}

MessageWriter& MessageWriter::Bytes(std::uint32_t field, std::string_view value) {
  protozero::pbf_writer(out_).add_bytes(field, value.data(), value.size());
  return *this;
}

MessageWriter& MessageWriter::PackedFixed64(std::uint32_t field,
                                            const std::vector<std::uint64_t>& values) {
  protozero::pbf_writer(out_).add_packed_fixed64(field, values.begin(), values.end());
  return *this;
}

MessageWriter& MessageWriter::PackedDouble(std::uint32_t field, const std::vector<double>& values) {
  protozero::pbf_writer(out_).add_packed_double(field, values.begin(), values.end());
  return *this;
}

MessageWriter& MessageWriter::PackedVarint(std::uint32_t field,
                                           const std::vector<std::uint64_t>& values) {
  protozero::pbf_writer(out_).add_packed_uint64(field, values.begin(), values.end());
  return *this;
}

}  // namespace skep::protobuf
