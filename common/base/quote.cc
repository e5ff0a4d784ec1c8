#include "common/base/quote.h"

#include <cstdint>
#include <cstdio>

namespace skep {
namespace {

// Length of the UTF-8 sequence at the front, 0 where there is none.
std::size_t Utf8Length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const unsigned lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// The letter after the backslash of a byte that has one; 0 for the others.
char ShortEscape(char c) {
  switch (c) {
    case '\a':
      return 'a';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    case '\\':
      return '\\';
    case '"':
      return '"';
    default:
      return 0;
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads `width` digits of `base` at `at`; -1 where they are not there.
std::int64_t TakeCode(std::string_view text, std::size_t at, std::size_t width, int base) {
  if (at + width > text.size()) return -1;
  std::int64_t code = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const int digit = HexDigit(text[at + i]);
    if (digit < 0 || digit >= base) return -1;
    code = code * base + digit;
  }
  return code;
}

char SimpleEscape(char letter) {
  switch (letter) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
    case '"':
    case '\'':
      return letter;
    default:
      return 0;
  }
}

}  // namespace

void AppendUtf8(std::string& out, char32_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (const char letter = ShortEscape(c); letter != 0) {
      out.push_back('\\');
      out.push_back(letter);
      ++i;
      continue;
    }
    const std::size_t length = Utf8Length(text.substr(i));
    if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += buffer;
      ++i;
      continue;
    }
    out.append(text.substr(i, length));
    i += length;
  }
  out.push_back('"');
  return out;
}

Result<std::string> Unescape(std::string_view inside) {
  std::string out;
  out.reserve(inside.size());
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\') {
      out.push_back(inside[i]);
      continue;
    }
    const auto bad = [&](std::size_t length) {
      return Invalid("unknown escape sequence \"" + std::string(inside.substr(i, length)) + "\"");
    };
    if (i + 1 == inside.size()) return bad(1);
    const char letter = inside[i + 1];
    if (const char simple = SimpleEscape(letter); simple != 0) {
      out.push_back(simple);
      i += 1;
    } else if (letter == 'x') {
      const std::int64_t code = TakeCode(inside, i + 2, 2, 16);
      if (code < 0) return bad(4);
      out.push_back(static_cast<char>(code));
      i += 3;
    } else if (letter >= '0' && letter <= '7') {
      const std::int64_t code = TakeCode(inside, i + 1, 3, 8);
      if (code < 0 || code > 255) return bad(4);
      out.push_back(static_cast<char>(code));
      i += 3;
    } else if (letter == 'u' || letter == 'U') {
      const std::size_t width = letter == 'u' ? 4 : 8;
      const std::int64_t code = TakeCode(inside, i + 2, width, 16);
      if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return bad(2 + width);
      AppendUtf8(out, static_cast<char32_t>(code));
      i += 1 + width;
    } else {
      return bad(2);
    }
  }
  return out;
}

}  // namespace skep
