#include "exporter/state/label_text.h"

#include <algorithm>
#include <cstring>

#include "common/base/quote.h"
#include "common/model/labels.h"

namespace skep::state {
namespace {

char* AppendRaw(char* at, std::string_view bytes) {
  std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

// Whether one of eight bytes is `byte`; the trick of zero bytes (Hacker's Delight, 6-1).
bool HasByte(std::uint64_t word, char byte) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t zeros = word ^ (kOnes * static_cast<unsigned char>(byte));
  return ((zeros - kOnes) & ~zeros & (kOnes << 7)) != 0;
}

char* AppendEscaped(char* at, std::string_view value) {
  for (; value.size() >= 8; value.remove_prefix(8), at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, value.data(), 8);
    if (HasByte(word, '"') || HasByte(word, '\\') || HasByte(word, '\n')) break;
    std::memcpy(at, &word, 8);
  }
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      *at++ = '\\';
      *at++ = c;
    } else if (c == '\n') {
      *at++ = '\\';
      *at++ = 'n';
    } else {
      *at++ = c;
    }
  }
  return at;
}

// Length of the UTF-8 character at the front of `text`, or 0 where there is none.
std::size_t CharacterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (text.size() < length || !IsUtf8(text.substr(0, length))) return 0;
  return length;
}

// The end of the value whose first byte is at `begin`: where its closing quote stands.
std::size_t EndOfValue(std::string_view text, std::size_t begin) {
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

bool AreGoodEscapes(std::string_view value) {
  for (std::size_t i = value.find('\\'); i != std::string_view::npos; i = value.find('\\', i + 2)) {
    if (i + 1 == value.size()) return false;
    const char c = value[i + 1];
    if (c != '\\' && c != '"' && c != 'n') return false;
  }
  return true;
}

}  // namespace

// Written by pointer into room that is surely enough: each change of a value comes through here,
// and piecewise appending took three times as long.
void RenderLabelText(LabelsView labels, std::string& out) {
  std::size_t bound = 0;
  for (const auto& [name, value] : labels) bound += name.size() + 2 * value.size() + 4;
  if (out.size() < bound) out.resize(bound);
  char* at = out.data();
  for (const auto& [name, value] : labels) {
    if (at != out.data()) *at++ = ',';
    at = AppendRaw(at, name);
    *at++ = '=';
    *at++ = '"';
    at = AppendEscaped(at, value);
    *at++ = '"';
  }
  out.resize(static_cast<std::size_t>(at - out.data()));
}

bool AreGoodLabels(LabelsView labels, Le le) {
  std::string_view previous;
  for (const auto& [name, value] : labels) {
    if (value.empty() || name <= previous || name.starts_with("__")) return false;
    if (!IsLegacyLabelName(name) || (le == Le::kReserved && name == "le")) return false;
    previous = name;
  }
  return true;
}

bool IsGoodLabelText(std::string_view text, Le le) {
  std::vector<TextLabel> labels;
  if (!IsUtf8(text) || text.find('\n') != std::string_view::npos) return false;
  if (!SplitLabelText(text, labels)) return false;
  std::vector<LabelView> pairs;
  for (const auto& [name, value] : labels) {
    if (!AreGoodEscapes(value)) return false;
    pairs.emplace_back(name, value);
  }
  return AreGoodLabels(pairs, le);
}

bool IsCleanValue(std::string_view value) {
  return value.size() <= kMaxValueBytes && IsUtf8(value);
}

std::string CleanValue(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const std::size_t length = CharacterLength(value);
    const std::string_view piece = length == 0 ? "\xef\xbf\xbd" : value.substr(0, length);
    if (out.size() + piece.size() > kMaxValueBytes) break;
    out.append(piece);
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

bool SplitLabelText(std::string_view text, std::vector<TextLabel>& out) {
  out.clear();
  while (!text.empty()) {
    const std::size_t equals = text.find("=\"");
    if (equals == std::string_view::npos) return false;
    const std::size_t end = EndOfValue(text, equals + 2);
    if (end == std::string_view::npos) return false;
    out.push_back({text.substr(0, equals), text.substr(equals + 2, end - equals - 2)});
    text.remove_prefix(end + 1);
    if (text.empty()) return true;
    if (text[0] != ',' || text.size() == 1) return false;
    text.remove_prefix(1);
  }
  return true;
}

}  // namespace skep::state
