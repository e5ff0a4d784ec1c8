// skep deploy mark: tells an exporter that something was deployed.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/cmd/tool_io.h"

namespace skep::tool {

struct DeployMarkOptions {
  std::string exporter = "http://127.0.0.1:7537";  // a path behind it stays
  std::string http_config_file;  // Prometheus's HTTP client configuration; "": none
  std::string service;
  std::string version;
  // What is "" is not told.
  std::string strategy;
  std::string outcome;  // success, failure, rolled_back, cancelled
  std::string commit;
  std::string url;
  std::string rollback_version;
  std::string duration;  // "5m", or seconds
  std::string time;      // RFC 3339 or unix seconds
  std::string id;        // "": a random one
  bool json = false;     // print the exporter's answer
  int tries = 3;
  std::chrono::milliseconds pause{1'000};  // before the second try; twice as long before each other
  Duration timeout = std::chrono::seconds(10);  // of one try
};

// The event as JSON. kInvalid names the flag; what the exporter would refuse is its to say.
Result<std::string> DeploymentEvent(const DeployMarkOptions& options, const std::string& id);

// Sends it, again with the same id while the exporter cannot be reached or cannot keep it. Good:
// it counts, or did so before.
ExitCode DeployMark(ToolIo& io, const DeployMarkOptions& options);

}  // namespace skep::tool
