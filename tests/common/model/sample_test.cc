#include "common/model/sample.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using skep::IsStaleNaN;

TEST_CASE("The staleness marker keeps its bits on the way, other NaNs are none", "[sample]") {
  std::vector<skep::Sample> samples;
  for (int i = 0; i < 3; ++i) {
    skep::Sample sample{skep::FromMillis(i)};
    sample.value = i == 1 ? skep::kStaleNaN : 1.0 * i;
    samples.push_back(sample);
  }
  CHECK(IsStaleNaN(samples[1].value));
  CHECK(std::isnan(samples[1].value));
  CHECK_FALSE(IsStaleNaN(samples[2].value));
  CHECK_FALSE(IsStaleNaN(skep::kNormalNaN));
}
