// What a store holds, as text.
#pragma once

#include <string>
#include <vector>

#include "common/base/number.h"
#include "common/model/histogram.h"
#include "common/model/sample.h"
#include "evaluator/storage/querier.h"

namespace skep::intake::test {

// `name{a="b"} value@ms value@ms`, a series each; "stale" for markers.
inline std::vector<std::string> Dump(storage::Queryable& store) {
  std::vector<std::string> lines;
  const auto querier = store.NewQuerier({}).value();
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kRegex, "__name__", ".+").value()};
  const auto set = querier->Select(all, {}).value();
  while (set->Next()) {
    storage::SampleColumns columns;
    if (!set->ReadSamples(columns)) return {"cannot be read"};
    std::string line = set->labels().ToString();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line += " " + (IsStaleNaN(columns.values[i]) ? "stale" : FormatDouble(columns.values[i])) +
              "@" + std::to_string(ToMillis(columns.times[i]));
    }
    for (std::size_t i = 0; i < columns.histograms.size(); ++i) {
      line += " " + FormatHistogram(*columns.histograms.values[i]) + "@" +
              std::to_string(ToMillis(columns.histograms.times[i]));
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace skep::intake::test
