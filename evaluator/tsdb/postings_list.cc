#include "evaluator/tsdb/postings_list.h"

#include <algorithm>
#include <numeric>

namespace skep::tsdb {

void EncodePostings(std::span<const std::uint32_t> series, ByteWriter& out) {
  out.Varint(series.size());
  std::uint32_t last_end = 0;
  for (std::size_t i = 0; i < series.size();) {
    std::size_t end = i + 1;
    while (end < series.size() && series[end] == series[end - 1] + 1) ++end;
    const std::uint64_t distance = series[i] - last_end;
    const std::size_t length = end - i;
    out.Varint(2 * distance + (length > 1 ? 1 : 0));
    if (length > 1) out.Varint(length - 2);
    last_end = series[end - 1] + 1;
    i = end;
  }
}

bool PostingsRuns::Next() {
  if (left_ == 0 || !in_.ok()) return false;
  const std::uint64_t head = in_.Varint();
  const std::uint64_t room = limit_ - end_;
  const std::uint64_t distance = head / 2;
  std::uint64_t length = 1;
  if (head % 2 != 0) {
    const std::uint64_t more = in_.Varint();
    if (more > room) return in_.Fail(), false;
    length = more + 2;
  }
  if (!in_.ok() || distance > room || length > room - distance || length > left_) {
    return in_.Fail(), false;
  }
  begin_ = end_ + static_cast<std::uint32_t>(distance);
  end_ = begin_ + static_cast<std::uint32_t>(length);
  left_ -= length;
  return true;
}

bool AppendPostings(PostingsRuns list, Postings& out) {
  while (list.Next()) {
    const std::size_t before = out.size();
    out.resize(before + (list.end() - list.begin()));
    std::iota(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(), list.begin());
  }
  return list.ok();
}

namespace {

// The first candidate at or after `series`, looked for in steps that double: many candidates lie
// between two runs where the list is the shorter one.
std::uint32_t* Gallop(std::uint32_t* at, std::uint32_t* end, std::uint32_t series) {
  std::ptrdiff_t step = 1;
  while (end - at > step && at[step] < series) {
    at += step;
    step *= 2;
  }
  return std::lower_bound(at, std::min(end, at + step + 1), series);
}

}  // namespace

bool IntersectPostings(PostingsRuns list, Postings& candidates) {
  std::uint32_t* at = candidates.data();
  std::uint32_t* const end = at + candidates.size();
  std::uint32_t* kept = at;
  while (at != end && list.Next()) {
    at = Gallop(at, end, list.begin());
    while (at != end && *at < list.end()) *kept++ = *at++;
  }
  const bool whole = at == end || list.ok();
  candidates.resize(static_cast<std::size_t>(kept - candidates.data()));
  return whole;
}

bool SubtractPostings(PostingsRuns list, Postings& candidates) {
  std::uint32_t* at = candidates.data();
  std::uint32_t* const end = at + candidates.size();
  std::uint32_t* kept = at;
  while (at != end && list.Next()) {
    std::uint32_t* const from = Gallop(at, end, list.begin());
    kept = std::copy(at, from, kept);
    at = from;
    while (at != end && *at < list.end()) ++at;
  }
  const bool whole = at == end || list.ok();
  kept = std::copy(at, end, kept);
  candidates.resize(static_cast<std::size_t>(kept - candidates.data()));
  return whole;
}

}  // namespace skep::tsdb
