#include "evaluator/transfer/export.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/model/sample.h"
#include "evaluator/transfer/analysis.h"
#include "evaluator/transfer/import.h"
#include "evaluator/transfer/store_reader.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/store.h"
#include "tests/evaluator/prometheusblock/block_files.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace skep;
using transfer::Export;
using transfer::ExportOptions;
using transfer::ExportSummary;
using transfer::StoreReader;

constexpr std::int64_t kBase = 1'700'000'000'000;

class FixedClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(kBase + 1000); }
  Steady SteadyNow() const override { return {}; }
};

// A store that a program has open: blocks with history, newer samples in the log.
class Rig {
 public:
  explicit Rig(std::string_view page) {
    std::filesystem::create_directories(path + "/blocks");
    test::WriteBytes(folder.File("page"), page);
    REQUIRE(transfer::Import(path, {folder.File("page")}, {}));
    int number = 1;
    for (const auto& file : std::filesystem::directory_iterator(path + "/inbox")) {
      if (file.path().extension() != ".block") continue;
      std::filesystem::rename(file.path(),
                              path + "/blocks/0000000" + std::to_string(number++) + ".block");
    }
    auto disk = tsdb::PosixDisk::Open(path);
    REQUIRE(disk);
    disk_ = *std::move(disk);
    tsdb::StoreOptions options;
    options.retention = Duration{0};
    auto store = tsdb::Store::Open(*disk_, options, clock_, Logger::Silent());
    REQUIRE(store);
    store_ = *std::move(store);
  }

  void Append(const Labels& labels, std::int64_t time, double value) {
    AppendFull(labels, {.time = FromMillis(time), .value = value});
  }
  void AppendFull(const Labels& labels, const FullSample& sample) {
    const auto appender = store_->NewAppender();
    storage::SeriesRef ref = 0;
    REQUIRE(appender->AppendFull(ref, labels, sample) == storage::AppendOutcome::kAccepted);
    REQUIRE(appender->Commit());
  }

  std::unique_ptr<StoreReader> Open() {
    remarks.clear();
    auto reader =
        StoreReader::Open(path, [this](const std::string& message) { remarks.push_back(message); });
    if (!reader) FAIL(reader.error().message());
    return *std::move(reader);
  }
  std::string ExportText(const ExportOptions& options = {}) {
    const auto reader = Open();
    std::string text;
    const Result<ExportSummary> exported =
        Export(*reader, options, [&text](std::string_view piece) {
          text += piece;
          return true;
        });
    REQUIRE(exported);
    summary = *exported;
    return text;
  }

  test::TempFolder folder;
  std::string path = folder.File("store");
  std::vector<std::string> remarks;
  ExportSummary summary;

 private:
  FixedClock clock_;
  std::unique_ptr<tsdb::PosixDisk> disk_;
  std::unique_ptr<tsdb::Store> store_;
};

// Flips a bit of the last chunk of a block, which stands before its index.
void SpoilBlock(const std::string& path) {
  std::string bytes = *ReadFile(path);
  const auto footer = tsdb::DecodeFooter(bytes, path);
  REQUIRE(footer);
  bytes[footer->index_offset - 1] ^= 1;
  std::filesystem::remove(path);  // the store has the old one mapped
  test::WriteBytes(path, bytes);
}

constexpr const char* kPage =
    "a_total{job=\"x\"} 1 1699900000000\n"
    "a_total{job=\"x\"} 2.5 1699900000015\n"
    "b{text=\"q\\\"u\\\\o\\nte\"} NaN 1699900000000\n"
    "c +Inf 1699900000000\n";

