// The patterns that come with us, in named sets. The expressions of the documents that asked for
// them are taken letter by letter.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace skep::logs {

// What a line that matches does.
enum class Effect : std::uint8_t {
  kMatch,          // log_matches_total, label pattern
  kErrorClass,     // errors_total, label class
  kAuthFailure,    // auth_failures_total, label kind; a group "times" says how many
  kSecurityEvent,  // security_events_total, label event
  kJob,            // background_jobs_total, label outcome
  kQuery,          // db_query_duration_seconds; a group "ms" or "s" holds the duration
};

struct BuiltinPattern {
  std::string_view set;
  std::string_view name;  // the label's value
  std::string_view regex;
  Effect effect;
};

// In order: of the effects but kMatch and kSecurityEvent only the first that matches counts for a
// line.
std::span<const BuiltinPattern> BuiltinPatterns();

// The names of the sets, each once.
std::vector<std::string> BuiltinSets();

}  // namespace skep::logs
