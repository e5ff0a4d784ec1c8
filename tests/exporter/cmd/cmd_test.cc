// Flags, configuration, scrapes and reload, without a socket.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "exporter/cmd/configuration.h"
#include "exporter/cmd/exporter.h"
#include "exporter/cmd/flags.h"
#include "exporter/cmd/metrics_handler.h"
#include "exporter/cmd/web.h"
#include "tests/support/temp_folder.h"

namespace skep::exporter {
namespace {

std::optional<Flags> Parse(std::vector<const char*> arguments, int* exit_code = nullptr) {
  arguments.insert(arguments.begin(), "skep-exporter");
  int code = 0;
  auto flags = ParseFlags(static_cast<int>(arguments.size()), arguments.data(), code);
  if (exit_code != nullptr) *exit_code = code;
  return flags;
}

const ChosenCollector& Of(const Configuration& configuration, std::string_view name) {
  for (const ChosenCollector& chosen : configuration.collectors()) {
    if (chosen.spec->name == name) return chosen;
  }
  throw std::runtime_error("no such collector");
}

void Write(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::trunc) << text;
}

TEST_CASE("flags have node_exporter's defaults, on loopback", "[cmd]") {
  const auto flags = Parse({});
  REQUIRE(flags);
  CHECK(flags->listen_addresses == std::vector<std::string>{"127.0.0.1:7537"});
  CHECK(flags->telemetry_path == "/metrics");
  CHECK(flags->max_requests == 40);
  CHECK(flags->timeout_offset_seconds == 0.5);
  CHECK(flags->paths.procfs == "/proc");
  CHECK(flags->collectors.empty());
}

TEST_CASE("flags are read with and without the equals sign", "[cmd]") {
  const auto flags =
      Parse({"--web.listen-address=:1", "--web.listen-address", ":2", "--path.procfs=/host/proc/",
             "--collector.cpu.info", "--no-collector.cpu.guest", "--collector.systemless-x"});
  CHECK_FALSE(flags);
  const auto good =
      Parse({"--web.listen-address=:1", "--web.listen-address", ":2", "--path.procfs=/host/proc/",
             "--collector.cpu.info", "--no-collector.cpu.guest", "--no-collector.arp",
             "--collector.filesystem.mount-points-exclude", "^/x",
             "--collector.powersupply.ignored-supplies=y", "--collector.textfile.directory=/a",
             "--collector.textfile.directory", "/b", "--collector.disable-defaults",
             "--log.level=debug", "--log.format", "json"});
  REQUIRE(good);
  CHECK(good->listen_addresses == std::vector<std::string>{":1", ":2"});
  CHECK(good->paths.procfs == "/host/proc");
  CHECK(good->disable_defaults);
  CHECK(good->log_level == LogLevel::kDebug);
  CHECK(good->log_format == LogFormat::kJson);
  CHECK(good->collectors.at("arp").enabled == false);
  CHECK_FALSE(good->collectors.at("cpu").enabled.has_value());
  CHECK(good->collectors.at("cpu").options.at("info") == std::vector<std::string>{"true"});
  CHECK(good->collectors.at("cpu").options.at("guest") == std::vector<std::string>{"false"});
  CHECK(good->collectors.at("powersupplyclass").options.at("ignored-supplies").at(0) == "y");
  CHECK(good->collectors.at("textfile").options.at("directory") ==
        std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("flags that are wrong end the program with 1, help and version with 0", "[cmd]") {
  const std::pair<const char*, int> cases[] = {{"--nonsense", 1},
                                               {"--log.level=loud", 1},
                                               {"--web.max-requests=-1", 1},
                                               {"--web.max-requests=x", 1},
                                               {"--timeout-offset=-1", 1},
                                               {"--state.path", 1},
                                               {"--help", 0},
                                               {"--version", 0}};
  for (const auto& [argument, expected] : cases) {
    CAPTURE(argument);
    int code = -1;
    CHECK_FALSE(Parse({argument}, &code));
    CHECK(code == expected);
  }
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"check", "a.yml"},
                                             {"check", "--config.file=a.yml"},
                                             {"--config.file", "a.yml", "check"},
                                             {"--config.file=a.yml", "--config.check"}}) {
    const auto check = Parse(arguments);
    REQUIRE(check);
    CHECK(check->config_check);
    CHECK(check->config_file == "a.yml");
  }
  CHECK(Parse({"check"})->config_file.empty());
}

