#include "evaluator/cmd/tool_deploy.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/json/value.h"
#include "common/net/http_server.h"

namespace skep::tool {
namespace {

// An exporter that answers what it is told to, the last answer again and again.
class FakeExporter {
 public:
  explicit FakeExporter(std::vector<net::HttpResponse> answers) : answers_(std::move(answers)) {
    server_.Handle({"POST"}, "/x/v1/events", [this](const net::HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      bodies.push_back(request.body);
      return answers_[std::min(bodies.size(), answers_.size()) - 1];
    });
    net::HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    REQUIRE(server_.Start(options));
  }

  std::string url() const { return "http://" + server_.addresses()[0] + "/x/"; }

  std::vector<std::string> bodies;

 private:
  std::mutex mutex_;
  std::vector<net::HttpResponse> answers_;
  SystemClock clock_;
  net::HttpServer server_{clock_, Logger::Silent()};
};

struct Outcome {
  ExitCode code;
  std::string out, err;
};

Outcome Run(DeployMarkOptions options) {
  options.service = "shop";
  options.version = "1.2.3";
  options.pause = std::chrono::milliseconds(1);
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  ToolIo io{in, out, err};
  const ExitCode code = DeployMark(io, options);
  return {code, out.str(), err.str()};
}

const std::string kTaken = "{\"accepted\":1,\"duplicates\":0,\"refused\":0}\n";

TEST_CASE("A deployment is sent with what was told of it", "[tool]") {
  FakeExporter exporter({net::HttpResponse::Json(200, kTaken)});
  DeployMarkOptions options;
  options.exporter = exporter.url();
  options.strategy = "canary";
  options.outcome = "failure";
  options.commit = "4f2a9c1";
  options.url = "https://ci.example/1?a=\"b\"";
  options.rollback_version = "1.2.2";
  options.duration = "1h30m";
  options.time = "1800000000";
  options.id = "job-7";
  const Outcome outcome = Run(options);
  CHECK(outcome.code == ExitCode::kGood);
  CHECK(outcome.out == "marked shop 1.2.3\n");
  CHECK(outcome.err.empty());
  REQUIRE(exporter.bodies.size() == 1);
  const json::Value event = json::Value::Parse(exporter.bodies[0]).value();
  CHECK(event["kind"].text() == "deployment");
  CHECK(event["service"].text() == "shop");
  CHECK(event["version"].text() == "1.2.3");
  CHECK(event["strategy"].text() == "canary");
  CHECK(event["outcome"].text() == "failure");
  CHECK(event["commit"].text() == "4f2a9c1");
  CHECK(event["url"].text() == "https://ci.example/1?a=\"b\"");
  CHECK(event["rollback_version"].text() == "1.2.2");
  CHECK(event["duration_seconds"].number() == 5400);
  CHECK(event["time"].text() == "2027-01-15T08:00:00Z");
  CHECK(event["id"].text() == "job-7");
}

TEST_CASE("What was not told is not sent, and the id is a new one", "[tool]") {
  FakeExporter exporter({net::HttpResponse::Json(200, kTaken)});
  DeployMarkOptions options;
  options.exporter = exporter.url();
  options.json = true;
  CHECK(Run(options).out == kTaken);
  REQUIRE(Run(options).code == ExitCode::kGood);
  const json::Value first = json::Value::Parse(exporter.bodies[0]).value();
  const json::Value second = json::Value::Parse(exporter.bodies[1]).value();
  CHECK(first.members().size() == 4);
  CHECK(first["id"].text().size() == 32);
  CHECK(first["id"].text() != second["id"].text());
}

TEST_CASE("An exporter that cannot take it now is asked again, with the same id", "[tool]") {
  FakeExporter exporter(
      {net::HttpResponse::Json(503, "{\"error\":\"full\"}"),
       net::HttpResponse::Json(503, "{\"error\":\"full\"}"),
       net::HttpResponse::Json(200, "{\"accepted\":0,\"duplicates\":1,\"refused\":0}\n")});
  DeployMarkOptions options;
  options.exporter = exporter.url();
  const Outcome outcome = Run(options);
  CHECK(outcome.code == ExitCode::kGood);
  CHECK(outcome.err == "skep: counted before, not again\n");
  REQUIRE(exporter.bodies.size() == 3);
  CHECK(exporter.bodies[0] == exporter.bodies[2]);
}

TEST_CASE("What goes wrong is said and ends with 1", "[tool]") {
  struct Case {
    net::HttpResponse answer;
    std::string message;
    std::size_t requests;
  };
  const std::vector<Case> cases = {
      {net::HttpResponse::Json(
           400,
           "{\"accepted\":0,\"duplicates\":0,\"refused\":1,\"errors\":[{\"line\":1,"
           "\"field\":\"version\",\"message\":\"expected a text\"}]}"),
       "refused: version: expected a text", 1},
      {net::HttpResponse::Json(503, "{\"error\":\"the state file cannot be written\"}"),
       "status 503: the state file cannot be written", 3},
      {net::HttpResponse::Json(401, "{\"error\":\"no token\"}"), "status 401: no token", 1},
      {net::HttpResponse::Text(404, "404 page not found\n"),
       "status 404, and the answer is not that of skep-exporter", 1},
      {net::HttpResponse::Text(200, "hello"), "the answer is not that of skep-exporter", 1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.message);
    FakeExporter exporter({c.answer});
    DeployMarkOptions options;
    options.exporter = exporter.url();
    const Outcome outcome = Run(options);
    CHECK(outcome.code == ExitCode::kRefused);
    CHECK(outcome.err == "skep: " + exporter.url() + ": " + c.message + "\n");
    CHECK(outcome.out.empty());
    CHECK(exporter.bodies.size() == c.requests);
  }
}

TEST_CASE("Nobody there, a bad duration and a bad time are errors too", "[tool]") {
  DeployMarkOptions options;
  options.exporter = "http://127.0.0.1:1";
  CHECK(Run(options).code == ExitCode::kRefused);
  CHECK(Run(options).err.starts_with("skep: http://127.0.0.1:1: "));
  options.duration = "soon";
  CHECK(Run(options).err.starts_with("skep: --duration: "));
  options.duration.clear();
  options.time = "soon";
  CHECK(Run(options).err.starts_with("skep: --time: "));
}

}  // namespace
}  // namespace skep::tool
