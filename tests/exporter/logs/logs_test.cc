// The module with its threads, over a store in a folder.
#include "exporter/logs/logs.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/exporter/logs/fixtures.h"

namespace skep::logs {
namespace {

// Waits for what happens on other threads, up to half a minute.
template <typename Condition>
bool Happens(Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

// Fails as often as it is told to where logs are read.
class BreakingClock final : public Clock {
 public:
  Timestamp Now() const override {
    std::array<char, 16> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    if (std::string_view(name.data()) == "logs-read" && failures > 0) {
      --failures;
      throw std::runtime_error("broken");
    }
    return clock_.Now();
  }
  Steady SteadyNow() const override { return clock_.SteadyNow(); }

  mutable std::atomic<int> failures{0};

 private:
  SystemClock clock_;
};

class Module {
 public:
  Module() { Start(); }

  void Start() {
    sections_ = std::make_unique<Sections>();
    store_ = OpenStore(sections_->all(), store_clock_, folder_.File("state"));
    logs_ =
        std::make_unique<Logs>(Configured(Text()), *sections_, *store_, clock_, Logger::Silent());
    collector_ = logs_->MakeCollector();
    logs_->Start();
  }
  void End() {
    collector_.reset();
    logs_.reset();
    store_.reset();
    sections_.reset();
  }
  std::string Text(const std::string& more = "") const {
    return "poll_interval: 20ms\nsources: [{name: app, from_beginning: true, paths: ['" +
           folder_.path() + "/*.log']}" + more + "]";
  }
  // Each of one file, named after it.
  std::string Sources(const std::vector<std::string>& names) const {
    std::string text = "poll_interval: 20ms\nsources:\n";
    for (const std::string& name : names) {
      text += "- {name: " + name + ", from_beginning: true, paths: ['" +
              folder_.File(name + ".log") + "']}\n";
    }
    return text;
  }
  std::string Page() {
    std::string page = PageOf(*store_);
    exposition::PageWriter writer(exposition::Format::kText, page);
    exporter::CollectContext context{writer, std::chrono::steady_clock::time_point::max()};
    REQUIRE(collector_->Collect(context));
    return page;
  }
  bool Shows(const std::string& sample) {
    return Happens([&] { return Contains("\n" + Page(), "\n" + sample + "\n"); });
  }
  void Write(const std::string& name, std::string_view text) { Append(folder_.File(name), text); }
  Logs& logs() { return *logs_; }
  BreakingClock& clock() { return clock_; }
  const test::TempFolder& folder() const { return folder_; }

 private:
  test::TempFolder folder_;
  BreakingClock clock_;
  SystemClock store_clock_;
  std::unique_ptr<Sections> sections_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<Logs> logs_;
  std::unique_ptr<exporter::Collector> collector_;
};

TEST_CASE("Logs counts what is written, over restarts and reloads", "[logs]") {
  Module module;
  CHECK(module.Shows(R"(log_source_up{source="app"} 0)"));
  module.Write("a.log", "ERROR one\nINFO two\n");
  CHECK(module.Shows(R"(log_lines_total{level="error",source="app"} 1)"));
  CHECK(module.Shows(R"(log_source_up{source="app"} 1)"));
  CHECK(module.Shows(R"(log_files{source="app"} 1)"));
  CHECK(module.Shows(R"(log_file_size_bytes{source="app"} 19)"));
  CHECK(module.Shows(R"(log_unread_bytes{source="app"} 0)"));
  CHECK(Contains(module.Page(), "log_last_line_timestamp_seconds{source=\"app\"} "));
  module.End();
  module.Write("a.log", "ERROR three\n");
  module.Start();
  const bool resumed = module.Shows(R"(log_lines_total{level="error",source="app"} 2)");
  INFO(module.Page());
  CHECK(resumed);
  module.logs().Apply(Configured(module.Text(", {name: more, from_beginning: true, paths: ['" +
                                             module.folder().path() + "/*.log']}")));
  module.Write("b.log", "ERROR four\n");
  CHECK(module.Shows(R"(log_lines_total{level="error",source="app"} 3)"));
  CHECK(module.Shows(R"(log_lines_total{level="error",source="more"} 3)"));
  module.logs().Apply(Configured(""));
  CHECK(!Contains(module.Page(), "log_source_up"));
}

TEST_CASE("Logs reads on and can be reloaded after reading has thrown", "[logs]") {
  Module module;
  module.Write("a.log", "ERROR one\n");
  CHECK(module.Shows(R"(log_lines_total{level="error",source="app"} 1)"));
  // More than there are threads.
  module.clock().failures = 5;
  module.Write("a.log", "ERROR two\n");
  CHECK(module.Shows(R"(log_read_errors_total{reason="internal",source="app"} 5)"));
  CHECK(module.Shows(R"(log_lines_total{level="error",source="app"} 2)"));
  CHECK(module.Shows(R"(log_source_up{source="app"} 1)"));
  module.logs().Apply(Configured(module.Text()));
  module.Write("a.log", "ERROR three\n");
  CHECK(module.Shows(R"(log_lines_total{level="error",source="app"} 3)"));
}

TEST_CASE("Logs forgets a source that is gone for long, not one that comes back soon", "[logs]") {
  Module module;
  const std::string none = "sources: []";
  module.logs().Apply(Configured(none));
  module.Write("old.log", "ERROR one\n");
  module.Write("new.log", "ERROR one\n");
  std::filesystem::last_write_time(
      module.folder().File("old.log"),
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 40));
  for (const char* old : {"1", "2"}) {
    module.logs().Apply(Configured(module.Sources({"old", "new"})));
    CHECK(module.Shows(R"(log_lines_total{level="error",source="old"} )" + std::string(old)));
    CHECK(module.Shows(R"(log_lines_total{level="error",source="new"} 1)"));
    module.logs().Apply(Configured(none));
  }
  // What was read again would count twice.
  module.Write("new.log", "ERROR two\n");
  module.logs().Apply(Configured(module.Sources({"new"})));
  CHECK(module.Shows(R"(log_lines_total{level="error",source="new"} 2)"));
}

TEST_CASE("Logs is told of deployments", "[logs]") {
  Module module;
  module.Write("a.log", "ERROR known\n");
  CHECK(module.Shows(R"(log_patterns{source="app"} 1)"));
  module.logs().OnDeployment(SystemClock().Now() + Duration(1));
  CHECK(module.Shows(R"(log_patterns_since_deployment{source="app"} 0)"));
  CHECK(Happens([] {
    static const Timestamp begin = SystemClock().Now();
    return SystemClock().Now() > begin + Duration(2);
  }));
  module.Write("a.log", "ERROR known\nERROR of another kind\n");
  CHECK(module.Shows(R"(log_patterns_since_deployment{source="app"} 1)"));
  CHECK(module.Shows(R"(log_new_patterns_total{source="app"} 1)"));
}

}  // namespace
}  // namespace skep::logs
