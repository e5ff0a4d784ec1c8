// --enable-feature of skep-evaluator and of the commands of `skep`, by Prometheus's names.
#pragma once

#include <string>
#include <vector>

#include "evaluator/engine/engine.h"
#include "evaluator/promql/parser.h"

namespace skep::evaluator {

struct Features {
  promql::ParseOptions promql;
  engine::EngineOptions engine = {};      // defaults but for what a feature switches on
  std::vector<std::string> unknown = {};  // names that mean nothing here, in the order given
};

// "promql-experimental-functions, ..." for --help.
std::string ListFeatures();

// As in Prometheus an unknown name is no mistake (features come and become stable): whoever starts
// tells of it. Empty names are passed over.
Features ParseFeatures(const std::vector<std::string>& names);

}  // namespace skep::evaluator
