#include "evaluator/intake/label_set.h"

#include <algorithm>

#include "common/base/quote.h"

namespace skep::intake {

Result<Labels> MakeSeriesLabels(std::vector<LabelView>& pairs) {
  std::sort(pairs.begin(), pairs.end(),
            [](const LabelView& a, const LabelView& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!IsUtf8Name(pairs[i].name)) return Invalid("bad label name " + Quote(pairs[i].name));
    if (i > 0 && pairs[i - 1].name == pairs[i].name) {
      return Invalid("label " + Quote(pairs[i].name) + " twice");
    }
    if (!IsUtf8(pairs[i].value)) {
      return Invalid("label " + Quote(pairs[i].name) + ": not UTF-8");
    }
  }
  Labels labels = Labels::FromPairs(pairs);
  if (labels.metric_name().empty()) return Invalid("no metric name in " + labels.ToString());
  return labels;
}

}  // namespace skep::intake
