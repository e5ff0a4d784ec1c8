#include "evaluator/scrape/manager.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <string>

#include "common/base/file.h"
#include "common/net/http_server.h"
#include "common/yaml/node.h"
#include "tests/support/recording_store.h"
#include "tests/support/silent_listener.h"
#include "tests/support/temp_folder.h"

namespace skep::scrape {
namespace {

// A target whose page can be changed, and a manager that scrapes by a YAML text.
class Fixture {
 public:
  explicit Fixture(Manager::Options options = {}) : server_(clock_, Logger::Silent()) {
    server_.Handle({"GET"}, "/metrics", [this](const net::HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      request_ = request;
      net::HttpResponse response = net::HttpResponse::Text(status_, page_);
      response.content_type = type_;
      return response;
    });
    net::HttpServerOptions server;
    server.addresses = {"127.0.0.1:0"};
    server.max_connections = 8;
    REQUIRE(server_.Start(server));
    options.version = "1.2.3";
    options.external_host = "box";
    Result<std::unique_ptr<Manager>> manager =
        Manager::Create(store_, clock_, Logger::Silent(), instruments_, std::move(options));
    REQUIRE(manager);
    manager_ = *std::move(manager);
  }

  std::string address() const { return server_.addresses().front(); }
  std::string Instance(const std::string& name, const std::string& job = "j") const {
    return name + "{instance=\"" + address() + "\", job=\"" + job + "\"}";
  }
  void SetPage(std::string page, std::string type = "text/plain; version=0.0.4", int status = 200) {
    const std::lock_guard lock(mutex_);
    page_ = std::move(page);
    type_ = std::move(type);
    status_ = status;
  }
  void Apply(const std::string& jobs) {
    const std::string text =
        "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n" + jobs;
    const Result<yaml::Node> root = yaml::Node::Parse(text, "test.yml");
    REQUIRE(root);
    Result<ScrapeConfig> config =
        ReadScrapeConfig(root->Get("global"), root->Get("scrape_configs"), {});
    if (!config) FAIL(config.error().message());
    manager_->Apply(*std::move(config));
  }
  std::string Job(const std::string& more = "", const std::string& name = "j") const {
    return "- {job_name: " + name + ", static_configs: [{targets: [\"" + address() + "\"]}]" +
           (more.empty() ? "" : ", " + more) + "}\n";
  }
  bool Becomes(const std::string& series, const std::string& value) {
    return store_.WaitFor([&](const auto& store) { return store.Newest(series) == value; });
  }
  net::HttpRequest LastRequest() {
    const std::lock_guard lock(mutex_);
    return request_;
  }

