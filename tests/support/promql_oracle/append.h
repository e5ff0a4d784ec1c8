// A data set brought into a store.
#pragma once

#include "evaluator/storage/appender.h"
#include "evaluator/storage/querier.h"
#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {

// Offers the samples in `range` to `appender`, which is then to be committed. False: one was
// refused.
bool AppendAll(const DataSet& data, storage::TimeRange range, storage::Appender& appender);

}  // namespace skep::oracle
