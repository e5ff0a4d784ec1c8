// Native histograms for random data.
#pragma once

#include "tests/support/promql_oracle/native.h"
#include "tests/support/promql_oracle/random.h"

namespace skep::oracle {

// The histograms of one series, one after another. Thread-compatible; `random` outlives it.
class RandomHistogram {
 public:
  enum class Kind { kCounter, kGauge, kCustomCounter, kAny };

  RandomHistogram(Random& random, Kind kind);

  // A counter rises, and now and then begins anew, is seen in coarser buckets, or has a wider zero
  // bucket; custom bounds change. kAny: no order at all.
  Native Next();

 private:
  void Begin();
  void BeginCustom();
  void BeginExponential();
  void Observe();
  void WidenZero();

  Random& random_;
  const Kind kind_;
  Native now_;
};

}  // namespace skep::oracle
