#include "common/instrument/instruments.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "common/exposition/validator.h"
#include "common/instrument/process_metrics.h"

namespace skep::instrument {
namespace {

using exposition::Format;
using exposition::PageWriter;

std::string Page(const Instruments& instruments, Format format = Format::kText) {
  std::string page;
  PageWriter writer(format, page);
  instruments.Write(writer);
  writer.Finish();
  return page;
}

TEST_CASE("Instruments appear on the page by name and label", "[instrument]") {
  Instruments instruments;
  instruments.AddGauge("z", "last").Set(-1.5);
  const Counter b = instruments.AddCounter("a_total", "Counts\nthings.", {{"x", "b"}});
  const Counter a = instruments.AddCounter("a_total", "ignored", {{"x", "a"}});
  a.Increment();
  a.Increment(2);
  CHECK(b.value() == 0);
  const Histogram histogram = instruments.AddHistogram("h_seconds", "h", {0.5, 1});
  histogram.Observe(0.25);
  histogram.Observe(std::chrono::seconds(2));
  instruments.AddSource([](PageWriter& page) {
    page.Family("source", "s", exposition::MetricType::kGauge);
    page.Sample(7);
  });
  CHECK(Page(instruments) ==
        "# HELP a_total Counts\\nthings.\n# TYPE a_total counter\na_total{x=\"a\"} 3\n"
        "a_total{x=\"b\"} 0\n"
        "# HELP h_seconds h\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"0.5\"} 1\n"
        "h_seconds_bucket{le=\"1\"} 1\nh_seconds_bucket{le=\"+Inf\"} 2\nh_seconds_sum 2.25\n"
        "h_seconds_count 2\n"
        "# HELP z last\n# TYPE z gauge\nz -1.5\n"
        "# HELP source s\n# TYPE source gauge\nsource 7\n");
}

TEST_CASE("The same name and labels are the same instrument", "[instrument]") {
  Instruments instruments;
  instruments.AddCounter("a_total", "h", {{"x", "1"}}).Increment();
  CHECK(instruments.AddCounter("a_total", "h", {{"x", "1"}}).value() == 1);
  instruments.AddHistogram("h", "h", {1}).Observe(1.0);
  instruments.AddHistogram("h", "h", {1}).Observe(1.0);
  CHECK(Page(instruments).find("h_count 2") != std::string::npos);
  CHECK_THROWS_AS(instruments.AddGauge("a_total", "h"), std::invalid_argument);
}

TEST_CASE("Removed series leave the page", "[instrument]") {
  Instruments instruments;
  (void)instruments.AddCounter("a_total", "h", {{"x", "1"}});
  (void)instruments.AddHistogram("b", "h", {1}, {{"x", "1"}});
  (void)instruments.AddGauge("c", "h", {{"x", "1"}});
  instruments.RemoveCounter("a_total", {{"x", "2"}});
  CHECK(Page(instruments).find("a_total{x=\"1\"} 0") != std::string::npos);
  instruments.RemoveCounter("a_total", {{"x", "1"}});
  instruments.RemoveHistogram("b", {{"x", "1"}});
  instruments.RemoveGauge("c", {{"x", "1"}});
  instruments.RemoveGauge("never", {});
  CHECK(Page(instruments).empty());
}

TEST_CASE("Handles without instruments count nothing", "[instrument]") {
  Counter().Increment();
  Gauge().Set(1);
  Histogram().Observe(1.0);
  CHECK(Counter().value() == 0);
  CHECK(Gauge().value() == 0);
}

TEST_CASE("Several threads count without losing any", "[instrument]") {
  Instruments instruments;
  const Counter counter = instruments.AddCounter("a_total", "h");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          counter.Increment();
          (void)instruments.AddCounter("b_total", "h", {{"i", std::to_string(i % 7)}});
        }
      });
    }
  }
  CHECK(counter.value() == 4000);
}

TEST_CASE("A program tells about itself on a page without findings", "[instrument]") {
  Instruments instruments;
  instruments.AddSource([](PageWriter& page) {
    WriteProcessMetrics(page);
    WriteBuildInfo(page, "skep_test", "1.2.3");
  });
  const std::string text = Page(instruments);
  for (const std::string_view name :
       {"process_cpu_seconds_total ", "process_resident_memory_bytes ",
        "process_virtual_memory_bytes ", "process_open_fds ", "process_max_fds ",
        "process_threads ", "process_start_time_seconds ", "skep_test_build_info{"}) {
    CAPTURE(name);
    CHECK(text.find("\n" + std::string(name)) != std::string::npos);
  }
  CHECK(text.find("version=\"1.2.3\"} 1\n") != std::string::npos);
  const auto findings = exposition::LintPage(text, Format::kText);
  REQUIRE(findings);
  CHECK(findings->empty());
  const Status valid = exposition::ValidateOpenMetrics(Page(instruments, Format::kOpenMetrics));
  CAPTURE(valid ? "" : valid.error().message());
  CHECK(valid.has_value());
}

TEST_CASE("Without a readable /proc the process metrics are left out", "[instrument]") {
  std::string page;
  PageWriter writer(Format::kText, page);
  WriteProcessMetrics(writer, "/nowhere");
  CHECK(page.empty());
}

}  // namespace
}  // namespace skep::instrument
