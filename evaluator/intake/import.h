// Samples of the past as text: pages whose lines have time stamps.
#pragma once

#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/exposition/format.h"
#include "common/model/labels.h"
#include "evaluator/intake/batch.h"

namespace skep::intake {

struct ImportOptions {
  exposition::Format format = exposition::Format::kText;  // time stamps in ms; OpenMetrics: in s
  Timestamp time;                                         // of lines without a time stamp
  // Set in every series, in place of what the page says.
  std::vector<LabelView> extra_labels;
};

// Puts the samples of `page` into `batch`, line by line, and commits it, some thousand at a time: a
// list of all would not fit into the processor's caches, and costs a third more. A line that is
// none costs itself (refused as kSyntax, told with its number); so does a series whose labels are
// none. Within a series times have to rise. An error is that of a commit; Batch::committed() were
// taken before.
Status ImportPage(std::string_view page, const ImportOptions& options, Batch& batch);

}  // namespace skep::intake
