// The families that logs are counted in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log.h"
#include "exporter/logs/options.h"
#include "exporter/state/store.h"

namespace skep::logs {

// Upper bounds of http_request_duration_seconds where none are configured. They hold every asked
// threshold (0.1, 0.2, 0.5, 1, 5, 10 s) and the pairs T and 4T of Apdex for T = 0.1, 0.25, 0.5, 1.
std::vector<double> DefaultRequestBuckets();
std::vector<double> DefaultQueryBuckets();

// The names that a metric of the user's own may not have.
bool IsOwnFamily(std::string_view name);

// Not set: the store refused it, which was logged; what would be counted there is not.
using MaybeFamily = std::optional<state::FamilyId>;

struct Families {
  MaybeFamily http_requests;
  MaybeFamily http_duration;
  MaybeFamily http_upstream;
  MaybeFamily http_bytes;
  MaybeFamily lines;
  MaybeFamily matches;
  MaybeFamily errors;
  MaybeFamily auth_failures;
  MaybeFamily security_events;
  MaybeFamily jobs;
  MaybeFamily query_duration;
  MaybeFamily slow_queries;
  MaybeFamily read_errors;
  MaybeFamily rotations;
  MaybeFamily new_patterns;
  std::map<std::string, state::FamilyId, std::less<>> custom;
  std::vector<state::FamilyId> defined;  // all of them
};

Families DefineFamilies(const Options& options, state::Store& store, const Logger& log);
// Takes the definitions back. Nobody may count in them any more.
void ReleaseFamilies(Families& families, state::Store& store);

}  // namespace skep::logs
