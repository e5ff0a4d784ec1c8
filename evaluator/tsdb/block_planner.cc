#include "evaluator/tsdb/block_planner.h"

#include <algorithm>
#include <chrono>
#include <map>

namespace skep::tsdb {
namespace {

using std::chrono::hours;

constexpr hours kTwoHours{2};
constexpr hours kDay{24};
constexpr hours kTenDays{10 * 24};
constexpr std::size_t kMany = 8;

std::int64_t SpanNumber(Timestamp time, Duration span) {
  const std::int64_t millis = ToMillis(time);
  return millis / span.count() - (millis % span.count() < 0 ? 1 : 0);
}

bool IsWorthIt(std::span<const PlannedBlock> blocks, const std::vector<std::size_t>& some) {
  std::uint64_t all = 0, largest = 0;
  bool all_settled = true;
  for (const std::size_t at : some) {
    all += blocks[at].samples;
    largest = std::max(largest, blocks[at].samples);
    all_settled = all_settled && blocks[at].is_settled;
  }
  return some.size() >= kMany || (all - largest) * 4 >= largest || all_settled;
}

bool ShareTime(const PlannedBlock& a, const PlannedBlock& b) {
  return a.span.min <= b.span.max && b.span.min <= a.span.max;
}

// Those of `some`, which rise, that no newer block outside of them holds back.
std::vector<std::size_t> Movable(std::span<const PlannedBlock> blocks,
                                 const std::vector<std::size_t>& some) {
  std::vector<std::size_t> kept;  // falling
  for (auto at = some.rbegin(); at != some.rend(); ++at) {
    bool is_held = false;
    for (std::size_t newer = *at + 1; newer < blocks.size() && !is_held; ++newer) {
      is_held =
          ShareTime(blocks[*at], blocks[newer]) && std::ranges::find(kept, newer) == kept.end();
    }
    if (!is_held) kept.push_back(*at);
  }
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace

std::vector<Duration> MergeSpans(Duration retention) {
  std::vector<Duration> spans = {kTwoHours};
  if (retention == Duration{} || retention >= 5 * kDay) spans.push_back(kDay);
  if (retention == Duration{} || retention >= 10 * kTenDays) spans.push_back(kTenDays);
  return spans;
}

std::vector<std::size_t> PlanMerge(std::span<const PlannedBlock> blocks, Timestamp complete,
                                   std::span<const Duration> spans) {
  for (const Duration span : spans) {
    std::map<std::int64_t, std::vector<std::size_t>> by_number;
    for (std::size_t at = 0; at < blocks.size(); ++at) {
      if (blocks[at].is_damaged) continue;
      const std::int64_t number = SpanNumber(blocks[at].span.min, span);
      const bool is_inside = SpanNumber(blocks[at].span.max, span) == number;
      const bool is_complete = number < SpanNumber(complete, span);
      if (is_inside && is_complete) by_number[number].push_back(at);
    }
    for (const auto& [number, all] : by_number) {
      std::vector<std::size_t> some = Movable(blocks, all);
      if (some.size() > 1 && IsWorthIt(blocks, some)) return some;
    }
  }
  return {};
}

}  // namespace skep::tsdb
