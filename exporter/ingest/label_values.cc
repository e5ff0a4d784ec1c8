#include "exporter/ingest/label_values.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>

#include "common/base/ascii.h"

namespace skep::ingest {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// A decimal number or a word may be hexadecimal digits by chance: it takes both kinds.
bool IsLongHex(std::string_view text) {
  if (text.size() < 16 || !std::all_of(text.begin(), text.end(), IsHexDigit)) return false;
  return std::any_of(text.begin(), text.end(), IsDigit) &&
         !std::all_of(text.begin(), text.end(), IsDigit);
}

bool IsEmail(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && text.find('.', at) != std::string_view::npos &&
         text.find(' ') == std::string_view::npos;
}

bool IsIpv4(std::string_view text) {
  int parts = 1;
  int digits = 0;
  for (const char c : text) {
    if (c == '.') {
      if (digits == 0) return false;
      ++parts;
      digits = 0;
    } else if (std::isdigit(static_cast<unsigned char>(c)) == 0 || ++digits > 3) {
      return false;
    }
  }
  return parts == 4 && digits > 0;
}

bool IsIpv6(std::string_view text) {
  const auto is_part = [](char c) { return IsHexDigit(c) || c == ':' || c == '.'; };
  return std::all_of(text.begin(), text.end(), is_part) &&
         std::count(text.begin(), text.end(), ':') >= 2 &&
         (text.find("::") != std::string_view::npos ||
          std::count(text.begin(), text.end(), ':') == 7);
}

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

// The character that `text` begins with; nothing where its bytes are no UTF-8.
std::optional<Character> FirstCharacter(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (at(0) < 0x80) return Character{at(0), 1};
  const std::size_t bytes = at(0) >= 0xF0 ? 4 : at(0) >= 0xE0 ? 3 : 2;
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (at(0) < 0xC2 || at(0) > 0xF4 || text.size() < bytes) return std::nullopt;
  char32_t code = at(0) & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xC0) != 0x80) return std::nullopt;
    code = code << 6 | (at(i) & 0x3FU);
  }
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  if (code < kLeast[bytes] || code > 0x10FFFF || is_surrogate) return std::nullopt;
  return Character{code, bytes};
}

bool IsPlain(char32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool is_direction = code == 0x61C || code == 0x200E || code == 0x200F ||
                            (code >= 0x202A && code <= 0x202E) ||
                            (code >= 0x2066 && code <= 0x2069);
  return !is_control && !is_direction;
}

}  // namespace

bool LooksLikeId(std::string_view text) {
  return IsUuid(text) || IsLongHex(text) || IsEmail(text) || IsIpv4(text) || IsIpv6(text);
}

// Nearly all values are of printable ASCII alone.
bool IsPlainValue(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7F) {
      ++i;
      continue;
    }
    const std::optional<Character> character = FirstCharacter(text.substr(i));
    if (!character || !IsPlain(character->code)) return false;
    i += character->bytes;
  }
  return true;
}

std::string MakePlainValue(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::optional<Character> character = FirstCharacter(text);
    const std::size_t bytes = character ? character->bytes : 1;
    out.append(character && IsPlain(character->code) ? text.substr(0, bytes) : kReplacement);
    text.remove_prefix(bytes);
  }
  return out;
}

}  // namespace skep::ingest
