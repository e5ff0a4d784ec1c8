#include "evaluator/cmd/features.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace skep::evaluator {
namespace {

struct Feature {
  std::string_view name;
  void (*enable)(Features&);
};

constexpr std::array kFeatures = {
    Feature{"promql-experimental-functions",
            [](Features& f) { f.promql.experimental_functions = true; }},
    Feature{"promql-duration-expr", [](Features& f) { f.promql.duration_expressions = true; }},
    Feature{"promql-extended-range-selectors",
            [](Features& f) { f.promql.extended_range_selectors = true; }},
    Feature{"promql-binop-fill-modifiers",
            [](Features& f) { f.promql.binop_fill_modifiers = true; }},
    Feature{"promql-delayed-name-removal",
            [](Features& f) { f.engine.delayed_name_removal = true; }},
    Feature{"type-and-unit-labels", [](Features& f) { f.engine.type_and_unit_labels = true; }},
    Feature{"use-start-timestamps", [](Features& f) { f.engine.use_start_timestamps = true; }},
};

}  // namespace

std::string ListFeatures() {
  std::string list;
  for (const Feature& feature : kFeatures) {
    if (!list.empty()) list += ", ";
    list += feature.name;
  }
  return list;
}

Features ParseFeatures(const std::vector<std::string>& names) {
  Features features;
  for (const std::string& name : names) {
    const auto* const known = std::find_if(kFeatures.begin(), kFeatures.end(),
                                           [&](const Feature& f) { return f.name == name; });
    if (known != kFeatures.end()) {
      known->enable(features);
    } else if (!name.empty()) {
      features.unknown.push_back(name);
    }
  }
  return features;
}

}  // namespace skep::evaluator
