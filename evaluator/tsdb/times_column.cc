#include "evaluator/tsdb/times_column.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "evaluator/tsdb/bit_packing.h"
#include "evaluator/tsdb/times_format.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kSegmentBits = 40;         // about what a segment costs beside its residuals
constexpr std::uint64_t kMaxInterval = 1 << 30;  // ms; longer ones are not taken for a rhythm
constexpr std::size_t kLeastSplit = 32;          // shorter runs are not split
constexpr unsigned kMaxSplits = 6;               // of the run, its parts, and theirs
constexpr std::size_t kDenseBits = 8;            // a sample: more, and splitting is tried

std::uint64_t Bits(Timestamp time) { return static_cast<std::uint64_t>(ToMillis(time)); }

// The middle distance; 0 where it is too long for a rhythm.
std::uint64_t MedianInterval(std::span<const Timestamp> times) {
  std::vector<std::uint64_t> intervals;
  intervals.reserve(times.size() - 1);
  for (std::size_t i = 1; i < times.size(); ++i) {
    intervals.push_back(Bits(times[i]) - Bits(times[i - 1]));
  }
  const auto middle = intervals.begin() + static_cast<std::ptrdiff_t>(intervals.size() / 2);
  std::nth_element(intervals.begin(), middle, intervals.end());
  return *middle <= kMaxInterval ? *middle : 0;
}

// The mean step over all of the run but its gaps, so that jitter at single samples does not tilt
// the line. Whole milliseconds where that misses nothing.
std::uint64_t Slope(std::span<const Timestamp> times) {
  if (times.size() < 2) return 0;
  const std::uint64_t median = MedianInterval(times);
  if (median == 0) return 0;
  std::uint64_t elapsed = 0;
  std::uint64_t steps = 0;  // the median is one of them
  for (std::size_t i = 1; i < times.size(); ++i) {
    const std::uint64_t interval = Bits(times[i]) - Bits(times[i - 1]);
    if (interval > median + median / 2 || interval < median / 2) continue;
    elapsed += interval;
    ++steps;
  }
  if (steps == 0) return 0;
  const std::uint64_t whole = (elapsed + steps / 2) / steps;
  const std::uint64_t missed =
      whole * steps > elapsed ? whole * steps - elapsed : elapsed - whole * steps;
  if (missed <= 16) return whole * kSlopeUnit;
  return elapsed * kSlopeUnit / steps;
}

// A part of the run, and between which residuals from one line through all of it lies.
struct Piece {
  std::size_t begin = 0;
  std::size_t length = 0;
  std::int64_t low = 0;
  std::int64_t high = 0;

  unsigned width() const {
    return PackedWidth(static_cast<unsigned>(
        std::bit_width(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low))));
  }
  std::size_t bits() const { return kSegmentBits + length * width(); }
  void Add(std::int64_t residual) {
    ++length;
    low = std::min(low, residual);
    high = std::max(high, residual);
  }
};

struct Cut {
  std::vector<Piece> pieces;
  std::size_t bits = 0;
};

// Pieces as long as residuals of `width` bits let them be.
Cut CutByWidth(std::span<const std::int64_t> residuals, unsigned width) {
  Cut cut;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    if (i > 0) {
      Piece grown = cut.pieces.back();
      grown.Add(residuals[i]);
      if (grown.width() <= width) {
        cut.pieces.back() = grown;
        continue;
      }
    }
    cut.pieces.push_back({i, 1, residuals[i], residuals[i]});
  }
  for (const Piece& piece : cut.pieces) cut.bits += piece.bits();
  return cut;
}

// Jitter decides the width: a narrow one cuts at every late scrape, a wide one costs every sample.
Cut CheapestCut(std::span<const Timestamp> times, std::uint64_t slope) {
  std::vector<std::int64_t> residuals(times.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    residuals[i] = static_cast<std::int64_t>(Bits(times[i]) - LineAt(Bits(times[0]), slope, i));
  }
  Cut best = CutByWidth(residuals, 0);
  for (const unsigned width : {1U, 2U, 3U, 4U, 5U, 6U, 8U, 10U, 13U, 16U, 20U, 64U}) {
    if (best.pieces.size() == 1) break;
    Cut cut = CutByWidth(residuals, width);
    if (cut.bits < best.bits) best = std::move(cut);
  }
  return best;
}

