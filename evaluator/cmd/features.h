// --enable-feature of skep-evaluator and of the commands of `skep`, by Prometheus's names.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "evaluator/engine/engine.h"
#include "evaluator/promql/parser.h"

namespace skep::evaluator {

struct Features {
  promql::ParseOptions promql;
  engine::EngineOptions engine = {};  // defaults but for what a feature switches on
};

// "promql-experimental-functions, ..." for --help.
std::string ListFeatures();

// kInvalid names the one that is unknown.
Result<Features> ParseFeatures(const std::vector<std::string>& names);

}  // namespace skep::evaluator
