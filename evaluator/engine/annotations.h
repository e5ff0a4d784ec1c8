// Remarks of a query about its data, in the words of Prometheus 3.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "evaluator/promql/position.h"

namespace skep::engine {

// Collects remarks; equal texts are kept once, with the first place. Thread-compatible.
class Annotations {
 public:
  // Without the "PromQL warning: " before and the place behind.
  void Warn(std::string_view text, promql::PosRange place);
  void Info(std::string_view text, promql::PosRange place);

  // The buckets of a classic histogram fell somewhere and were lifted to their maximum so far. All
  // of one metric and place become one info.
  struct Monotonicity {
    double lowest_bucket = 0;
    double highest_bucket = 0;
    double largest_fall = 0;
  };
  void ForcedMonotonicity(std::string_view metric_name, promql::PosRange place,
                          std::int64_t time_ms, const Monotonicity& what);

  // With kind and place ("(line:column)" in `query`), sorted.
  std::vector<std::string> Warnings(std::string_view query) const;
  std::vector<std::string> Infos(std::string_view query) const;

 private:
  struct Fixes {
    Monotonicity what;
    std::int64_t first_ms = 0;
    std::int64_t last_ms = 0;
    std::size_t count = 0;
    promql::PosRange place;
  };

  std::map<std::string, promql::PosRange, std::less<>> warnings_;
  std::map<std::string, promql::PosRange, std::less<>> infos_;
  std::map<std::string, Fixes, std::less<>> fixes_;  // by metric name
};

}  // namespace skep::engine
