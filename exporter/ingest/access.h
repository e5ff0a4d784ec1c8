// Who may push, and how much at once: the same for OTLP, events and hooks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/http_message.h"
#include "common/yaml/node.h"

namespace skep::ingest {

//   ingest:
//     bearer_token_file: /etc/skep/ingest.token   # one token per line: any of them opens
//     max_body: 4MiB                              # before and after gunzip
struct AccessOptions {
  std::vector<std::string> bearer_tokens;  // none: whoever reaches the port
  std::size_t max_body_bytes = 4UL << 20;
};

// Takes its fields from the map `ingest`, whose other fields are others' to read. A token file that
// cannot be read, is empty or has a line with white space inside is an error.
Result<AccessOptions> ReadAccessOptions(yaml::MapReader& ingest);

// Whether the Authorization header carries one of the tokens ("Bearer TOKEN", the scheme in any
// case). Takes the same time wherever the first difference stands. True where there are no tokens.
bool IsAuthorized(const AccessOptions& options, const net::HttpRequest& request);

// What to answer instead of the data: 401 with WWW-Authenticate, 413, or 415 for a
// Content-Encoding other than gzip and identity. Nothing: go on.
struct Refusal {
  int status = 0;
  std::string message;
};
std::optional<Refusal> CheckAccess(const AccessOptions& options, const net::HttpRequest& request);

// As plain text, for endpoints without a form of their own.
net::HttpResponse PlainRefusal(const Refusal& refusal);

}  // namespace skep::ingest
