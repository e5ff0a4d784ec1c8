// Where the shipped rules and runbooks lie.
#pragma once

#include <string>

namespace skep::evaluator {

// The folder that holds rules/: $SKEP_SHARE, <folder of the program>/../share/skep, or the source
// tree above the program. "" where there is none.
std::string FindShareFolder();

}  // namespace skep::evaluator
