// What tests of agents' telemetry share: the OTLP endpoint with its consumer, the hooks, and the
// page they write to.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "exporter/ingest/agent_otlp.h"
#include "exporter/ingest/claude_code_hooks.h"
#include "exporter/ingest/otlp.h"
#include "tests/exporter/swarm/rig.h"

namespace skep::ingest::test {

inline std::string ReadData(const std::string& name) {
  std::ifstream in(SKEP_SOURCE_DIR "/tests/data/claude_code/" + name, std::ios::binary);
  if (!in) throw std::runtime_error("no such data: " + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

class AgentRig {
 public:
  explicit AgentRig(const std::string& path = {}, swarm::SessionOptions sessions = {})
      : swarm({.path = path, .sessions = sessions, .more = memory.sections()}),
        consumer(swarm.sessions, *swarm.flow, swarm.clock),
        hooks({}, {}, {swarm.sessions, swarm.pushed, *swarm.flow, *swarm.store}, swarm.clock,
              Logger::Silent()) {
    auto made =
        Otlp::Create({}, {}, memory, *swarm.store, &consumer, swarm.clock, Logger::Silent());
    if (!made) throw std::runtime_error(made.error().message());
    otlp = std::move(*made);
  }

  // Posts bytes of tests/data/claude_code/otlp: "json/004_v1_logs.json".
  int PostData(const std::string& name) {
    return Post(name.find("metrics") != std::string::npos  ? "metrics"
                : name.find("traces") != std::string::npos ? "traces"
                                                           : "logs",
                ReadData("otlp/" + name), name.ends_with(".pb"));
  }

  int Post(const std::string& signal, std::string body, bool is_protobuf = false) {
    net::HttpRequest request;
    request.method = "POST";
    request.path = "/v1/" + signal;
    request.headers = {
        {"Content-Type", is_protobuf ? "application/x-protobuf" : "application/json"}};
    request.body = std::move(body);
    if (signal == "metrics") return otlp->HandleMetrics(request).status;
    return signal == "logs" ? otlp->HandleLogs(request).status : otlp->HandleTraces(request).status;
  }

  int PostHook(std::string body) {
    net::HttpRequest request;
    request.method = "POST";
    request.path = "/v1/hooks/claude-code";
    request.body = std::move(body);
    return hooks.Handle(request).status;
  }

  // Series of the swarm on the page, but for what tells of the exporter itself; histograms by
  // their counts only.
  std::set<std::string> Swarm() {
    std::set<std::string> lines;
    for (const std::string& line : swarm.Page()) {
      const bool is_ours = line.starts_with("swarm_") || line.starts_with("retries_total");
      const bool is_detail = line.find("_bucket{") != std::string::npos ||
                             line.find("_sum{") != std::string::npos ||
                             line.starts_with("swarm_otlp_");
      if (is_ours && !is_detail) lines.insert(line);
    }
    return lines;
  }

  OtlpMemory memory;
  swarm::test::Rig swarm;
  AgentOtlp consumer;
  ClaudeCodeHooks hooks;
  std::unique_ptr<Otlp> otlp;
};

}  // namespace skep::ingest::test
