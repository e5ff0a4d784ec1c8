#include "exporter/ingest/access.h"

#include <algorithm>

#include "common/base/ascii.h"
#include "common/base/file.h"

namespace skep::ingest {
namespace {

constexpr std::size_t kMaxTokenFile = 64UL << 10;
constexpr std::string_view kSpace = " \t\r\n";

Result<std::vector<std::string>> ReadTokens(const std::string& path) {
  const Result<std::string> text = ReadFile(path, kMaxTokenFile);
  if (!text) return text.error();
  std::vector<std::string> tokens;
  std::string_view left = *text;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    const std::string_view token = Trim(left.substr(0, end), kSpace);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (token.find_first_of(" \t") != std::string_view::npos) {
      return Invalid(path + ": a token has white space in it");
    }
    if (!token.empty()) tokens.emplace_back(token);
  }
  if (tokens.empty()) return Invalid(path + ": has no token");
  return tokens;
}

// Looks at each byte of `given` whatever it finds; that the lengths differ may be seen.
bool EqualsInConstantTime(std::string_view given, std::string_view token) {
  unsigned char difference = given.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = token[i % token.size()];
    difference |= static_cast<unsigned char>(given[i] ^ other);
  }
  return difference == 0;
}

}  // namespace

Result<AccessOptions> ReadAccessOptions(yaml::MapReader& ingest) {
  AccessOptions options;
  const yaml::Node file = ingest.Take("bearer_token_file");
  std::uint64_t max_body = options.max_body_bytes;
  ingest.ReadSizeBytes("max_body", max_body);
  options.max_body_bytes = max_body;
  if (file.IsNull()) return options;
  const Result<std::string> path = file.AsString();
  if (!path) return path.error();
  Result<std::vector<std::string>> tokens = ReadTokens(JoinPath(DirName(file.file()), *path));
  if (!tokens) return file.Complain(tokens.error().message());
  options.bearer_tokens = std::move(*tokens);
  return options;
}

bool IsAuthorized(const AccessOptions& options, const net::HttpRequest& request) {
  if (options.bearer_tokens.empty()) return true;
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view header = request.Header("Authorization");
  if (!EqualsIgnoringCase(header.substr(0, kScheme.size()), kScheme)) return false;
  const std::string_view given = Trim(header.substr(kScheme.size()), kSpace);
  bool found = false;
  for (const std::string& token : options.bearer_tokens) {
    found = EqualsInConstantTime(given, token) || found;
  }
  return found;
}

std::optional<Refusal> CheckAccess(const AccessOptions& options, const net::HttpRequest& request) {
  if (!IsAuthorized(options, request)) {
    return Refusal{401, "a bearer token is needed (Authorization: Bearer TOKEN)"};
  }
  const std::string_view encoding = request.Header("Content-Encoding");
  if (!encoding.empty() && !EqualsIgnoringCase(encoding, "gzip") &&
      !EqualsIgnoringCase(encoding, "identity")) {
    return Refusal{415, "Content-Encoding is none of gzip and identity"};
  }
  if (request.body.size() > options.max_body_bytes) {
    return Refusal{413, "body larger than " + std::to_string(options.max_body_bytes) + " bytes"};
  }
  return std::nullopt;
}

net::HttpResponse PlainRefusal(const Refusal& refusal) {
  net::HttpResponse response = net::HttpResponse::Text(refusal.status, refusal.message + "\n");
  if (refusal.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace skep::ingest
