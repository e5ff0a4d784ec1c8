#include "evaluator/notifier/route.h"

#include <algorithm>

#include "common/base/quote.h"

namespace skep::notifier {
namespace {

// Fields that Alertmanager knows in a route and refuses in the root one.
constexpr std::pair<std::string_view, std::string_view> kRefusedInRoot[] = {
    {"match", "root route must not have any matchers"},
    {"match_re", "root route must not have any matchers"},
    {"matchers", "root route must not have any matchers"},
    {"mute_time_intervals", "root route must not have any mute time intervals"},
    {"active_time_intervals", "root route must not have any active time intervals"},
};

bool IsEmpty(const yaml::Node& node) {
  return node.IsNull() || (node.IsSequence() && node.items().empty()) ||
         (node.IsMap() && node.entries().empty());
}

void RefuseInRoot(yaml::MapReader& map) {
  for (const auto& [field, message] : kRefusedInRoot) {
    const yaml::Node node = map.Take(field);
    if (!IsEmpty(node)) map.Fail(node.Complain(message));
  }
  const yaml::Node routes = map.Take("routes");
  if (!IsEmpty(routes)) {
    map.Fail(routes.Complain("sub-routes are not supported yet: only the root route"));
  }
  bool goes_on = false;
  const yaml::Node node = map.Take("continue");
  map.Read("continue", goes_on);
  if (goes_on) map.Fail(node.Complain("cannot have continue in root route"));
}

Status ReadGroupBy(const yaml::Node& node, Route& route) {
  if (!node.IsNull() && !node.IsSequence()) {
    return node.Complain("group_by: expected a list of label names");
  }
  for (const yaml::Node& item : node.items()) {
    Result<std::string> name = item.AsString();
    if (!name) return name.error();
    if (*name == "...") {
      route.group_by_all = true;
      continue;
    }
    if (!IsLegacyLabelName(*name)) {
      return item.Complain("invalid label name " + Quote(*name) + " in group_by list");
    }
    if (std::find(route.group_by.begin(), route.group_by.end(), *name) != route.group_by.end()) {
      return item.Complain("duplicated label " + Quote(*name) + " in group_by");
    }
    route.group_by.push_back(*name);
  }
  if (route.group_by_all && !route.group_by.empty()) {
    return node.Complain("cannot have wildcard group_by (`...`) and other labels at the same time");
  }
  return {};
}

void ReadNonZero(yaml::MapReader& map, std::string_view key, Duration& out) {
  const yaml::Node node = map.Take(key);
  map.Read(key, out);
  if (!map.failed() && out.count() == 0) {
    map.Fail(node.Complain(std::string(key) + " cannot be zero"));
  }
}

}  // namespace

Labels Route::GroupLabels(const Labels& alert) const {
  if (group_by_all) return alert;
  std::vector<LabelView> pairs;
  for (const std::string& name : group_by) {
    if (const std::string_view value = alert.Get(name); !value.empty()) {
      pairs.push_back({name, value});
    }
  }
  return Labels::FromPairs(pairs);
}

Result<Route> ParseRoute(const yaml::Node& node) {
  if (node.IsNull()) return node.Complain("no route provided in config");
  Route route;
  yaml::MapReader map(node);
  map.Read("receiver", route.receiver);
  if (!map.failed() && route.receiver.empty()) {
    map.Fail(node.Complain("root route must specify a default receiver"));
  }
  if (Status status = ReadGroupBy(map.Take("group_by"), route); !status) map.Fail(status.error());
  map.Read("group_wait", route.group_wait);
  ReadNonZero(map, "group_interval", route.group_interval);
  ReadNonZero(map, "repeat_interval", route.repeat_interval);
  RefuseInRoot(map);
  RETURN_IF_ERROR(map.Finish("route"));
  return route;
}

}  // namespace skep::notifier
