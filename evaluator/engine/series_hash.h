// The hash by which limit_ratio() samples series: Prometheus's, so that both take the same ones.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/model/labels.h"

namespace skep::engine {

// XXH64 with seed 0.
std::uint64_t XxHash64(std::string_view bytes);

// The hash of the label set in [0, 1].
double RatioOffset(const Labels& labels);

}  // namespace skep::engine
