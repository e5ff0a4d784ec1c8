// The sums and quantiles that the definitions of PromQL speak of, each in the plainest way.
#pragma once

#include <vector>

namespace skep::oracle {

// Neumaier's sum: what rounding takes away is added at the end. An infinite sum stays what it is.
class PreciseSum {
 public:
  explicit PreciseSum(double first = 0) : sum_(first) {}
  PreciseSum(double sum, double lost) : sum_(sum), lost_(lost) {}

  void Add(double x);
  double sum() const { return sum_; }
  double lost() const { return lost_; }
  double total() const { return sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

// In the order given. Requires: not empty.
double Sum(const std::vector<double>& values);
// sum / count; where the sum would become infinite, a running mean from there on.
double Mean(const std::vector<double>& values);

// The value at rank q * (n - 1) of the sorted values (NaN lowest), between two of them by weight.
// -Inf for q < 0, +Inf for q > 1, NaN for NaN. Requires: not empty.
double Quantile(double q, std::vector<double> values);

// Go's math.Min and math.Max: NaN wins, but an infinity on its side wins over NaN.
double Smaller(double a, double b);
double Larger(double a, double b);

}  // namespace skep::oracle
