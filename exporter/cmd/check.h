// `skep-exporter check`: all that is wrong with a configuration, or what would run with it.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "exporter/cmd/flags.h"

namespace skep::exporter {

struct Verdict {
  std::vector<Error> mistakes;  // none: it is good
  std::string description;      // lines for people
};

// Touches neither the state's folder nor any log; makes everything once, in memory.
Verdict CheckConfiguration(const Flags& flags, const Clock& clock);

}  // namespace skep::exporter