  SystemClock clock_;
  test::RecordingStore store_;
  instrument::Instruments instruments_;
  std::mutex mutex_;
  std::string page_ = "a 1\n";
  std::string type_ = "text/plain; version=0.0.4";
  int status_ = 200;
  net::HttpRequest request_;
  net::HttpServer server_;
  std::unique_ptr<Manager> manager_;
};

TEST_CASE("Manager scrapes a target and tells its state", "[scrape]") {
  Fixture f;
  f.SetPage("# HELP a help\n# TYPE a gauge\na 1\n");
  f.Apply(f.Job("params: {x: [\"1\", \"2\"]}"));
  REQUIRE(f.Becomes(f.Instance("a"), "1"));
  f.SetPage("# HELP a help\n# TYPE a gauge\na 2\n");
  REQUIRE(f.Becomes(f.Instance("a"), "2"));
  CHECK(f.store_.Newest(f.Instance("up")) == "1");
  const net::HttpRequest request = f.LastRequest();
  CHECK(request.query == "x=1&x=2");
  CHECK(request.Header("User-Agent") == "skep/1.2.3");
  CHECK(request.Header("X-Prometheus-Scrape-Timeout-Seconds") == "0.2");
  CHECK(request.Header("Accept") ==
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        "application/openmetrics-text;version=0.0.1;q=0.4,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
        "*/*;q=0.1");
  const TargetsStatus status = f.manager_->Targets();
  REQUIRE(status.active.size() == 1);
  const TargetStatus& target = status.active.front();
  CHECK(target.pool == "j");
  CHECK(target.health == Health::kUp);
  CHECK(target.scrape_url == "http://" + f.address() + "/metrics?x=1&x=2");
  CHECK(target.global_url.starts_with("http://box:"));
  CHECK(target.discovered_labels.Get("__scrape_interval__") == "200ms");
  CHECK(target.labels == Labels{{"instance", f.address()}, {"job", "j"}});
  CHECK(target.last_error.empty());
  REQUIRE(f.manager_->Metadata().size() == 1);
  CHECK(*f.manager_->Metadata().front().table ==
        MetadataTable{{"a", exposition::MetricType::kGauge, "help", ""}});
}

TEST_CASE("Targets that hang delay nobody", "[scrape]") {
  Fixture f({.workers = 1});
  const test::SilentListener silent;
  std::string hanging = "- {job_name: hang, static_configs: [";
  for (int i = 0; i < 500; ++i) {
    hanging += "{targets: [\"" + silent.address() +
               "\"], labels: {__scrape_interval__: 2s, "
               "__scrape_timeout__: 2s, __param_i: \"" +
               std::to_string(i) + "\", i: \"" + std::to_string(i) + "\"}}, ";
  }
  f.Apply(hanging + "]}\n" + f.Job());
  for (int i = 2; i < 6; ++i) {
    f.SetPage("a " + std::to_string(i) + "\n");
    REQUIRE(f.Becomes(f.Instance("a"), std::to_string(i)));
  }
  const std::string down = "up{i=\"499\", instance=\"" + silent.address() + "\", job=\"hang\"}";
  CHECK(f.Becomes(down, "0"));
}

TEST_CASE("What a target answers wrong is its last error", "[scrape]") {
  struct Case {
    std::string page, type;
    int status;
    std::string job, error;
  };
  const Case cases[] = {
      {"garbage\x01\xff", "text/plain", 200, "", "line 1: "},
      {"a 1\n", "text/plain", 503, "", "server returned HTTP status 503"},
      {"a 1\n", "text/html", 200, "", "received unsupported Content-Type \"text/html\""},
      {"a 1\n", "application/openmetrics-text", 200, "",
       "line 2: the page does not end with # EOF"},
      {std::string(100'000, '#'), "text/plain", 200, "body_size_limit: 10KB",
       "body larger than 10240 bytes"},
      {"a 1\nb 1\n", "text/plain", 200, "sample_limit: 1", "sample_limit exceeded: 2 of at most 1"},
      {"a 1\n", "text/plain", 200, "target_limit: 0, honor_labels: true", ""},
      {"a 1\n", "text/html", 200, "fallback_scrape_protocol: PrometheusText0.0.4", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.error, c.job);
    Fixture f;
    f.SetPage(c.page, c.type, c.status);
    f.Apply(f.Job(c.job));
    REQUIRE(f.Becomes(f.Instance("up"), c.error.empty() ? "1" : "0"));
    // The state follows the commit at once, but not in the same instant.
    std::string error;
    REQUIRE(f.store_.WaitFor([&](const auto&) {
      const TargetStatus target = f.manager_->Targets().active.front();
      error = target.last_error;
      return target.health != Health::kUnknown;
    }));
    CHECK(error.starts_with(c.error));
    CHECK(error.empty() == c.error.empty());
  }
}

TEST_CASE("A hundred megabytes end at the limit", "[scrape]") {
  Fixture f;
  std::atomic<std::size_t> sent = 0;
  net::HttpServer large(f.clock_, Logger::Silent());
  large.Handle({"GET"}, "/metrics", [&](const net::HttpRequest&) {
    net::HttpResponse response;
    response.stream = [&](const auto& write) {
      const std::string piece(100'000, '#');
      for (int i = 0; i < 1000 && write(piece); ++i) sent += piece.size();
    };
    return response;
  });
  net::HttpServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  options.max_connections = 4;
  REQUIRE(large.Start(options));
  const std::string address = large.addresses().front();
  f.Apply(
      "- {job_name: l, scrape_interval: 10s, scrape_timeout: 10s, body_size_limit: 1MB, "
      "static_configs: "
      "[{targets: [\"" +
      address + "\"], labels: {__scrape_interval__: 500ms, __scrape_timeout__: 500ms}}]}\n" +
      f.Job());
  REQUIRE(f.Becomes("up{instance=\"" + address + "\", job=\"l\"}", "0"));
  f.SetPage("a 9\n");
  CHECK(f.Becomes(f.Instance("a"), "9"));
  f.manager_->Stop();
  large.Stop(std::chrono::milliseconds(0));
}

TEST_CASE("More targets than target_limit and none is scraped", "[scrape]") {
  Fixture f;
  f.Apply("- {job_name: j, target_limit: 1, static_configs: [{targets: [\"" + f.address() +
          "\", \"127.0.0.1:1\"]}]}\n");
  REQUIRE(f.Becomes(f.Instance("up"), "0"));
  CHECK(f.store_.Newest(f.Instance("a")) == "none");
}

TEST_CASE("A reload leaves unchanged jobs alone and ends what went", "[scrape]") {
  Fixture f;
  const std::string keep = f.Job("", "keep");
  f.Apply(keep + f.Job("", "go") + f.Job("", "change"));
  for (const std::string job : {"keep", "go", "change"}) {
    REQUIRE(f.Becomes(f.Instance("a", job), "1"));
  }
  const std::uint64_t lookups = f.store_.lookups();
  f.Apply(keep +
          f.Job("metric_relabel_configs: [{source_labels: [__name__], regex: a, action: drop}]",
                "change"));
  CHECK(f.store_.Newest(f.Instance("a", "go")) == "stale");
  CHECK(f.store_.Newest(f.Instance("up", "go")) == "stale");
  CHECK(f.Becomes(f.Instance("a", "change"), "stale"));
  CHECK(f.Becomes(f.Instance("up", "change"), "1"));
  f.SetPage("a 5\n");
  CHECK(f.Becomes(f.Instance("a", "keep"), "5"));
  CHECK(f.store_.lookups() ==
        lookups);  // nothing was found anew: the cache of `keep` is the old one
  CHECK(f.manager_->Targets().pools == std::vector<std::string>{"change", "keep"});
}

TEST_CASE("Targets from files come and go with the files", "[scrape]") {
  Fixture f;
  const test::TempFolder folder;
  const std::string path = folder.File("targets.json");
  f.Apply("- {job_name: j, file_sd_configs: [{files: [\"" + folder.path() + "/*.json\"]}]}\n");
  CHECK(f.manager_->Targets().active.empty());
  REQUIRE(WriteFileAtomic(path,
                          R"([{"targets": [")" + f.address() + R"("], "labels": {"zone": "z"}}])"));
  const std::string series = "a{instance=\"" + f.address() + "\", job=\"j\", zone=\"z\"}";
  REQUIRE(f.Becomes(series, "1"));
  CHECK(f.manager_->Targets().active.front().discovered_labels.Get("__meta_filepath") == path);
  REQUIRE(WriteFileAtomic(path, "[{\"targets\": [oops"));
  f.SetPage("a 2\n");
  REQUIRE(f.Becomes(series, "2"));
  REQUIRE(WriteFileAtomic(path, "[]"));
  REQUIRE(f.Becomes(series, "stale"));
}

TEST_CASE("After Stop nothing is stored any more", "[scrape]") {
  Fixture f;
  f.Apply(f.Job());
  REQUIRE(f.Becomes(f.Instance("a"), "1"));
  f.manager_->Stop();
  const std::size_t batches = f.store_.batches().size();
  f.Apply(f.Job("", "other"));
  f.manager_->Stop();
  CHECK(f.store_.batches().size() == batches);
  CHECK(f.store_.Newest(f.Instance("a")) == "1");
  Fixture stale({.stale_on_stop = true});
  stale.Apply(stale.Job());
  REQUIRE(stale.Becomes(stale.Instance("a"), "1"));
  stale.manager_->Stop();
  CHECK(stale.store_.Newest(stale.Instance("a")) == "stale");
}

TEST_CASE("The scraping side counts about itself", "[scrape]") {
  Fixture f;
  f.Apply(f.Job());
  REQUIRE(f.Becomes(f.Instance("a"), "1"));
  f.manager_->Stop();
  std::string page;
  exposition::PageWriter writer(exposition::Format::kText, page);
  f.instruments_.Write(writer);
  CHECK(page.find("skep_evaluator_scrape_pool_targets{scrape_job=\"j\"} 1\n") != std::string::npos);
  CHECK(page.find("\nskep_evaluator_scrapes_total 0\n") == std::string::npos);
  CHECK(page.find("\nskep_evaluator_scrapes_failed_total 0\n") != std::string::npos);
}

}  // namespace
}  // namespace skep::scrape