TEST_CASE("the command line wins over the file, the file over the defaults", "[cmd]") {
  const test::TempFolder folder;
  const std::string file = folder.File("exporter.yml");
  Write(file,
        "collectors:\n  cpu: {info: true, guest: false}\n  netclass: false\n  arp: true\n"
        "  stat:\n    enabled: false\n    softirq: true\n");
  auto flags = Parse({"--no-collector.arp", "--collector.netclass", "--collector.cpu.guest"});
  REQUIRE(flags);
  flags->config_file = file;
  const auto loaded = Configuration::Load(*flags);
  REQUIRE(loaded);
  CHECK(Of(*loaded, "cpu").enabled);
  CHECK(Of(*loaded, "cpu").options.Flag("info"));
  CHECK(Of(*loaded, "cpu").options.Flag("guest"));
  CHECK(Of(*loaded, "netclass").enabled);
  CHECK_FALSE(Of(*loaded, "arp").enabled);
  CHECK_FALSE(Of(*loaded, "stat").enabled);
  CHECK(Of(*loaded, "uname").enabled);
}

TEST_CASE("defaults can be switched off by flag and by file", "[cmd]") {
  const test::TempFolder folder;
  const std::string file = folder.File("exporter.yml");
  Write(file, "collectors: {disable_defaults: true, cpu: {}}\n");
  auto by_flag = Parse({"--collector.disable-defaults", "--collector.cpu"});
  Flags by_file;
  by_file.config_file = file;
  for (const Flags& flags : {*by_flag, by_file}) {
    const auto loaded = Configuration::Load(flags);
    REQUIRE(loaded);
    for (const ChosenCollector& chosen : loaded->collectors()) {
      CHECK(chosen.enabled == (chosen.spec->name == "cpu"));
    }
  }
}

TEST_CASE("a configuration that is wrong names its place", "[cmd]") {
  const test::TempFolder folder;
  Flags flags;
  flags.config_file = folder.File("exporter.yml");
  CHECK(Configuration::Load(flags).error().kind() == ErrorKind::kNotFound);
  const std::pair<const char*, const char*> cases[] = {
      {"collector: {}", ":1:1: field collector not found"},
      {"collectors:\n  nope: true", ":2:3: field nope not found"},
      {"collectors:\n  cpu: 5", ":2:8: expected true, false or a map"},
      {"collectors:\n  cpu:\n    nope: 1", ":3:5: field nope not found"},
      {"collectors:\n  netdev:\n    device_exclude: '('", ":3:21: "},
      {"collectors: [", ":1"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    Write(flags.config_file, text);
    const auto loaded = Configuration::Load(flags);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().kind() == ErrorKind::kInvalid);
    CHECK(loaded.error().message().find(flags.config_file + message) != std::string::npos);
  }
  Flags bad_flag;
  bad_flag.collectors["netdev"].options["device-exclude"] = {"("};
  const auto loaded = Configuration::Load(bad_flag);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message().starts_with("--collector.netdev.device-exclude: "));
}

TEST_CASE("the route prefix is the flag, or the path of the external URL", "[cmd]") {
  Flags flags;
  CHECK(RoutePrefix(flags).value() == "");
  flags.external_url = "https://host:1/a/b/";
  CHECK(RoutePrefix(flags).value() == "/a/b");
  flags.external_url = "https://host";
  CHECK(RoutePrefix(flags).value() == "");
  flags.route_prefix = "x/";
  CHECK(RoutePrefix(flags).value() == "/x");
  flags.route_prefix.reset();
  for (const char* bad : {"host/a", "://x", "http://"}) {
    flags.external_url = bad;
    CHECK_FALSE(RoutePrefix(flags));
  }
}

// An exporter over an empty procfs with one collector that always has something to say.
class Running {
 public:
  Running() {
    std::filesystem::create_directories(folder.File("proc"));
    Write(folder.File("proc/loadavg"), "1 2 3 1/1 1\n");
    flags.config_file = folder.File("exporter.yml");
    flags.paths.procfs = folder.File("proc");
    Write(flags.config_file, "collectors: {disable_defaults: true, loadavg: {}, filefd: {}}\n");
    auto made = Exporter::Create(flags, clock, Logger::Silent());
    REQUIRE(made);
    exporter = std::move(*made);
  }

  net::HttpResponse Scrape(std::string query = "", net::Headers headers = {}) {
    MetricsHandler handler(*exporter, clock, 1, 0.5);
    net::HttpRequest request;
    request.method = "GET";
    request.parameters = net::ParseParameters(query);
    request.headers = std::move(headers);
    return handler.Handle(request);
  }

  test::TempFolder folder;
  SystemClock clock;
  Flags flags;
  std::unique_ptr<Exporter> exporter;
};

