// OTLP points per CPU-second, from the bytes of a request to the state file: what an endpoint can
// take on one core. Arguments: protobuf|json, points per request (default 500, each a stream of
// its own, eight to a session), attributes (default 10), "memory" for no state file.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/protobuf/message.h"
#include "exporter/ingest/otlp.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using skep::bench::CpuSeconds;

using skep::protobuf::MessageWriter;

constexpr int kRequests = 200;

// What Claude Code attaches to a point of claude_code.token.usage, and who sent it.
std::vector<std::pair<std::string, std::string>> AttributesOf(int session, int kind, int count) {
  constexpr const char* kTypes[] = {"input", "output", "cacheRead", "cacheCreation"};
  char id[64];
  std::snprintf(id, sizeof id, "ca26ed13-d74c-4376-9f76-%012x", session);
  std::vector<std::pair<std::string, std::string>> all = {
      {"session.id", id},
      {"type", kTypes[kind % 4]},
      {"model", kind % 8 < 4 ? "claude-opus-5-5" : "claude-haiku-5"},
      {"user.id", "05a5672689630e6679c212ee80484fcf0838cee144decbdd20352096786d6e3e"},
      {"anthropic.provider", "firstParty"},
      {"terminal.type", "dumb"},
      {"query_source", "main"},
      {"effort", "medium"},
      {"agent.name", "general-purpose"},
      {"organization.id", "8d7f0e3a-0000-4000-8000-000000000000"}};
  all.resize(std::min<std::size_t>(all.size(), static_cast<std::size_t>(count)));
  return all;
}

struct Shape {
  int points;
  int attributes;
};

// A minute apart, the last one now: times that are ahead of the clock are refused.
std::uint64_t TimeOf(int request) {
  static const std::int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::chrono::system_clock::now().time_since_epoch())
                                      .count();
  return static_cast<std::uint64_t>(now) -
         static_cast<std::uint64_t>(kRequests - request) * 60'000'000'000ULL;
}

std::string Protobuf(const Shape& shape, int request) {
  std::string sum;
  for (int i = 0; i < shape.points; ++i) {
    std::string point;
    MessageWriter writer(point);
    writer.Fixed64(2, TimeOf(0)).Fixed64(3, TimeOf(request + 1)).Double(4, request + 1);
    for (const auto& [key, value] : AttributesOf(i / 8, i, shape.attributes)) {
      std::string text;
      MessageWriter(text).Bytes(1, value);
      std::string attribute;
      MessageWriter(attribute).Bytes(1, key).Bytes(2, text);
      writer.Bytes(7, attribute);
    }
    MessageWriter(sum).Bytes(1, point);
  }
  MessageWriter(sum).Varint(2, 2).Varint(3, 1);
  std::string metric;
  MessageWriter(metric).Bytes(1, "claude_code.token.usage").Bytes(3, "tokens").Bytes(7, sum);
  std::string scope_metrics;
  MessageWriter(scope_metrics).Bytes(2, metric);
  std::string resource_metrics;
  MessageWriter(resource_metrics).Bytes(2, scope_metrics);
  std::string body;
  MessageWriter(body).Bytes(1, resource_metrics);
  return body;
}

std::string Json(const Shape& shape, int request) {
  std::string body =
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"claude_code.token.usage","unit":"tokens","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[)";
  for (int i = 0; i < shape.points; ++i) {
    body += i == 0 ? R"({"attributes":[)" : R"(,{"attributes":[)";
    const char* comma = "";
    for (const auto& [key, value] : AttributesOf(i / 8, i, shape.attributes)) {
      body += comma;
      body += R"({"key":")" + key + R"(","value":{"stringValue":")" + value + "\"}}";
      comma = ",";
    }
    body += R"(],"startTimeUnixNano":")" + std::to_string(TimeOf(0)) + R"(","timeUnixNano":")" +
            std::to_string(TimeOf(request + 1)) + R"(","asDouble":)" + std::to_string(request + 1) +
            "}";
  }
  return body + "]}}]}]}]}";
}

int Number(int argc, char** argv, int index, int fallback) {
  return argc > index ? std::atoi(argv[index]) : fallback;
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_json = argc > 1 && std::strcmp(argv[1], "json") == 0;
  const Shape shape{Number(argc, argv, 2, 500), Number(argc, argv, 3, 10)};
  const bool in_memory = argc > 4 && std::strcmp(argv[4], "memory") == 0;
  const auto folder = std::filesystem::temp_directory_path() / "skep-otlp-bench";
  std::filesystem::remove_all(folder);

  const skep::SystemClock clock;
  skep::ingest::OtlpMemory memory;
  skep::state::StoreOptions options;
  if (!in_memory) options.path = folder.string();
  auto store = std::move(
      *skep::state::Store::Open(options, memory.sections(), clock, skep::Logger::Silent()));
  auto otlp = std::move(
      *skep::ingest::Otlp::Create({}, {}, memory, *store, nullptr, clock, skep::Logger::Silent()));
  skep::net::HttpRequest request;
  request.headers = {{"Content-Type", is_json ? "application/json" : "application/x-protobuf"}};
  double spent = 0;
  std::size_t bytes = 0;
  for (int i = 0; i < kRequests; ++i) {
    request.body = is_json ? Json(shape, i) : Protobuf(shape, i);
    bytes += request.body.size();
    const double before = CpuSeconds();
    const skep::net::HttpResponse response = otlp->HandleMetrics(request);
    spent += CpuSeconds() - before;
    if (response.status != 200 || response.body.size() > 2) {
      std::printf("answered %d %s\n", response.status, response.body.c_str());
      return 1;
    }
  }
  std::filesystem::remove_all(folder);
  const double points = static_cast<double>(shape.points) * kRequests;
  std::printf(
      "%s, %d points a request of %zu bytes, %d attributes, %s: %.0f points per CPU-second\n",
      is_json ? "JSON" : "protobuf", shape.points, bytes / kRequests, shape.attributes,
      in_memory ? "in memory" : "state file", points / spent);
  return 0;
}
