#include "tests/support/promql_oracle/append.h"

#include <algorithm>
#include <vector>

namespace skep::oracle {
namespace {

// Both kinds in the order of time.
std::vector<FullSample> SamplesOf(const Series& series, storage::TimeRange range) {
  std::vector<FullSample> out;
  for (const Sample& sample : series.samples) {
    out.push_back({.time = sample.time, .value = sample.value});
  }
  for (const NativeSample& sample : series.natives) {
    out.push_back({.time = sample.time,
                   .histogram = std::make_shared<const Histogram>(ToModel(*sample.native))});
  }
  std::erase_if(out,
                [range](const FullSample& s) { return s.time < range.min || s.time > range.max; });
  std::sort(out.begin(), out.end(),
            [](const FullSample& a, const FullSample& b) { return a.time < b.time; });
  return out;
}

}  // namespace

bool AppendAll(const DataSet& data, storage::TimeRange range, storage::Appender& appender) {
  for (const Series& series : data) {
    storage::SeriesRef ref = 0;
    for (const FullSample& sample : SamplesOf(series, range)) {
      const storage::AppendOutcome outcome =
          sample.histogram == nullptr
              ? appender.Append(ref, series.labels, {sample.time, sample.value})
              : appender.AppendFull(ref, series.labels, sample);
      if (outcome != storage::AppendOutcome::kAccepted) return false;
    }
  }
  return true;
}

}  // namespace skep::oracle
