#include "evaluator/engine/float_math.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

namespace skep::engine {
namespace {

// Two places in the order of all values: `upper` is `lower` or the one behind it.
struct Places {
  std::size_t lower = 0;
  std::size_t upper = 0;
};

// The values that a sort would bring there.
using AtPlaces = std::pair<double, double>;

template <typename Before>
AtPlaces NthAndNext(std::span<double> values, Places places, Before before) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(places.lower);
  std::nth_element(values.begin(), nth, values.end(), before);
  if (places.upper == places.lower) return {*nth, *nth};
  return {*nth, *std::min_element(nth + 1, values.end(), before)};
}

// Values between which the places lie, but for bad luck.
struct Bracket {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

constexpr std::size_t kSampled = 128;
constexpr std::size_t kManyValues = 8 * kSampled;

// From every n-th value. None where one of them is NaN. Requires: kSampled values at least.
std::optional<Bracket> SampleBracket(std::span<const double> values, std::size_t place) {
  std::array<double, kSampled> sample;
  const std::size_t stride = values.size() / kSampled;
  for (std::size_t i = 0; i < kSampled; ++i) sample[i] = values[i * stride];
  if (std::ranges::any_of(sample, [](double v) { return v != v; })) return std::nullopt;
  std::ranges::sort(sample);
  const double part = static_cast<double>(place) / static_cast<double>(values.size());
  const double middle = part * kSampled;
  const double reach = 3 * std::sqrt(middle * (1 - part)) + 1;  // three standard deviations
  Bracket bracket;
  if (middle >= reach) bracket.low = sample[static_cast<std::size_t>(middle - reach)];
  const auto above = static_cast<std::size_t>(middle + reach) + 1;
  if (above < kSampled) bracket.high = sample[above];
  return bracket;
}

// Of many values only those in a bracket, some eighth of them, are put in order: a pass without
// branches over all and nth_element over those takes half the time of nth_element over all. None
// where the bracket misses or there is a NaN.
std::optional<AtPlaces> InBracket(std::span<const double> values, Places places,
                                  std::vector<double>& scratch) {
  const std::optional<Bracket> bracket = SampleBracket(values, places.lower);
  if (!bracket) return std::nullopt;
  if (scratch.size() < values.size()) scratch.resize(values.size());
  double* const kept = scratch.data();
  std::size_t below = 0;
  std::size_t inside = 0;
  std::size_t numbers = 0;
  for (const double value : values) {
    kept[inside] = value;
    below += value < bracket->low ? 1 : 0;
    inside += static_cast<unsigned>(value >= bracket->low) &
              static_cast<unsigned>(value <= bracket->high);
    numbers += value == value ? 1 : 0;
  }
  if (numbers < values.size() || places.lower < below || places.upper >= below + inside) {
    return std::nullopt;
  }
  return NthAndNext(std::span(scratch).first(inside), {places.lower - below, places.upper - below},
                    std::less<>());
}

AtPlaces Find(std::span<const double> values, Places places, std::vector<double>& scratch) {
  if (values.size() >= kManyValues) {
    if (const auto found = InBracket(values, places, scratch)) return *found;
  }
  scratch.assign(values.begin(), values.end());
  // Comparing without a look for NaN takes half the time.
  return std::any_of(values.begin(), values.end(), [](double v) { return v != v; })
             ? NthAndNext(scratch, places, NanFirst)
             : NthAndNext(scratch, places, std::less<>());
}

}  // namespace

double Quantile(double q, std::span<const double> values, std::vector<double>& scratch) {
  if (values.empty() || std::isnan(q)) return kNormalNaN;
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<std::size_t>(rank);
  const auto [low, high] = Find(values, {lower, std::min(values.size() - 1, lower + 1)}, scratch);
  const double weight = rank - std::floor(rank);
  return low * (1 - weight) + high * weight;
}

}  // namespace skep::engine
