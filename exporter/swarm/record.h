// Small binary records of sections: fixed numbers and counted texts, one after the other.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.h"

namespace skep::swarm {

// Appends to a string of its own. Little endian.
class RecordWriter {
 public:
  RecordWriter& Byte(std::uint8_t value) {
    bytes_.push_back(static_cast<char>(value));
    return *this;
  }
  RecordWriter& Number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
      Byte(static_cast<std::uint8_t>(value >> static_cast<unsigned>(shift)));
    }
    return *this;
  }
  RecordWriter& Time(Timestamp time) { return Number(static_cast<std::uint64_t>(ToMillis(time))); }
  RecordWriter& Real(double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return Number(bits);
  }
  // 1,023 bytes of it at most; longer ones are cut.
  RecordWriter& Text(std::string_view text) {
    text = text.substr(0, 1023);
    Byte(static_cast<std::uint8_t>(text.size() & 0xff));
    Byte(static_cast<std::uint8_t>(text.size() >> 8));
    bytes_.append(text);
    return *this;
  }

  const std::string& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

// What RecordWriter wrote. After a read past the end everything reads as 0 or "" and ok() is false.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t Byte() {
    const std::string_view byte = Take(1);
    return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte[0]);
  }
  std::uint64_t Number() {
    const std::string_view bytes = Take(8);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  }
  Timestamp Time() { return FromMillis(static_cast<std::int64_t>(Number())); }
  double Real() {
    const std::uint64_t bits = Number();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  // A view of the record.
  std::string_view Text() {
    const std::size_t low = Byte();
    const std::size_t high = Byte();
    return Take(low | high << 8U);
  }

  bool ok() const { return ok_; }
  // Nothing is left, be it after the end or after a failed read.
  bool done() const { return bytes_.empty(); }

 private:
  std::string_view Take(std::size_t size) {
    if (bytes_.size() < size) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace skep::swarm
