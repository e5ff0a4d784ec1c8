#include "evaluator/engine/series_hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

namespace skep::engine {
namespace {

constexpr std::uint64_t kPrime1 = 11400714785074694791ULL;
constexpr std::uint64_t kPrime2 = 14029467366897019727ULL;
constexpr std::uint64_t kPrime3 = 1609587929392839161ULL;
constexpr std::uint64_t kPrime4 = 9650029242287828579ULL;
constexpr std::uint64_t kPrime5 = 2870177450012600261ULL;

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

std::uint64_t Round(std::uint64_t lane, std::uint64_t input) {
  return std::rotl(lane + input * kPrime2, 31) * kPrime1;
}

std::uint64_t Merge(std::uint64_t hash, std::uint64_t lane) {
  return (hash ^ Round(0, lane)) * kPrime1 + kPrime4;
}

// The 32-byte blocks at the beginning; moves `at` behind them.
std::uint64_t HashBlocks(const char*& at, std::size_t& left) {
  std::array<std::uint64_t, 4> lanes{kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
  for (; left >= 32; left -= 32) {
    for (std::uint64_t& lane : lanes) {
      lane = Round(lane, Load<std::uint64_t>(at));
      at += 8;
    }
  }
  std::uint64_t hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
                       std::rotl(lanes[3], 18);
  for (const std::uint64_t lane : lanes) hash = Merge(hash, lane);
  return hash;
}

// As Prometheus's `stringlabels` keep a length: one byte, or 255 and three.
void AppendText(std::string& out, std::string_view text) {
  const std::size_t n = text.size();
  if (n < 255) {
    out.push_back(static_cast<char>(n));
  } else {
    out.push_back(static_cast<char>(255));
    for (const unsigned shift : {0U, 8U, 16U}) out.push_back(static_cast<char>(n >> shift));
  }
  out.append(text);
}

}  // namespace

std::uint64_t XxHash64(std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t hash = left >= 32 ? HashBlocks(at, left) : kPrime5;
  hash += bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    hash = std::rotl(hash ^ Round(0, Load<std::uint64_t>(at)), 27) * kPrime1 + kPrime4;
  }
  if (left >= 4) {
    hash = std::rotl(hash ^ (Load<std::uint32_t>(at) * kPrime1), 23) * kPrime2 + kPrime3;
    at += 4;
    left -= 4;
  }
  for (; left > 0; --left, ++at) {
    hash = std::rotl(hash ^ (static_cast<unsigned char>(*at) * kPrime5), 11) * kPrime1;
  }
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

double RatioOffset(const Labels& labels) {
  std::string bytes;
  for (const LabelView& label : labels) {
    AppendText(bytes, label.name);
    AppendText(bytes, label.value);
  }
  return static_cast<double>(XxHash64(bytes)) /
         static_cast<double>(std::numeric_limits<std::uint64_t>::max());
}

}  // namespace skep::engine
