#include "evaluator/engine/counter_judge.h"

#include "common/base/quote.h"

namespace skep::engine {
namespace {

bool EndsLikeCounter(std::string_view name) {
  return name.ends_with("_total") || name.ends_with("_sum") || name.ends_with("_count") ||
         name.ends_with("_bucket");
}

}  // namespace

void CounterJudge::Look(const Row& row) {
  if (row.drop_name && !context_.delayed_name_removal()) return;
  if (context_.type_and_unit_labels()) {
    const std::string_view metric = row.labels->metric_name();
    if (!metric.empty()) LookAtType(metric, row.labels->Get("__type__"));
    return;
  }
  // Asking for labels costs more than the rate.
  if (names_ == Names::kEqual && !last_.empty()) return;
  const std::string_view name = row.labels->metric_name();
  if (name.empty() || name == last_) return;
  last_ = name;
  if (EndsLikeCounter(name)) return;
  context_.annotations.Info(
      "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " +
          Quote(name),
      place_);
}

void CounterJudge::LookAtType(std::string_view name, std::string_view type) {
  if (type == "counter" || type == "histogram") return;
  context_.annotations.Info(
      "metric might not be a counter, __type__ label is not set to \"counter\" or "
      "\"histogram\", got " +
          Quote(type) + ": " + Quote(name),
      place_);
}

}  // namespace skep::engine
