// The modules behind the collectors: configuration, check, reload, state and endpoints, without a
// socket.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "exporter/cmd/check.h"
#include "exporter/cmd/config_text.h"
#include "exporter/cmd/configuration.h"
#include "exporter/cmd/exporter.h"
#include "exporter/cmd/state_options.h"
#include "tests/support/temp_folder.h"

namespace skep::exporter {
namespace {

void Write(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::trunc) << text;
}

yaml::Node Yaml(std::string_view text, std::string_view file = "f.yml") {
  return yaml::Node::Parse(text, file).value();
}

TEST_CASE("the folder of the state is the flag's, the file's, systemd's or none", "[cmd]") {
  Flags flags;
  const yaml::Node none = Yaml("");
  const yaml::Node file = Yaml("{path: here}", "/etc/skep/f.yml");
  CHECK(ReadStateOptions(none, flags, {}).value().path.empty());
  CHECK(ReadStateOptions(none, flags, "/a:/b").value().path == "/a");
  CHECK(ReadStateOptions(file, flags, "/a").value().path == "/etc/skep/here");
  CHECK(ReadStateOptions(Yaml("{path: /x}"), flags, {}).value().path == "/x");
  flags.state_path = "/flag";
  CHECK(ReadStateOptions(file, flags, "/a").value().path == "/flag");
  flags.state_path = "";
  CHECK(ReadStateOptions(file, flags, "/a").value().path.empty());
}

TEST_CASE("the state's bounds are numbers that fit on a page", "[cmd]") {
  Flags flags;
  const auto options =
      ReadStateOptions(Yaml("{max_series: 5, max_families: 6, checkpoint_bytes: 1MB}"), flags, {});
  REQUIRE(options);
  CHECK(options->max_series == 5);
  CHECK(options->max_families == 6);
  CHECK(options->checkpoint_bytes == 1UL << 20);
  const std::pair<const char*, const char*> cases[] = {
      {"max_series: 0", "f.yml:1:13: expected a number from 1 on"},
      {"max_families: -1", "f.yml:1:15: expected a number from 1 on"},
      {"max_series: many", "f.yml:1:13: "},
      {"max_series: 200001", "f.yml:1:13: max_series is more than a page may have"},
      {"path: ''", "f.yml:1:7: path is empty"},
      {"nope: 1", "f.yml:1:1: field nope not found in state"},
      {"[1]", "f.yml:1:1: "},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const auto refused = ReadStateOptions(Yaml(text), flags, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().find(message) != std::string::npos);
  }
  flags.max_series = 50;  // a smaller page makes a smaller state
  CHECK(ReadStateOptions(Yaml(""), flags, {}).value().max_series == 50);
}

TEST_CASE("a configuration is shown without what is secret", "[cmd]") {
  std::string out;
  AppendConfig("swarm",
               Yaml("interval: 5s\n"
                    "mcp:\n"
                    "  - {name: 'a: b', url: 'http://me:word@host/x@y'}\n"
                    "  - basic_auth: {username: me, password: word, password_file: /p}\n"
                    "    authorization: word\n"
                    "    headers: {X-Api-Key: word}\n"
                    "  - url: 'https://host/p?key=word&empty=&word#part'\n"
                    "bearer_token: word\n"
                    "bearer_token_file: /t\n"
                    "folders: [/a, \"5\", 5, true]\n"
                    "empty: {}\n"),
               "", out);
  CHECK(out ==
        "swarm:\n"
        "  interval: \"5s\"\n"
        "  mcp:\n"
        "    -\n"
        "      name: \"a: b\"\n"
        "      url: \"http://<secret>@host/x@y\"\n"
        "    -\n"
        "      basic_auth:\n"
        "        username: \"me\"\n"
        "        password: \"<secret>\"\n"
        "        password_file: \"/p\"\n"
        "      authorization: \"<secret>\"\n"
        "      headers:\n"
        "        X-Api-Key: \"<secret>\"\n"
        "    -\n"
        "      url: \"https://host/p?key=<secret>&empty=&<secret>#part\"\n"
        "  bearer_token: \"<secret>\"\n"
        "  bearer_token_file: \"/t\"\n"
        "  folders:\n"
        "    - \"/a\"\n"
        "    - \"5\"\n"
        "    - 5\n"
        "    - true\n"
        "  empty: {}\n");
  CHECK(yaml::Node::Parse(out, "shown"));
}

TEST_CASE("check names all mistakes with their places", "[cmd]") {
  const test::TempFolder folder;
  const SystemClock clock;
  Flags flags;
  flags.config_file = folder.File("exporter.yml");
  Write(flags.config_file,
        "collectors:\n"
        "  cpu: 5\n"
        "  nope: true\n"
        "  netdev: {device_exclude: '('}\n"
        "state: {max_series: 0}\n"
        "ingest: {otlp: {enabled: perhaps}}\n"
        "logs: {sources: [{name: a}]}\n"
        "swarm: {interval: soon}\n"
        "more: 1\n");
  const Verdict verdict = CheckConfiguration(flags, clock);
  std::string text;
  for (const Error& mistake : verdict.mistakes) text += mistake.message() + "\n";
  CAPTURE(text);
  for (const char* place : {":2:8: ", ":3:3: ", ":4:28: ", ":5:21: ", ":6:26: ", ":7:", ":8:19: ",
                            ":9:1: field more not found"}) {
    CAPTURE(place);
    CHECK(text.find(flags.config_file + place) != std::string::npos);
  }
  CHECK(verdict.mistakes.size() == 8);
  const auto loaded = Configuration::Load(flags);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message().find("(and 7 more mistakes") != std::string::npos);
}

