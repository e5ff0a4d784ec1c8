// Remote write 1.0: the protobuf message `prometheus.WriteRequest`, as Prometheus, Grafana Agent
// and many others send it.
#pragma once

#include <string_view>

#include "common/base/result.h"
#include "evaluator/intake/batch.h"
#include "evaluator/intake/series_refs.h"

namespace skep::intake {

// Puts the samples of one message, already unpacked, into `batch`: floats and native histograms,
// also stale ones. Exemplars and metadata are passed over. A label set that is none and a histogram
// whose numbers do not fit together cost their samples. kInvalid: the bytes are no such message;
// what stood before the broken place has been appended, so the batch is not to be committed.
// `refs` are of the batch's store, and know the series again in the next message.
Status ReadWriteRequest(std::string_view message, SeriesRefs& refs, Batch& batch);

}  // namespace skep::intake
