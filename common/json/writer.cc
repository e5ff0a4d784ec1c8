#include "common/json/writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace skep::json {
namespace {

// What a byte needs: 0 stands as it is, 1 an escape, 2 a look at the UTF-8 sequence.
constexpr std::array<std::uint8_t, 256> kNeeds = [] {
  std::array<std::uint8_t, 256> needs{};
  for (std::size_t i = 0; i < 0x20; ++i) needs[i] = 1;
  for (const char c : {'"', '\\', '<', '>', '&'}) needs[static_cast<unsigned char>(c)] = 1;
  for (std::size_t i = 0x80; i < 256; ++i) needs[i] = 2;
  return needs;
}();

void AppendEscape(std::string& out, unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
  }
}

// Length of the valid UTF-8 sequence of two bytes or more at the front of `text`, or 0.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90)) return 0;
  return length;
}

// One sequence at the front of `text`; returns the bytes used up.
std::size_t AppendSequence(std::string& out, std::string_view text) {
  const std::size_t length = SequenceLength(text);
  if (length == 0) {
    out += "\\ufffd";
    return 1;
  }
  const std::string_view sequence = text.substr(0, length);
  if (sequence == "\xe2\x80\xa8") {
    out += "\\u2028";
  } else if (sequence == "\xe2\x80\xa9") {
    out += "\\u2029";
  } else {
    out += sequence;
  }
  return length;
}

}  // namespace

void AppendString(std::string& out, std::string_view text) {
  out.push_back('"');
  // Whole runs of plain bytes are copied at once: nearly all text is one run.
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (kNeeds[byte] == 0) {
      ++i;
      continue;
    }
    out.append(text.data() + run, i - run);
    if (kNeeds[byte] == 1) {
      AppendEscape(out, byte);
      ++i;
    } else {
      i += AppendSequence(out, text.substr(i));
    }
    run = i;
  }
  out.append(text.data() + run, text.size() - run);
  out.push_back('"');
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_.push_back(bracket);
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_.push_back(bracket);
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  AppendString(out_, key);
  out_.push_back(':');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  AppendString(out_, text);
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::Int(std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return Raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

JsonWriter& JsonWriter::Uint(std::uint64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return Raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

JsonWriter& JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return Raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace skep::json
