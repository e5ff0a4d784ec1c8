// A sum that remembers what rounding took away.
#pragma once

#include <cmath>

namespace skep {

// Neumaier's compensation: what rounding took away is kept in `lost`.
struct CompensatedSum {
  double sum = 0;
  double lost = 0;

  void Add(double x) {
    const double t = sum + x;
    if (std::isinf(t)) {
      lost = 0;
    } else if (std::fabs(sum) >= std::fabs(x)) {
      lost += (sum - t) + x;
    } else {
      lost += (x - t) + sum;
    }
    sum = t;
  }
  double total() const { return sum + lost; }
};

}  // namespace skep
