#include "exporter/logs/anonymize.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "common/base/ascii.h"

namespace skep::logs {
namespace {

bool IsWord(char c) { return IsDigit(c) || IsLetter(c) || c == '_'; }
bool IsAddressByte(char c) { return IsHexDigit(c) || c == ':' || c == '.'; }

void KeepBits(std::span<unsigned char> bytes, int bits) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int kept = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    bytes[i] = static_cast<unsigned char>(bytes[i] & (0xff00U >> kept));
  }
}

// The address cut to its network, in text.
template <int kFamily, std::size_t kBytes>
std::optional<std::string> Cut(std::string_view text, int bits) {
  std::array<char, INET6_ADDRSTRLEN + 1> copy{};
  if (text.size() >= copy.size()) return std::nullopt;
  std::memcpy(copy.data(), text.data(), text.size());
  std::array<unsigned char, kBytes> bytes{};
  if (inet_pton(kFamily, copy.data(), bytes.data()) != 1) return std::nullopt;
  KeepBits(bytes, bits);
  inet_ntop(kFamily, bytes.data(), copy.data(), copy.size());
  return std::string(copy.data());
}

// The length of "1.2.3.4" at the front of `text`, 0 where there is none.
std::size_t Ipv4Length(std::string_view text) {
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (at >= text.size() || text[at] != '.') return 0;
      ++at;
    }
    const std::size_t begin = at;
    while (at < text.size() && at - begin < 4 && IsDigit(text[at])) ++at;
    if (at == begin || at - begin > 3) return 0;
  }
  const bool more =
      at < text.size() &&
      (IsDigit(text[at]) || (text[at] == '.' && at + 1 < text.size() && IsDigit(text[at + 1])));
  return more ? 0 : at;
}

// Decimal numbers with leading zeros are no address for inet_pton but still tell one.
std::string CutIpv4(std::string_view text, int bits) {
  if (std::optional<std::string> cut = Cut<AF_INET, 4>(text, bits)) return *cut;
  return "0.0.0.0";
}

struct Address {
  std::size_t length;
  std::string cut;
};

// An address at the front of `text`, which begins a word.
std::optional<Address> AddressAt(std::string_view text, const AnonymizeOptions& options) {
  if (const std::size_t length = Ipv4Length(text); length > 0) {
    return Address{length, CutIpv4(text.substr(0, length), options.ipv4_bits)};
  }
  std::size_t length = 0;
  std::size_t colons = 0;
  while (length < text.size() && length < INET6_ADDRSTRLEN && IsAddressByte(text[length])) {
    colons += text[length] == ':' ? 1 : 0;
    ++length;
  }
  if (colons < 2) return std::nullopt;
  // A full stop or a colon may follow it, or a port: "fe80::1: refused", "::1.".
  for (; length > 2; --length) {
    std::optional<std::string> cut = Cut<AF_INET6, 16>(text.substr(0, length), options.ipv6_bits);
    if (cut) return Address{length, std::move(*cut)};
    if (text[length - 1] != ':' && text[length - 1] != '.') break;
  }
  return std::nullopt;
}

}  // namespace

void AppendAnonymized(std::string_view text, const AnonymizeOptions& options, std::string& out) {
  std::size_t copied = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const bool begins = at == 0 || !(IsWord(text[at - 1]) || text[at - 1] == '.');
    if (!begins || !(IsHexDigit(text[at]) || text[at] == ':')) {
      ++at;
      continue;
    }
    if (const std::optional<Address> address = AddressAt(text.substr(at), options)) {
      out.append(text.substr(copied, at - copied));
      out.append(address->cut);
      at += address->length;
      copied = at;
    } else {
      ++at;
    }
  }
  out.append(text.substr(copied));
}

}  // namespace skep::logs
