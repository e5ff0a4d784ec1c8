// The web side of events: which pages may post, which forms of a body there are, and how the answer
// looks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/http_message.h"
#include "exporter/ingest/event_parser.h"

namespace skep::ingest {

// Whether a script may post from there; requests without Origin header are no script's.
bool IsAllowedOrigin(std::string_view origin, const std::vector<std::string>& origins);
// The answer to a preflight request from an allowed origin.
net::HttpResponse PreflightResponse(std::string_view origin);
// Lets the script read the answer. Nothing for "".
void AllowOrigin(std::string_view origin, net::HttpResponse& response);

enum class BodyForm { kAny, kLines };  // kAny: one object, or lines
// By the Content-Type header; nothing where it is none that we read.
std::optional<BodyForm> BodyFormOf(std::string_view content_type);

// What became of one request.
struct EventCounts {
  std::size_t accepted = 0;
  std::size_t duplicates = 0;
  // Accepted with an id that may have been seen before, but so long ago that it is forgotten.
  std::size_t unchecked = 0;
};
// 200, 207 or 400 with the counts and what was refused.
net::HttpResponse EventsResponse(const EventCounts& counts, const EventBatch& batch);
// {"error":MESSAGE} with `status`.
net::HttpResponse EventsError(int status, std::string_view message);

}  // namespace skep::ingest
