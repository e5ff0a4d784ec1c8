#include "evaluator/tsdb/series_pairs.h"

#include <algorithm>
#include <array>

namespace skep::tsdb {
namespace {

constexpr std::size_t kMaxKeptLast = 3;

// What `pairs[place]` is counted from.
std::uint32_t BaseAt(std::size_t place, std::span<const std::uint32_t> before,
                     std::span<const std::uint32_t> pairs) {
  if (place < before.size()) return before[place] + 1;
  return place == 0 ? 0 : pairs[place - 1] + 1;
}

}  // namespace

void EncodeSeriesPairs(std::span<const std::uint32_t> before, std::span<const std::uint32_t> pairs,
                       ByteWriter& out) {
  const std::size_t shorter = std::min(before.size(), pairs.size());
  std::size_t first = 0;
  while (first < shorter && before[first] == pairs[first]) ++first;
  const std::size_t most = std::min(kMaxKeptLast, shorter - first);
  std::size_t last = 0;
  while (last < most && before[before.size() - 1 - last] == pairs[pairs.size() - 1 - last]) ++last;
  const std::size_t own = pairs.size() - first - last;
  out.Varint(first);
  out.Varint(4 * own + last);
  if (own == 0) return;
  out.Varint(pairs[first] - BaseAt(first, before, pairs));
  for (std::size_t i = first + 1; i < first + own; ++i) out.Varint(pairs[i] - pairs[i - 1] - 1);
}

bool DecodeSeriesPairs(ByteReader& in, std::uint32_t limit, PairList& pairs) {
  const std::uint64_t first = in.Varint();
  const std::uint64_t head = in.Varint();
  const std::uint64_t own = head / 4;
  const std::size_t last = head % 4;
  if (first > pairs.size() || last > pairs.size() - first || own > in.left()) return false;
  std::array<std::uint32_t, kMaxKeptLast> kept{};
  std::copy(pairs.end() - static_cast<std::ptrdiff_t>(last), pairs.end(), kept.begin());
  std::uint64_t next = BaseAt(static_cast<std::size_t>(first), pairs, pairs);
  pairs.resize(static_cast<std::size_t>(first));
  for (std::uint64_t i = 0; i < own; ++i) {
    const std::uint64_t distance = in.Varint();
    if (distance >= limit || next + distance >= limit) return false;
    pairs.push_back(static_cast<std::uint32_t>(next + distance));
    next += distance + 1;
  }
  pairs.insert(pairs.end(), kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(last));
  return in.ok();
}

Status SeriesPairsWalk::Go(std::uint32_t series) {
  const std::uint32_t group = series / kSeriesPerGroup;
  if (group != begun_ || series < next_) {
    const std::uint64_t at = from_->directory[group];
    if (at > from_->groups.size()) {
      begun_ = ~0U;
      return from_->file->Damaged(from_->groups.data(), "labels of series stand nowhere");
    }
    in_ = ByteReader(from_->groups.substr(static_cast<std::size_t>(at)));
    pairs_.clear();
    begun_ = group;
    next_ = group * kSeriesPerGroup;
  }
  for (; next_ <= series; ++next_) {
    const char* const at = in_.at();
    if (DecodeSeriesPairs(in_, from_->pair_limit, pairs_)) continue;
    begun_ = ~0U;
    return from_->file->Damaged(at, "labels of a series are none");
  }
  return {};
}

}  // namespace skep::tsdb
