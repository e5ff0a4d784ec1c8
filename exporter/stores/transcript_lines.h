// Lines of Claude Code's transcripts: bytes to numbers, without I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "exporter/swarm/flow.h"

namespace skep::stores {

// One request to a model as transcripts tell it.
struct TranscriptRequest {
  std::string session;
  std::string id;  // of the request; of the message where there is none
  std::string model;
  swarm::LlmTokens tokens;  // without model and agent type
};

struct TranscriptRead {
  std::vector<TranscriptRequest> requests;  // each once, in order of their first line
  std::size_t counted = 0;                  // lines that tell of a request
  std::size_t other = 0;                    // lines of other kinds
  std::size_t broken = 0;                   // lines that are no JSON object
};

// Each content block of an answer has a line of its own that repeats the usage, and the first of
// them may be from before the end of the answer: the largest numbers count. The format is internal
// to Claude Code; kinds that are not known are passed over.
TranscriptRead ReadTranscriptLines(const std::vector<std::string>& lines);

// The time of a line, without parsing all of it.
std::optional<Timestamp> TranscriptLineTime(std::string_view line);

// agentType of a subagent's .meta.json; "" where it is not told.
std::string TranscriptAgentType(std::string_view meta);

}  // namespace skep::stores