TEST_CASE("check says what would run, and touches no state", "[cmd]") {
  const test::TempFolder folder;
  const SystemClock clock;
  Flags flags;
  flags.config_file = folder.File("exporter.yml");
  Write(flags.config_file,
        "collectors: {disable_defaults: true, loadavg: {}}\n"
        "state: {path: state}\n"
        "logs: {sources: [{name: web, format: nginx, paths: [/var/log/nginx/access.log]}]}\n"
        "swarm:\n"
        "  workspaces: [{name: shop, path: /srv/shop}]\n"
        "  transcripts: {folders: [/home/dev/.claude/projects]}\n");
  const Verdict verdict = CheckConfiguration(flags, clock);
  REQUIRE(verdict.mistakes.empty());
  CAPTURE(verdict.description);
  for (const std::string& line :
       {std::string("collectors (1): loadavg\n"), "state: in " + folder.File("state") + "\n",
        std::string("ingest: /v1/metrics "),
        std::string("logs: web from /var/log/nginx/access.log\n"),
        std::string("swarm: workspace shop in /srv/shop\n"),
        std::string("swarm: transcripts in /home/dev/.claude/projects\n")}) {
    CHECK(verdict.description.find(line) != std::string::npos);
  }
  CHECK_FALSE(std::ifstream(folder.File("state/lock")));
}

// An exporter with its state in a folder, and no collectors of the host.
class Running {
 public:
  Running() {
    flags.config_file = folder.File("exporter.yml");
    Configure("");
    Restart();
  }

  void Configure(const std::string& more) {
    Write(flags.config_file, "collectors: {disable_defaults: true}\nstate: {path: state}\n" + more);
  }
  void Restart() {
    exporter.reset();
    exporter = std::move(Exporter::Create(flags, clock, Logger::Silent()).value());
    exporter->Start();
  }
  std::string Page() {
    PageRequest request;
    request.deadline = clock.SteadyNow() + std::chrono::seconds(30);
    return exporter->MakePage(request).value();
  }
  bool PageHas(const std::string& text) { return Page().find(text) != std::string::npos; }

  test::TempFolder folder;
  SystemClock clock;
  Flags flags;
  std::unique_ptr<Exporter> exporter;
};

