#include "exporter/stores/transcript_lines.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "common/json/reader.h"

namespace skep::stores {
namespace {

double NumberOf(const json::Element& usage, std::string_view key) {
  const double value = usage[key].number();
  return value > 0 && std::isfinite(value) ? value : 0;
}

std::optional<TranscriptRequest> ReadRequest(const json::Element& line) {
  if (line["type"].text() != "assistant") return std::nullopt;
  const json::Element message = line["message"];
  const json::Element usage = message["usage"];
  if (!usage.IsObject()) return std::nullopt;
  TranscriptRequest request;
  request.session = line["sessionId"].text();
  request.id = line["requestId"].text();
  if (request.id.empty()) request.id = message["id"].text();
  if (request.id.empty()) return std::nullopt;
  request.model = message["model"].text();
  // Answers that Claude Code made up itself, of no model and no cost.
  if (request.model == "<synthetic>") return std::nullopt;
  request.tokens.input = NumberOf(usage, "input_tokens");
  request.tokens.output = NumberOf(usage, "output_tokens");
  request.tokens.cache_read = NumberOf(usage, "cache_read_input_tokens");
  request.tokens.cache_creation = NumberOf(usage, "cache_creation_input_tokens");
  return request;
}

void TakeLarger(swarm::LlmTokens& into, const swarm::LlmTokens& other) {
  into.input = std::max(into.input, other.input);
  into.output = std::max(into.output, other.output);
  into.cache_read = std::max(into.cache_read, other.cache_read);
  into.cache_creation = std::max(into.cache_creation, other.cache_creation);
}

}  // namespace

TranscriptRead ReadTranscriptLines(const std::vector<std::string>& lines) {
  TranscriptRead read;
  std::unordered_map<std::string, std::size_t> index;
  json::Document document;
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    if (!document.Parse(line) || !document.root().IsObject()) {
      ++read.broken;
      continue;
    }
    std::optional<TranscriptRequest> request = ReadRequest(document.root());
    if (!request) {
      ++read.other;
      continue;
    }
    ++read.counted;
    const auto [at, is_new] =
        index.try_emplace(request->session + '\n' + request->id, read.requests.size());
    if (is_new) {
      read.requests.push_back(std::move(*request));
    } else {
      TakeLarger(read.requests[at->second].tokens, request->tokens);
    }
  }
  return read;
}

std::optional<Timestamp> TranscriptLineTime(std::string_view line) {
  constexpr std::string_view kKey = "\"timestamp\":\"";
  const std::size_t key = line.find(kKey);
  if (key == std::string_view::npos) return std::nullopt;
  const std::size_t begin = key + kKey.size();
  const std::size_t end = line.find('"', begin);
  if (end == std::string_view::npos || end - begin > 40) return std::nullopt;
  const Result<Timestamp> time = ParseTimestamp(line.substr(begin, end - begin));
  return time ? std::optional(*time) : std::nullopt;
}

std::string TranscriptAgentType(std::string_view meta) {
  json::Document document;
  if (!document.Parse(meta)) return {};
  return std::string(document.root()["agentType"].text());
}

}  // namespace skep::stores
