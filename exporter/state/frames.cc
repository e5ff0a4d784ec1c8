#include "exporter/state/frames.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace skep::state {
namespace {

constexpr std::string_view kMagic = "skepstat";

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

template <typename N>
void Append(std::string& out, N value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <typename N>
N Read(std::string_view bytes, std::size_t at) {
  N value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint32_t Checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

bool IsZero(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) { return c == 0; });
}

}  // namespace

std::string FileHeader(FileKind kind, std::uint64_t sequence) {
  std::string header(kMagic);
  Append(header, kFormatVersion);
  Append(header, static_cast<std::uint32_t>(kind));
  Append(header, sequence);
  Append(header, Checksum(header));
  return header;
}

void AppendFrame(std::string_view payload, std::string& out) {
  const std::size_t begin = out.size();
  Append(out, static_cast<std::uint32_t>(payload.size()));
  Append(out, Checksum(payload));
  Append(out, Checksum(std::string_view(out).substr(begin, 8)));
  out.append(payload);
}

FrameReader::FrameReader(FileKind kind, std::uint64_t sequence, std::string_view bytes)
    : kind_(kind), sequence_(sequence), bytes_(bytes) {}

FrameReader::Entry FrameReader::Next() {
  if (next_ == 0) {
    const Entry header = ReadHeader();
    if (header != Entry::kFrame) return header;
    next_ = kFileHeaderBytes;
  }
  offset_ = next_;
  return ReadFrame();
}

FrameReader::Entry FrameReader::ReadHeader() {
  if (bytes_.size() < kFileHeaderBytes) {
    const std::string expected = FileHeader(kind_, sequence_);
    return expected.starts_with(bytes_) || IsZero(bytes_) ? Entry::kTorn : Entry::kDamaged;
  }
  const std::string_view header = bytes_.substr(0, kFileHeaderBytes);
  if (IsZero(bytes_)) return Entry::kTorn;
  // Other versions keep the first twelve bytes and the checksum behind the header as they are.
  if (!header.starts_with(kMagic) || Checksum(header.substr(0, kFileHeaderBytes - 4)) !=
                                         Read<std::uint32_t>(header, kFileHeaderBytes - 4)) {
    return Entry::kDamaged;
  }
  version_ = Read<std::uint32_t>(header, 8);
  if (version_ != kFormatVersion) return Entry::kVersion;
  return header == FileHeader(kind_, sequence_) ? Entry::kFrame : Entry::kDamaged;
}

FrameReader::Entry FrameReader::ReadFrame() {
  const std::string_view rest = bytes_.substr(offset_);
  if (rest.empty()) return Entry::kEnd;
  if (rest.size() < kFrameHeaderBytes) return Entry::kTorn;
  const auto length = Read<std::uint32_t>(rest, 0);
  if (Checksum(rest.substr(0, 8)) != Read<std::uint32_t>(rest, 8) || length > kMaxFrameBytes) {
    return IsZero(rest) ? Entry::kTorn : Entry::kDamaged;
  }
  if (rest.size() - kFrameHeaderBytes < length) return Entry::kTorn;
  const std::string_view payload = rest.substr(kFrameHeaderBytes, length);
  if (Checksum(payload) != Read<std::uint32_t>(rest, 4)) return Entry::kDamaged;
  payload_ = payload;
  next_ = offset_ + kFrameHeaderBytes + length;
  return Entry::kFrame;
}

}  // namespace skep::state
