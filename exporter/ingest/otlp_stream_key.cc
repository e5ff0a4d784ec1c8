#include "exporter/ingest/otlp_stream_key.h"

#include <bit>
#include <cstring>

namespace skep::ingest {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15ULL;
constexpr std::uint64_t kSecond = 0xc2b2ae3d27d4eb4fULL;
constexpr std::uint64_t kThird = 0x165667b19e3779f9ULL;

std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

StreamKey Mix(StreamKey key, std::uint64_t word) {
  key.high = Fold(key.high ^ word, kFirst) + word;
  key.low = Fold(key.low + word, kSecond) ^ std::rotl(key.high, 23);
  return key;
}

StreamKey HashOfOne(const Attribute& attribute, std::uint64_t seed) {
  const AttributeValue& value = attribute.value;
  StreamKey key = HashOf(attribute.key, seed);
  if (!value.text().empty()) key = Combine(key, HashOf(value.text(), seed));
  key = Mix(key, static_cast<std::uint64_t>(value.integer()));
  key = Mix(key, std::bit_cast<std::uint64_t>(value.number()));
  return Mix(key, static_cast<std::uint64_t>(value.kind()) + kThird);
}

}  // namespace

StreamKey HashOf(std::string_view bytes, std::uint64_t seed) {
  StreamKey key{seed ^ kThird, bytes.size() ^ kFirst};
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t word = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::memcpy(&word, at, 8);
    key = Mix(key, word);
  }
  word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  return Mix(key, word ^ kThird);
}

StreamKey HashOf(Attributes attributes, std::uint64_t seed) {
  StreamKey sum{seed, attributes.size()};
  for (const Attribute& attribute : attributes) sum += HashOfOne(attribute, seed);
  return sum;
}

StreamKey Combine(const StreamKey& a, const StreamKey& b) { return Mix(Mix(a, b.high), b.low); }

}  // namespace skep::ingest
