#include "evaluator/notifier/notification.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace skep::notifier {
namespace {

TEST_CASE("Alerts stand in Alertmanager's order", "[notifier]") {
  const std::vector<Labels> ordered = {
      Labels{{"job", "a"}, {"instance", "1"}},
      Labels{{"job", "a"}, {"instance", "2"}},
      Labels{{"job", "a"}, {"z", "0"}},
      Labels{{"job", "b"}},
      Labels{{"instance", "1"}},
      Labels{{"y", "2"}},
      Labels{{"x", "1"}},
      Labels{{"x", "2"}},
      Labels{{"x", "1"}, {"y", "2"}},
  };
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      CAPTURE(ordered[i].ToString(), ordered[j].ToString());
      CHECK(ComesBefore(ordered[i], ordered[j]) == (i < j));
    }
  }
}

TEST_CASE("Common labels are those that all alerts have with one value", "[notifier]") {
  const auto alert = [](Labels labels) {
    return NotifiedAlert{{std::move(labels), {}, {}, {}, ""}, false};
  };
  const std::vector<NotifiedAlert> alerts = {alert(Labels{{"a", "1"}, {"b", "1"}, {"c", "1"}}),
                                             alert(Labels{{"a", "1"}, {"b", "2"}, {"d", "1"}})};
  CHECK(CommonLabels(alerts) == Labels{{"a", "1"}});
  CHECK(CommonLabels({}) == Labels{});
  CHECK(CommonAnnotations(alerts) == Labels{});
}

TEST_CASE("A label set in a group key is quoted as Go quotes it", "[notifier]") {
  CHECK(LabelSetText(Labels{}) == "{}");
  CHECK(LabelSetText(Labels{{"b", "x\n\"y\""}, {"a", "ü"}}) == R"({a="ü", b="x\n\"y\""})");
}

TEST_CASE("The identity of an incident is the SHA-256 of its group key", "[notifier]") {
  // printf '{}:{alertname="X"}' | sha256sum
  CHECK(GroupKeyHash("{}:{alertname=\"X\"}") ==
        "25fb0bff77cf7f8850f1cb3aeea9e63be0fbd3e78a8c0ef038392ade26e7d3a6");
}

TEST_CASE("A delivery id names what is told, and for a repeat when", "[notifier]") {
  Notification base;
  base.group_key = "{}:{}";
  base.reason = NotifyReason::kNewAlerts;
  base.alerts = {{{Labels{{"a", "1"}}, {}, FromMillis(5), FromMillis(9), ""}, false}};
  const auto id = [](const Notification& n, std::int64_t now) {
    return DeliveryId(n, "team/webhook[0]", FromMillis(now), Duration(1000));
  };
  const std::string same = id(base, 1);
  CHECK(same.size() == 32);
  CHECK(id(base, 99'999) == same);
  CHECK(DeliveryId(base, "team/webhook[1]", FromMillis(1), Duration(1000)) != same);

  Notification changed = base;
  changed.alerts[0].resolved = true;
  CHECK(id(changed, 1) != same);
  changed = base;
  changed.alerts[0].alert.starts_at = FromMillis(6);
  CHECK(id(changed, 1) != same);
  changed = base;
  changed.alerts[0].alert.ends_at = FromMillis(77);  // moves at every resend
  CHECK(id(changed, 1) == same);

  changed.reason = NotifyReason::kRepeat;
  CHECK(id(changed, 1) != same);
  CHECK(id(changed, 1) == id(changed, 999));
  CHECK(id(changed, 1) != id(changed, 1001));
}

}  // namespace
}  // namespace skep::notifier