TEST_CASE("An export has blocks and log as one, in a store that is in use", "[transfer]") {
  Rig rig(kPage);
  rig.Append(Labels{{"__name__", "a_total"}, {"job", "x"}}, kBase, 3);
  rig.Append(Labels{{"__name__", "new"}}, kBase + 1, -0.5);
  CHECK(rig.ExportText() ==
        "a_total{job=\"x\"} 1 1699900000.000\n"
        "a_total{job=\"x\"} 2.5 1699900000.015\n"
        "a_total{job=\"x\"} 3 1700000000.000\n"
        "b{text=\"q\\\"u\\\\o\\nte\"} NaN 1699900000.000\n"
        "c +Inf 1699900000.000\n"
        "new -0.5 1700000000.001\n"
        "# EOF\n");
  CHECK(rig.summary.series == 4);
  CHECK(rig.summary.samples == 6);
  CHECK(rig.remarks.empty());
}

TEST_CASE("What was exported comes in again", "[transfer]") {
  Rig rig(kPage);
  rig.Append(Labels{{"__name__", "new"}, {"my.label", "v"}}, kBase, 0.1);
  for (const auto format : {exposition::Format::kOpenMetrics, exposition::Format::kText}) {
    ExportOptions options;
    options.format = format;
    const std::string text = rig.ExportText(options);
    Rig again(text);
    CHECK(again.ExportText(options) == text);
  }
}

TEST_CASE("An export can be of some series and of a range of time", "[transfer]") {
  Rig rig(kPage);
  ExportOptions options;
  options.format = exposition::Format::kText;
  options.selectors = {{Matcher::Equal(kMetricName, "a_total")}};
  options.range = {FromMillis(1'699'900'000'001), FromMillis(1'699'900'000'015)};
  CHECK(rig.ExportText(options) == "a_total{job=\"x\"} 2.5 1699900000015\n");
  options.range = {};
  options.selectors = {{Matcher::Equal(kMetricName, "c")},
                       {Matcher::Equal("job", "x")},
                       {Matcher::Equal(kMetricName, "a_total")}};
  CHECK(rig.ExportText(options) ==
        "a_total{job=\"x\"} 1 1699900000000\na_total{job=\"x\"} 2.5 1699900000015\n"
        "c +Inf 1699900000000\n");
}

TEST_CASE("What text has no form for is counted", "[transfer]") {
  Rig rig(kPage);
  rig.Append(Labels{{"__name__", "c"}}, kBase, kStaleNaN);
  rig.AppendFull(Labels{{"__name__", "h"}},
                 {.time = FromMillis(kBase), .histogram = std::make_shared<const Histogram>()});
  CHECK(rig.ExportText().find("\nh") == std::string::npos);
  CHECK(rig.summary.stale_markers == 1);
  CHECK(rig.summary.histograms == 1);
  CHECK(rig.summary.series == 3);
}

TEST_CASE("An export whose reader has gone ends", "[transfer]") {
  Rig rig(kPage);
  const auto reader = rig.Open();
  const Result<ExportSummary> exported =
      Export(*reader, {}, [](std::string_view) { return false; });
  REQUIRE_FALSE(exported);
  CHECK(exported.error().kind() == ErrorKind::kCanceled);
}

TEST_CASE("A series with a damaged chunk is left out and told, the others are read", "[transfer]") {
  Rig rig("a 1 1699900000000\nb 1 1699900000000\n");
  SpoilBlock(rig.path + "/blocks/00000001.block");
  std::vector<std::string> told;
  ExportOptions options;
  options.on_damage = [&told](const std::string& message) { told.push_back(message); };
  CHECK(rig.ExportText(options) == "a 1 1699900000.000\n# EOF\n");
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], Catch::StartsWith("left out: b: blocks/00000001.block at byte"));
  const auto reader = rig.Open();
  const auto exported = Export(*reader, {}, [](std::string_view) { return true; });
  REQUIRE_FALSE(exported);
  CHECK(exported.error().kind() == ErrorKind::kCorrupt);
}