TEST_CASE("a scrape gives the collectors' page and what dashboards ask of it", "[cmd]") {
  Running running;
  const net::HttpResponse response = running.Scrape();
  CHECK(response.status == 200);
  CHECK(response.content_type.starts_with("text/plain; version=0.0.4"));
  for (const char* line :
       {"\nnode_load1 1\n", "\nnode_scrape_collector_success{collector=\"loadavg\"} 1\n",
        "\nnode_scrape_collector_success{collector=\"filefd\"} 0\n", "\nnode_exporter_build_info{",
        "\nskep_exporter_build_info{", "\nskep_exporter_config_last_reload_successful 1\n",
        "\nskep_exporter_scrapes_total{code=\"200\"} 0\n", "\nprocess_start_time_seconds "}) {
    CAPTURE(line);
    CHECK(response.body.find(line) != std::string::npos);
  }
  CHECK(running.Scrape().body.find("\nskep_exporter_scrapes_total{code=\"200\"} 1\n") !=
        std::string::npos);
}

TEST_CASE("a scrape that asks for OpenMetrics gets it", "[cmd]") {
  Running running;
  const auto response = running.Scrape("", {{"Accept", "application/openmetrics-text"}});
  CHECK(response.content_type.starts_with("application/openmetrics-text"));
  CHECK(response.body.ends_with("\n# EOF\n"));
}

TEST_CASE("a scrape can choose collectors", "[cmd]") {
  Running running;
  CHECK(running.Scrape("collect[]=loadavg").body.find("filefd") == std::string::npos);
  CHECK(running.Scrape("exclude[]=loadavg").body.find("node_load1") == std::string::npos);
  const std::pair<const char*, const char*> cases[] = {
      {"collect[]=nope", "missing collector: nope\n"},
      {"collect[]=cpu", "disabled collector: cpu\n"},
      {"exclude[]=nope", "missing collector: nope\n"},
      {"collect[]=loadavg&exclude[]=filefd", "collect[] and exclude[] cannot go together\n"}};
  for (const auto& [query, message] : cases) {
    const net::HttpResponse response = running.Scrape(query);
    CHECK(response.status == 400);
    CHECK(response.body == message);
  }
}

TEST_CASE("the budget of a scrape is the header less the offset", "[cmd]") {
  net::HttpRequest request;
  CHECK(ScrapeBudget(request, 0.5)->count() == 30);
  const auto with = [&](const char* value) {
    request.headers = {{"x-prometheus-scrape-timeout-seconds", value}};
    return ScrapeBudget(request, 0.5);
  };
  CHECK(with("10")->count() == 9.5);
  CHECK(with("0.25")->count() == 0.25);
  CHECK(with("1e9")->count() == 3600);
  for (const char* bad : {"x", "0", "-1", "NaN", "+Inf", "10s"}) {
    CAPTURE(bad);
    CHECK_FALSE(with(bad));
  }
  Running running;
  const auto response = running.Scrape("", {{"X-Prometheus-Scrape-Timeout-Seconds", "soon"}});
  CHECK(response.status == 400);
}

TEST_CASE("a reload replaces everything or nothing", "[cmd]") {
  Running running;
  Write(running.flags.config_file, "collectors: {loadavg: maybe}\n");
  CHECK_FALSE(running.exporter->Reload());
  const std::string kept = running.Scrape().body;
  CHECK(kept.find("\nnode_load1 1\n") != std::string::npos);
  CHECK(kept.find("\nskep_exporter_config_last_reload_successful 0\n") != std::string::npos);
  Write(running.flags.config_file, "collectors: {disable_defaults: true, filefd: {}}\n");
  CHECK(running.exporter->Reload());
  const std::string replaced = running.Scrape().body;
  CHECK(replaced.find("node_load1") == std::string::npos);
  CHECK(replaced.find("\nskep_exporter_config_last_reload_successful 1\n") != std::string::npos);
  CHECK(running.exporter->ConfigYaml() ==
        "collectors:\n  disable_defaults: true\n  filefd:\n    enabled: true\n"
        "state:\n  max_series: 100000\n  max_families: 2000\n  checkpoint_bytes: 16777216\n");
}

TEST_CASE("metrics about the exporter can be left out, the builds stay", "[cmd]") {
  Running running;
  running.flags.disable_exporter_metrics = true;
  const std::string body = running.Scrape().body;
  CHECK(body.find("process_") == std::string::npos);
  CHECK(body.find("skep_exporter_config") == std::string::npos);
  CHECK(body.find("node_exporter_build_info{") != std::string::npos);
  CHECK(body.find("skep_exporter_build_info{") != std::string::npos);
}

}  // namespace
}  // namespace skep::exporter