class Writer {
 public:
  Writer(std::uint64_t first, std::string& out) : expected_(first), out_(out) {}

  void Append(std::span<const Timestamp> times, std::uint64_t slope) {
    residuals_.resize(times.size());
    std::uint64_t lowest = Bits(times[0]);
    for (std::size_t i = 1; i < times.size(); ++i) {
      const std::uint64_t origin = Bits(times[i]) - LineAt(0, slope, i);
      if (static_cast<std::int64_t>(origin) < static_cast<std::int64_t>(lowest)) lowest = origin;
    }
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      residuals_[i] = Bits(times[i]) - LineAt(lowest, slope, i);
      all |= residuals_[i];
    }
    const unsigned width = PackedWidth(static_cast<unsigned>(std::bit_width(all)));
    AppendHeader(times.size(), width, slope);
    AppendOrigin(lowest);
    Pack(residuals_, width, out_);
    expected_ = LineAt(lowest, slope, times.size());
  }

 private:
  void AppendHeader(std::size_t length, unsigned width, std::uint64_t slope) {
    const bool own = slope != slope_;
    AppendVarint(out_, length - 1);
    out_.push_back(
        static_cast<char>((width == 64 ? kTimeWidthCode64 : width) | (own ? kOwnSlope : 0U)));
    if (own) AppendVarint(out_, slope);
    slope_ = slope;
  }
  void AppendOrigin(std::uint64_t origin) {
    AppendSigned(out_, static_cast<std::int64_t>(origin - expected_));
  }

  std::uint64_t expected_;
  std::uint64_t slope_ = 0;
  std::string& out_;
  std::vector<std::uint64_t> residuals_;
};

// Parts of the run, each along a line.
struct Plan {
  struct Part {
    std::span<const Timestamp> times;
    std::uint64_t slope;
  };
  std::vector<Part> parts;
  std::size_t bits = 0;
};

// Where another rhythm may begin: beside the longest piece if it is long, else in the middle.
std::size_t SplitPoint(const Cut& cut, std::size_t size) {
  const auto longest =
      std::max_element(cut.pieces.begin(), cut.pieces.end(),
                       [](const Piece& a, const Piece& b) { return a.length < b.length; });
  if (longest->length < size / 8 || longest->length == size) return size / 2;
  return longest->begin > 0 ? longest->begin : longest->length;
}

// A run whose residuals are wide is tried in two parts, each with a slope of its own.
Plan MakePlan(std::span<const Timestamp> times, unsigned splits) {
  const std::uint64_t slope = Slope(times);
  const Cut cut = CheapestCut(times, slope);
  Plan plan;
  plan.bits = cut.bits + kSegmentBits;
  for (const Piece& piece : cut.pieces) {
    plan.parts.push_back({times.subspan(piece.begin, piece.length), slope});
  }
  if (splits == 0 || times.size() < kLeastSplit || plan.bits <= kDenseBits * times.size()) {
    return plan;
  }
  const std::size_t point = SplitPoint(cut, times.size());
  Plan left = MakePlan(times.first(point), splits - 1);
  Plan right = MakePlan(times.subspan(point), splits - 1);
  if (left.bits + right.bits >= plan.bits) return plan;
  left.parts.insert(left.parts.end(), right.parts.begin(), right.parts.end());
  left.bits += right.bits;
  return left;
}

}  // namespace

void EncodeTimes(std::span<const Timestamp> times, std::string& out) {
  assert(!times.empty() && times.size() <= kMaxChunkSamples);
  AppendVarint(out, times.size());
  AppendSigned(out, ToMillis(times.front()));
  Writer writer(Bits(times.front()), out);
  for (const Plan::Part& part : MakePlan(times, kMaxSplits).parts)
    writer.Append(part.times, part.slope);
}

}  // namespace skep::tsdb
