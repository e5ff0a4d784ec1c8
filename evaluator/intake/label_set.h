// Label sets as others send them.
#pragma once

#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"

namespace skep::intake {

// Sorts `pairs`. kInvalid, naming the label: no metric name, a name twice, what is not UTF-8, a
// name that is empty. A label with an empty value is as good as absent.
Result<Labels> MakeSeriesLabels(std::vector<LabelView>& pairs);

}  // namespace skep::intake
