#include "tests/support/promql_oracle/random_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace skep::oracle {

RandomHistogram::RandomHistogram(Random& random, Kind kind) : random_(random), kind_(kind) {
  Begin();
}

Native RandomHistogram::Next() {
  const bool forgets = kind_ == Kind::kGauge || kind_ == Kind::kAny;
  if (random_.OneIn(forgets ? 1 : 25)) Begin();
  if (!now_.custom() && random_.OneIn(25)) now_ = Coarsened(now_, now_.schema - 1);
  if (!now_.custom() && random_.OneIn(25)) WidenZero();
  for (std::uint64_t left = random_.Below(8); left > 0; --left) Observe();
  now_.gauge = kind_ == Kind::kGauge;
  return now_;
}

void RandomHistogram::Begin() {
  now_ = Native();
  const bool custom = kind_ == Kind::kCustomCounter || (kind_ == Kind::kAny && random_.OneIn(3));
  if (custom) BeginCustom();
  if (!custom) BeginExponential();
}

void RandomHistogram::BeginCustom() {
  static const std::vector<double> kBounds[] = {
      {0.1, 0.5, 1, 5}, {0.1, 0.5, 1, 5}, {0.5, 1, 2, 5}, {1}, {0, 1, 3}};
  now_.schema = kCustomBucketsSchema;
  now_.bounds = random_.Of(kBounds);
}

void RandomHistogram::BeginExponential() {
  now_.schema = static_cast<int>(random_.Between(0, 2));
  constexpr double kThresholds[] = {0, 0.001, 0.001, 0.125};
  now_.zero_threshold = random_.Of(kThresholds);
}

void RandomHistogram::Observe() {
  const auto times = static_cast<double>(random_.Between(1, 4));
  now_.count += times;
  if (random_.OneIn(150)) {
    now_.sum = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  if (now_.custom()) {
    const auto bucket = static_cast<int>(random_.Below(now_.bounds.size() + 1));
    now_.positive[bucket] += times;
    now_.sum += times * static_cast<double>(bucket + 1) / 2;
    return;
  }
  if (random_.OneIn(6)) {
    now_.zero_count += times;
    return;
  }
  // Above the zero bucket: from 1/4 on, or from the octave behind a wider one.
  const double low = std::max(-2.0, std::ceil(std::log2(std::max(now_.zero_threshold, 0.125))));
  const double octave = low + static_cast<double>(random_.Between(0, 5)) + random_.Fraction();
  const int index = static_cast<int>(std::floor(octave * std::exp2(now_.schema))) + 1;
  const bool negative = random_.OneIn(5);
  (negative ? now_.negative : now_.positive)[index] += times;
  now_.sum += (negative ? -times : times) * std::exp2(octave);
}

// To the end of an octave, where a bucket of every schema above zero ends.
void RandomHistogram::WidenZero() {
  if (now_.schema < 0) return;
  constexpr double kThresholds[] = {0.25, 0.5, 1};
  const double threshold = random_.Of(kThresholds);
  if (threshold <= now_.zero_threshold) return;
  now_.zero_threshold = threshold;
  const double last = std::log2(threshold) * std::exp2(now_.schema);
  for (auto* side : {&now_.positive, &now_.negative}) {
    while (!side->empty() && side->begin()->first <= last) {
      now_.zero_count += side->begin()->second;
      side->erase(side->begin());
    }
  }
}

}  // namespace skep::oracle
