#include "exporter/ingest/otlp_stream_key.h"

#include <array>
#include <bit>
#include <cstring>

namespace skep::ingest {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15ULL;
constexpr std::uint64_t kSecond = 0xc2b2ae3d27d4eb4fULL;
constexpr std::uint64_t kThird = 0x165667b19e3779f9ULL;

// One multiplication for eight bytes. The high lane carries the mixing, the low one a sum of its
// own that takes from it.
StreamKey Mix(StreamKey key, std::uint64_t word) {
  const auto product = static_cast<Wide>(key.high ^ word) * kFirst;
  key.high = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  key.low = std::rotl(key.low ^ word, 29) + key.high;
  return key;
}

// So that each bit of either lane depends on all of both.
StreamKey Finish(StreamKey key) {
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const std::uint64_t high = fold(key.high ^ kSecond, key.low | 1);
  return {high ^ key.low, fold(key.low ^ kThird, kFirst) + key.high};
}

StreamKey MixBytes(StreamKey key, std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t word = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::memcpy(&word, at, 8);
    key = Mix(key, word);
  }
  word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  // The length tells apart what zeros at the end would not.
  return Mix(Mix(key, word), bytes.size());
}

StreamKey HashOfOne(const Attribute& attribute, std::uint64_t seed) {
  const AttributeValue& value = attribute.value;
  StreamKey key = MixBytes(MixBytes({seed, kThird}, attribute.key), value.text());
  key = Mix(key, static_cast<std::uint64_t>(value.integer()));
  key = Mix(key, std::bit_cast<std::uint64_t>(value.number()));
  return Finish(Mix(key, static_cast<std::uint64_t>(value.kind()) + kThird));
}

}  // namespace

StreamKey HashOf(std::string_view bytes, std::uint64_t seed) {
  return Finish(MixBytes({seed, kThird}, bytes));
}

StreamKey DigestOf(std::string_view bytes, std::uint64_t seed) {
  constexpr std::size_t kLanes = 4;
  std::array<StreamKey, kLanes> lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = {seed + i, kThird};
  for (; bytes.size() >= 8 * kLanes; bytes.remove_prefix(8 * kLanes)) {
    std::array<std::uint64_t, kLanes> words;
    std::memcpy(words.data(), bytes.data(), sizeof words);
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = Mix(lanes[i], words[i]);
  }
  StreamKey key = MixBytes(lanes[0], bytes);
  for (std::size_t i = 1; i < kLanes; ++i) key = Combine(key, lanes[i]);
  return Finish(key);
}

StreamKey HashOf(Attributes attributes, std::uint64_t seed) {
  StreamKey sum{seed, attributes.size()};
  for (const Attribute& attribute : attributes) sum += HashOfOne(attribute, seed);
  return sum;
}

StreamKey Combine(const StreamKey& a, const StreamKey& b) {
  return Finish(Mix(Mix(a, b.high), b.low));
}

}  // namespace skep::ingest
