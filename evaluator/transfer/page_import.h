// Pages of text whose lines have time stamps.
#pragma once

#include <string>

#include "common/base/result.h"
#include "evaluator/transfer/import.h"

namespace skep::transfer {

// Reads one file, or pipe ("-": standard input). Lines may come in any order. An error names file
// and line; a line that is none, or whose sample has no time stamp, is damage of its own; of gzip
// that is damaged the lines before count. Exemplars are passed over.
Status ImportPage(const std::string& path, ImportRun& run);

}  // namespace skep::transfer
