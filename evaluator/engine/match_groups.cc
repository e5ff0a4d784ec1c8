#include "evaluator/engine/match_groups.h"

#include <algorithm>
#include <string>
#include <utility>

#include "evaluator/engine/label_key.h"

namespace skep::engine {
namespace {

using promql::Cardinality;
using promql::VectorMatching;

LabelChoice ChoiceOf(const VectorMatching& matching) {
  std::vector<std::string> names = matching.labels;
  if (matching.on) return LabelChoice::Only(std::move(names));
  names.emplace_back(kMetricName);
  return LabelChoice::AllBut(std::move(names));
}

}  // namespace

bool KeepsLabels(const QueryContext& context, const VectorMatching& matching, const Table& left,
                 const Table& right) {
  return matching.cardinality == Cardinality::kOneToOne && !matching.on &&
         matching.labels.empty() && !matching.fill_left && !matching.fill_right &&
         left.distinct_without_name && right.distinct_without_name &&
         !context.delayed_name_removal() && !context.type_and_unit_labels();
}

MatchGroups::MatchGroups(QueryContext& context, const promql::Binary& binary, Table& left,
                         Table& right)
    : index(ChoiceOf(*binary.matching), context.plan(), binary) {
  const VectorMatching& matching = *binary.matching;
  const bool includes_metadata =
      std::any_of(matching.include.begin(), matching.include.end(),
                  [](const std::string& name) { return IsMetadataLabel(name); });
  if (KeepsLabels(context, matching, left, right)) {
    index.CountAsSettled(context);
  } else if (index.choice().TakesMetadata() || includes_metadata) {
    context.Settle(left);
    context.Settle(right);
  }
  of_left = index.Number(left);
  of_right = index.Number(right);
}

}  // namespace skep::engine
