#include "tests/support/promql_oracle/values.h"

#include <set>

namespace skep::oracle {

Labels WithoutName(const Labels& labels) {
  LabelsBuilder builder(labels);
  builder.Delete("__name__").Delete("__type__").Delete("__unit__");
  return builder.Build();
}

Status RefuseDuplicates(const Elements& elements) {
  std::set<Labels> seen;
  for (const Element& element : elements) {
    if (!seen.insert(element.labels).second) {
      return Invalid("two series have the label set " + element.labels.ToString());
    }
  }
  return {};
}

}  // namespace skep::oracle
