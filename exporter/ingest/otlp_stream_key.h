// What tells one OTLP stream from all others, in 16 bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "exporter/ingest/otlp_model.h"

namespace skep::ingest {

// A hash that is kept on disk, so its rule must not change: two 64-bit lanes, wide enough that two
// of a hundred million streams meet once in 10^22 tries. Not for input that wants to collide: who
// may push may also push wrong numbers.
struct StreamKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const StreamKey&) const = default;

  // Order does not matter: what is added is a set.
  StreamKey& operator+=(const StreamKey& other) {
    high += other.high;
    low += other.low;
    return *this;
  }
};

StreamKey HashOf(std::string_view bytes, std::uint64_t seed);
// Of the set of attributes, in any order.
StreamKey HashOf(Attributes attributes, std::uint64_t seed);
// Of a whole request, for which HashOf takes too long: four lanes side by side. Also on disk; a
// change of this rule costs no more than replays over the change being counted.
StreamKey DigestOf(std::string_view bytes, std::uint64_t seed);
// All bits of both, in this order.
StreamKey Combine(const StreamKey& a, const StreamKey& b);

}  // namespace skep::ingest