TEST_CASE("A damaged block is left out and told, the others are read", "[transfer]") {
  Rig rig("a 1 1699900000000\nb 1 1699700000000\n");
  const std::string path = rig.path + "/blocks/00000002.block";
  std::string bytes = *ReadFile(path);
  bytes.resize(bytes.size() / 2);
  std::filesystem::remove(path);  // the store has the old one mapped
  test::WriteBytes(path, bytes);
  (void)rig.ExportText();
  CHECK(rig.summary.samples == 1);
  REQUIRE(rig.remarks.size() == 1);
  CHECK(rig.remarks[0].find("00000002.block") != std::string::npos);
  const auto none = StoreReader::Open("/proc/self", [](const std::string&) {});
  REQUIRE_FALSE(none);
  CHECK(none.error().message().starts_with("/proc/self is no store"));
  const test::TempFolder imported;
  std::filesystem::create_directory(imported.File("inbox"));
  const auto waits = StoreReader::Open(imported.File(""), [](const std::string&) {});
  REQUIRE_FALSE(waits);
  CHECK(waits.error().message().ends_with(
      "what was imported waits in the folder \"inbox\" until an evaluator is started on it"));
}

TEST_CASE("An analysis tells bytes, cardinality and churn", "[transfer]") {
  constexpr std::int64_t kDay = 86'400'000;
  constexpr std::int64_t kHour = 3'600'000;
  std::string page;
  const auto add = [&page](const std::string& series, std::int64_t first, std::int64_t last) {
    for (std::int64_t time = first; time <= last; time += 60'000) {
      page += series + " " + std::to_string(time % 977) + " " + std::to_string(time) + "\n";
    }
  };
  add("steady{job=\"a\",i=\"1\"}", kBase - 2 * kDay, kBase);
  add("steady{job=\"a\",i=\"2\"}", kBase - 2 * kDay, kBase);
  add("began{job=\"a\"}", kBase - kHour, kBase);
  add("ended{job=\"b\"}", kBase - kDay, kBase - kHour);
  add("old{job=\"b\"}", kBase - 2 * kDay, kBase - 2 * kDay + 600'000);
  Rig rig(page);
  rig.Append(Labels{{"__name__", "logged"}}, kBase + 1000, 1);
  const auto reader = rig.Open();
  const Result<transfer::StoreAnalysis> analysis = transfer::Analyze(*reader, 3);
  REQUIRE(analysis);
  CHECK(analysis->series == 6);
  CHECK(analysis->blocks == 3);
  CHECK(analysis->log_samples == 1);
  CHECK(analysis->block_samples == 2 * 2881 + 61 + 1381 + 11);
  CHECK(ToMillis(analysis->min_time) == kBase - 2 * kDay);
  CHECK(ToMillis(analysis->max_time) == kBase + 1000);
  CHECK(analysis->began == 2);  // and the logged one
  CHECK(analysis->ended == 1);
  REQUIRE(analysis->metrics.size() == 3);
  CHECK(analysis->metrics[0].name == "steady");
  CHECK(analysis->metrics[0].series == 2);
  CHECK(analysis->metrics[0].samples == 2 * 2881);
  CHECK(analysis->metrics[0].bytes > analysis->metrics[1].bytes);
  CHECK(analysis->values_by_label[0].name == "__name__");
  CHECK(analysis->values_by_label[0].count == 5);
  CHECK(analysis->series_by_pair[0].name == "job=a");
  CHECK(analysis->series_by_pair[0].count == 3);
  CHECK(analysis->churn_by_metric.size() == 3);
  CHECK(analysis->churn_by_pair[0].count == 1);
}

TEST_CASE("The bytes of all metrics are those of the parts of the blocks", "[transfer]") {
  Rig rig(kPage);
  const auto reader = rig.Open();
  const Result<transfer::StoreAnalysis> analysis = transfer::Analyze(*reader, 100);
  REQUIRE(analysis);
  std::uint64_t bytes = 0;
  for (const transfer::MetricShare& each : analysis->metrics) bytes += each.bytes;
  const tsdb::BlockParts& parts = analysis->parts;
  const std::uint64_t all = parts.times + parts.values + parts.starts + parts.summaries;
  CHECK(bytes <= all);
  CHECK(bytes + 10 >= all);  // times of several series divide unevenly
}

}  // namespace
