// All collectors there are.
#pragma once

#include <vector>

#include "exporter/collectors/spec.h"

namespace skep::exporter {

// By name. Each collector's file has a function NAMESpec() that is listed in catalogue.cc.
const std::vector<CollectorSpec>& Catalogue();

}  // namespace skep::exporter