TEST_CASE("a page has what the modules say, each family once", "[cmd]") {
  Running running;
  CHECK(running.PageHas("\nskep_exporter_state_file_up 1\n"));
  CHECK(running.PageHas("\nskep_exporter_families_dropped_total{reason=\"duplicate\"} 0\n"));
  CHECK(running.PageHas("\nnode_scrape_collector_success{collector=\"state\"} 1\n"));
  CHECK_FALSE(running.PageHas("collector=\"logs\""));
}

TEST_CASE("a reload starts and ends modules; a change of the state is refused", "[cmd]") {
  Running running;
  Write(running.folder.File("app.log"), "{\"level\":\"error\"}\n");
  running.Configure("logs: {sources: [{name: app, format: json, paths: [" +
                    running.folder.File("app.log") + "]}]}\n" +
                    "swarm: {workspaces: [{name: shop, path: /nowhere/shop}]}\n");
  REQUIRE(running.exporter->Reload());
  CHECK(running.PageHas("collector=\"logs\""));
  CHECK(running.exporter->ConfigYaml().find("    - \n      name: \"app\"") == std::string::npos);
  CHECK(running.exporter->ConfigYaml().find("name: \"shop\"") != std::string::npos);
  running.Configure("logs: {request_buckets: [0.5, 1]}\n");
  CHECK_FALSE(running.exporter->Reload());  // events have the histogram with other ones
  CHECK(running.exporter->ConfigYaml().find("name: \"shop\"") != std::string::npos);
  running.Configure("logs: {sources: [{name: app}]}\n");
  CHECK_FALSE(running.exporter->Reload());
  CHECK(running.exporter->ConfigYaml().find("name: \"shop\"") != std::string::npos);
  running.Configure("");
  REQUIRE(running.exporter->Reload());
  CHECK(running.exporter->ConfigYaml().find("shop") == std::string::npos);
  Write(running.flags.config_file, "collectors: {disable_defaults: true}\nstate: {path: other}\n");
  const Status refused = running.exporter->Reload();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("restart") != std::string::npos);
  CHECK(running.PageHas("\nskep_exporter_config_last_reload_successful 0\n"));
}

// Threads of this process with the name.
std::size_t Threads(std::string_view name) {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    std::getline(std::ifstream(task.path() / "comm"), comm);
    count += comm == name ? 1 : 0;
  }
  return count;
}

TEST_CASE("what a reload takes away keeps no threads and no series, and may come back", "[cmd]") {
  Running running;
  std::filesystem::create_directories(running.folder.File("shop/.claude-flow"));
  const std::string all = "logs: {threads: 3, sources: [{name: app, paths: ['" +
                          running.folder.File("*.log") +
                          "']}]}\nswarm: {interval: 1s, workspaces: [{name: shop, path: " +
                          running.folder.File("shop") + "}], transcripts: {folders: [" +
                          running.folder.path() + "]}}\n";
  for (int i = 0; i < 2; ++i) {
    running.Configure(all);
    REQUIRE(running.exporter->Reload());
    CHECK(running.PageHas("log_source_up{source=\"app\"}"));
    CHECK(running.PageHas("\nswarm_poll_"));
    // A thread names itself.
    while (Threads("logs-read") < 3 || Threads("logs-watch") < 1 || Threads("stores") < 1 ||
           Threads("transcripts") < 1) {
      std::this_thread::yield();
    }
    CHECK(Threads("logs-read") == 3);
    running.Configure("");
    REQUIRE(running.exporter->Reload());
    CHECK_FALSE(running.PageHas("\nlog_source_up"));
    CAPTURE(running.Page());
    CHECK_FALSE(running.PageHas("\nswarm_source_up"));
    CHECK_FALSE(running.PageHas("\nswarm_poll_"));
    for (const char* name : {"logs-read", "logs-watch", "stores", "transcripts"}) {
      CAPTURE(name);
      CHECK(Threads(name) == 0);
    }
  }
}

TEST_CASE("two exporters cannot have one state", "[cmd]") {
  Running running;
  const auto second = Exporter::Create(running.flags, running.clock, Logger::Silent());
  REQUIRE_FALSE(second);
  CHECK(second.error().kind() == ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace skep::exporter
