#include "evaluator/notifier/notification.h"

#include <algorithm>

#include "common/base/digest.h"
#include "common/base/quote.h"

namespace skep::notifier {
namespace {

// Labels present on both and equal; `pick` says which label set of an alert is meant.
template <typename Pick>
Labels Common(std::span<const NotifiedAlert> alerts, Pick pick) {
  if (alerts.empty()) return {};
  LabelsBuilder common(pick(alerts[0].alert));
  for (const NotifiedAlert& each : alerts.subspan(1)) {
    const Labels& labels = pick(each.alert);
    const Labels before = common.Build();
    for (const LabelView label : before) {
      if (labels.Get(label.name) != label.value) common.Delete(label.name);
    }
  }
  return common.Build();
}

// As Go's LabelSet.Before: a smaller set first; else the first name, in order, that only one has
// or whose values differ.
bool SmallerSet(const Labels& a, const Labels& b) {
  const std::size_t a_size = a.size();
  const std::size_t b_size = b.size();
  if (a_size != b_size) return a_size < b_size;
  auto i = a.begin();
  auto j = b.begin();
  for (; i != a.end() && j != b.end(); ++i, ++j) {
    const LabelView left = *i;
    const LabelView right = *j;
    // The set that lacks the smaller name comes first.
    if (left.name != right.name) return left.name > right.name;
    if (left.value != right.value) return left.value < right.value;
  }
  return false;
}

}  // namespace

std::string LabelSetText(const Labels& labels) {
  std::string text = "{";
  for (const LabelView label : labels) {
    if (text.size() > 1) text += ", ";
    text.append(label.name).append("=").append(Quote(label.value));
  }
  return text + "}";
}

std::string GroupKeyHash(std::string_view group_key) { return Sha256Hex(group_key); }

bool ComesBefore(const Labels& a, const Labels& b) {
  for (const std::string_view key : {"job", "instance"}) {
    const std::string_view left = a.Get(key);
    const std::string_view right = b.Get(key);
    if (left == right) continue;
    if (left.empty() || right.empty()) return !left.empty();
    return left < right;
  }
  return SmallerSet(a, b);
}

Labels CommonLabels(std::span<const NotifiedAlert> alerts) {
  return Common(alerts, [](const Alert& alert) -> const Labels& { return alert.labels; });
}

Labels CommonAnnotations(std::span<const NotifiedAlert> alerts) {
  return Common(alerts, [](const Alert& alert) -> const Labels& { return alert.annotations; });
}

std::string DeliveryId(const Notification& notification, std::string_view integration,
                       Timestamp now, Duration repeat_interval) {
  std::string text = notification.group_key;
  text.append("\n").append(integration).append("\n");
  for (const NotifiedAlert& each : notification.alerts) {
    text += LabelSetText(each.alert.labels);
    text += each.resolved ? " resolved " : " firing ";
    text += std::to_string(ToMillis(each.alert.starts_at)) + "\n";
  }
  if (notification.reason == NotifyReason::kRepeat) {
    const auto interval = std::max<std::int64_t>(1, repeat_interval.count());
    text += "repeat " + std::to_string(ToMillis(now) / interval);
  }
  return Sha256Hex(text).substr(0, 32);
}

}  // namespace skep::notifier
