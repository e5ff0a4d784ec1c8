// What a scrape asks a target for, and which form its answer has.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/exposition/format.h"
#include "common/net/http_client.h"
#include "evaluator/scrape/config.h"
#include "evaluator/scrape/target.h"

namespace skep::scrape {

// The job's protocols with falling q, then anything.
std::string AcceptHeader(const JobOptions& job);

net::ClientRequest MakeRequest(const JobOptions& job, const Target& target);

// kInvalid: a status other than 200, or a Content-Type that is no page of ours while the job names
// no fallback.
Result<exposition::Format> PageFormat(const JobOptions& job, const net::ClientResponse& response);

}  // namespace skep::scrape
