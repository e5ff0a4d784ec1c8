// Samples of one series that come from several places: blocks that overlap, late samples, the head.
#pragma once

#include <span>

#include "common/base/time.h"
#include "evaluator/storage/querier.h"

namespace skep::tsdb {

// Of floats and histograms; kMaxTimestamp and kMinTimestamp where there are none.
Timestamp FirstTime(const storage::SampleColumns& samples);
Timestamp LastTime(const storage::SampleColumns& samples);

// Adds the samples of `newer` to those of `samples`, in the order of their times. Where both have a
// sample of one time, float or histogram, that of `newer` stays. Costs next to nothing where
// `newer` begins behind the end of `samples`. `newer` is left in some valid state.
void MergeSamples(storage::SampleColumns& samples, storage::SampleColumns& newer);

// Adds `part` at the end as it is: what is there already may be another series'.
void AppendSamples(storage::SampleColumns& out, storage::SampleColumns& part);

// Takes out the samples that lie in one of `spans`, which may be in any order and overlap.
void DropSpans(std::span<const storage::TimeRange> spans, storage::SampleColumns& samples);

}  // namespace skep::tsdb
