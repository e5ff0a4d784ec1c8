#include "evaluator/tsdb/chunk_cut.h"

#include <algorithm>
#include <array>

namespace skep::tsdb {
namespace {

constexpr std::size_t kMaxSamples = kUsualChunkSamples + kSmallChunkSamples;
// So far apart any two times are another chunk's; it also keeps the arithmetic within 64 bits.
constexpr std::int64_t kMaxInterval = std::int64_t{1} << 40;

// The usual distance of two samples: the median of some, in whole seconds where it is more than
// one.
std::int64_t IntervalOf(std::span<const Timestamp> times) {
  std::array<std::int64_t, 31> distances{};
  const std::size_t pairs = times.size() - 1;
  const std::size_t looked_at = std::min(distances.size(), pairs);
  if (looked_at == 0) return 1;
  for (std::size_t i = 0; i < looked_at; ++i) {
    const std::size_t row = i * pairs / looked_at;
    const auto distance = static_cast<std::uint64_t>(ToMillis(times[row + 1])) -
                          static_cast<std::uint64_t>(ToMillis(times[row]));
    distances[i] = static_cast<std::int64_t>(std::min<std::uint64_t>(distance, kMaxInterval));
  }
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(looked_at / 2);
  std::nth_element(distances.begin(), middle,
                   distances.begin() + static_cast<std::ptrdiff_t>(looked_at));
  return *middle < 1000 ? *middle : (*middle + 500) / 1000 * 1000;
}

// The last millisecond of the grid's field that `time` lies in.
Timestamp EndOfField(Timestamp time, std::int64_t span) {
  const std::int64_t ms = ToMillis(time);
  const std::int64_t into = ms % span + (ms % span < 0 ? span : 0);
  const std::int64_t left = span - 1 - into;
  return left > ToMillis(kMaxTimestamp) - std::max<std::int64_t>(ms, 0) ? kMaxTimestamp
                                                                        : FromMillis(ms + left);
}

}  // namespace

void CutIntoChunks(std::span<const Timestamp> times, std::vector<std::uint32_t>& ends) {
  ends.clear();
  const std::int64_t span = IntervalOf(times) * kUsualChunkSamples;
  for (std::size_t begin = 0, end = 0; begin < times.size(); begin = end) {
    const auto limit = times.subspan(0, std::min(times.size(), begin + kMaxSamples));
    end = begin;
    while (end < limit.size() && end - begin < kSmallChunkSamples) {
      const auto rest = limit.subspan(end);
      const auto stop = std::upper_bound(rest.begin(), rest.end(), EndOfField(rest.front(), span));
      end += static_cast<std::size_t>(stop - rest.begin());
    }
    ends.push_back(static_cast<std::uint32_t>(end));
  }
}

}  // namespace skep::tsdb
