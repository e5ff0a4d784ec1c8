#include "evaluator/transfer/import.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "common/base/number.h"
#include "common/net/gzip.h"
#include "evaluator/transfer/store_reader.h"
#include "tests/evaluator/prometheusblock/block_files.h"
#include "tests/evaluator/transfer/store_content.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace skep;
using storage::SampleColumns;
using transfer::Import;
using transfer::ImportOptions;
using transfer::ImportSummary;
using transfer::OnDamage;

constexpr std::int64_t kBase = 1'700'000'000'000;  // 22:13:20 of a day
constexpr std::int64_t kDay = 86'400'000;

// A store's folder, a file to import, and the remarks of the last import.
struct Rig {
  test::TempFolder folder;
  std::string store = folder.File("store");
  std::vector<std::string> remarks;
  ImportOptions options;

  Rig() {
    std::filesystem::create_directory(store);
    options.remark = [this](const std::string& message) { remarks.push_back(message); };
  }
  std::string Write(std::string_view name, std::string_view bytes) {
    test::WriteBytes(folder.File(name), bytes);
    return folder.File(name);
  }
  Result<ImportSummary> Run(const std::vector<std::string>& inputs) {
    remarks.clear();
    return Import(store, inputs, options);
  }
  ImportSummary RunWell(const std::vector<std::string>& inputs) {
    const Result<ImportSummary> summary = Run(inputs);
    if (!summary) FAIL(summary.error().message());
    return *summary;
  }
};

void CheckSeries(const SampleColumns& samples,
                 const std::vector<std::pair<std::int64_t, double>>& rows) {
  REQUIRE(samples.times.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(ToMillis(samples.times[i]) == rows[i].first);
    CHECK(samples.values[i] == rows[i].second);
  }
}

TEST_CASE("Prometheus's text with time stamps comes in, in whatever order", "[transfer]") {
  Rig rig;
  const std::string path = rig.Write("page.prom",
                                     "# HELP a_total Help.\n# TYPE a_total counter\n"
                                     "a_total{job=\"x\"} 3 1700000002000\n"
                                     "b 1 1700000000000\n\n"
                                     "a_total{job=\"x\"} 1 1700000000000\n"
                                     "a_total{ job = \"x\" } 2 1700000001000\n"
                                     "a_total{job=\"x\"} 9 1700100000000");
  const ImportSummary summary = rig.RunWell({path});
  CHECK(summary.inputs == 1);
  CHECK(summary.damaged == 0);
  CHECK(summary.imported.blocks == 2);
  CHECK(summary.imported.series == 2);
  CHECK(summary.imported.samples == 5);
  CHECK(ToMillis(summary.imported.min_time) == kBase);
  CHECK(ToMillis(summary.imported.max_time) == kBase + 100'000'000);
  CHECK(rig.remarks.empty());
  test::StoreContent content = test::ReadInbox(rig.store);
  CHECK(content.blocks.size() == 2);
  CHECK(content.series.size() == 2);
  CheckSeries(content.series[R"(a_total{job="x"})"],
              {{kBase, 1}, {kBase + 1000, 2}, {kBase + 2000, 3}, {kBase + 100'000'000, 9}});
  CheckSeries(content.series["b"], {{kBase, 1}});
}

TEST_CASE("OpenMetrics is known by its end, and has seconds", "[transfer]") {
  Rig rig;
  const std::string text =
      "# TYPE a counter\na_total{job=\"x\"} 1 1700000000.5 # {id=\"e\"} 1\na_total{job=\"x\"} 2 "
      "1700000001\n# EOF\n";
  std::string pressed;
  net::GzipWriter().Finish(text, pressed);
  for (const std::string& path : {rig.Write("page.om", text), rig.Write("page.om.gz", pressed)}) {
    (void)rig.RunWell({path});
    test::StoreContent content = test::ReadInbox(rig.store);
    CheckSeries(content.series[R"(a_total{job="x"})"], {{kBase + 500, 1}, {kBase + 1000, 2}});
    std::filesystem::remove_all(rig.store + "/inbox");
  }
}

// Many samples in random order: the plain answer beside what the import made in many parts.
TEST_CASE("An import that does not fit into memory has every sample once", "[transfer]") {
  Rig rig;
  rig.options.sorter_bytes = 20'000;
  std::mt19937_64 random(3);
  std::map<std::string, std::map<std::int64_t, double>> expected;
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    const std::string series = "m{i=\"" + std::to_string(random() % 40) + "\"}";
    const std::int64_t time = kBase + static_cast<std::int64_t>(random() % 3000) * 100'000;
    const auto value = static_cast<double>(i);
    expected[series][time] = value;
    text += series + " " + FormatDouble(value) + " " + std::to_string(time) + "\n";
  }
  const ImportSummary summary = rig.RunWell({rig.Write("page", text)});
  CHECK(summary.imported.series == 40);
  CHECK(summary.imported.blocks == 5);
  test::StoreContent content = test::ReadInbox(rig.store);
  REQUIRE(content.series.size() == expected.size());
  std::size_t samples = 0;
  for (const auto& [series, rows] : expected) {
    CAPTURE(series);
    const SampleColumns& got = content.series[series];
    samples += rows.size();
    REQUIRE(got.times.size() == rows.size());
    std::size_t i = 0;
    for (const auto& [time, value] : rows) {
      CHECK((ToMillis(got.times[i]) == time && got.values[i] == value));
      ++i;
    }
  }
  CHECK(summary.imported.samples == samples);
  CHECK(summary.samples == 20'000);
}

TEST_CASE("A bad line stops the import with its number, and nothing comes in", "[transfer]") {
  Rig rig;
  const struct {
    std::string text, message;
  } cases[] = {
      {"a 1 1700000000000\nb{ 1 1\n", "line 2: "},
      {"a 1 1700000000000\n\n# comment\nb 1\n", "line 4: a sample without a time stamp"},
      {"a 1 1700000000\nb 2 1700000000000000\n", "line 2: a time stamp after the year 9999"},
      {"a 1 -62167219200001\n", "line 1: a time stamp before the year 0"},
      {"a 1 -9223372036854775808\n", "line 1: a time stamp before the year 0"},
      {"a 1 1700000000000\na{x=\"1\",x=\"2\"} 1 1\n", "line 2: "},
      {"a 1 1700000000\nc d\n# EOF\n", "line 2: "},
      {"a 1 1700000000\n# EOF\nb 1 1700000000\n# EOF\n", "line 2: text after # EOF"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.text);
    const std::string path = rig.Write("page", each.text);
    const Result<ImportSummary> summary = rig.Run({path});
    REQUIRE_FALSE(summary);
    CHECK(summary.error().message().starts_with(path + ": " + each.message));
    CHECK(test::ReadInbox(rig.store).blocks.empty());
  }
  CHECK_FALSE(rig.Run({rig.folder.File("nothing")}));
}

TEST_CASE("Bad lines can be skipped: each is told, the others come in", "[transfer]") {
  Rig rig;
  rig.options.on_damage = OnDamage::kSkip;
  const std::string path = rig.Write(
      "page", "a 1 1700000000000\nb{ 1 1\nc 1\n\nd 1 1700000000000\n}\na 2 1700000001000\n");
  const ImportSummary summary = rig.RunWell({path});
  CHECK(summary.damaged == 3);
  REQUIRE(rig.remarks.size() == 3);
  CHECK(rig.remarks[0].starts_with(path + ": line 2: "));
  CHECK(rig.remarks[1].starts_with(path + ": line 3: "));
  CHECK(rig.remarks[2].starts_with(path + ": line 6: "));
  test::StoreContent content = test::ReadInbox(rig.store);
  CheckSeries(content.series["a"], {{kBase, 1}, {kBase + 1000, 2}});
  CheckSeries(content.series["d"], {{kBase, 1}});
}

TEST_CASE("A large page is read in pieces, whose lines are counted on", "[transfer]") {
  Rig rig;
  std::string text;
  const int lines = 150'000;  // more than 4 MB
  for (int i = 0; i < lines; ++i) {
    text += "metric{i=\"" + std::to_string(i % 7) + "\"} " + std::to_string(i) + " " +
            std::to_string(1'700'000'000 + i) + "\n";
  }
  const std::string good = rig.Write("good.om", text + "# EOF\n");
  CHECK(rig.RunWell({good}).imported.samples == lines);
  const std::string bad = rig.Write("bad.om", text + "!\n# EOF\n");
  const Result<ImportSummary> refused = rig.Run({bad});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().starts_with(bad + ": line 150001: "));
}

TEST_CASE("A block of Prometheus comes in whole", "[transfer]") {
  Rig rig;
  const ImportSummary summary = rig.RunWell({test::kBlock});
  CHECK(summary.inputs == 1);
  CHECK(summary.imported.blocks == 2);  // it goes over midnight
  CHECK(summary.imported.series == 7);  // of one all samples are deleted
  CHECK(summary.imported.samples == 839 - 40);
  test::StoreContent content = test::ReadInbox(rig.store);
  const SampleColumns& counter = content.series[R"(counter_total{instance="h:1", job="a"})"];
  REQUIRE(counter.times.size() == 300);
  CHECK(counter.values[299] == 897);
  const SampleColumns& whole = content.series[R"(whole_histogram{job="a"})"];
  CHECK(whole.histograms.size() == 150);
  CHECK(whole.histograms.values[149]->sum == 1.5 * 149);
  CHECK(whole.times.size() == 1);
}

TEST_CASE("All blocks of a folder come in, equal samples once", "[transfer]") {
  Rig rig;
  const std::string data = rig.folder.File("data");
  std::filesystem::create_directories(data + "/wal");
  test::CopyOfBlock(data + "/01A");
  test::CopyOfBlock(data + "/01B");
  const ImportSummary summary = rig.RunWell({data});
  CHECK(summary.inputs == 2);
  CHECK(summary.imported.samples == 839 - 40);
  REQUIRE(rig.remarks.size() == 1);
  CHECK(rig.remarks[0].find("snapshot") != std::string::npos);
  std::filesystem::create_directories(rig.folder.File("empty"));
  const Result<ImportSummary> empty = rig.Run({rig.folder.File("empty")});
  REQUIRE_FALSE(empty);
  CHECK(empty.error().message().ends_with("no block of Prometheus is in this folder"));
}

TEST_CASE("A damaged chunk stops an import, or costs itself", "[transfer]") {
  Rig rig;
  const std::string copy = test::CopyOfBlock(rig.folder.File("block"));
  const std::string path = copy + "/chunks/000001";
  std::string bytes = *ReadFile(path);
  bytes[20] = static_cast<char>(bytes[20] ^ 4);
  test::WriteBytes(path, bytes);
  const Result<ImportSummary> refused = rig.Run({copy});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find(path + ": chunk at byte 8: ") != std::string::npos);
  CHECK(test::ReadInbox(rig.store).blocks.empty());
  rig.options.on_damage = OnDamage::kSkip;
  const ImportSummary summary = rig.RunWell({copy});
  CHECK(summary.damaged == 1);
  CHECK(summary.imported.samples == 839 - 40 - 143);
}

TEST_CASE("What an import that died left behind is taken away by the next", "[transfer]") {
  Rig rig;
  std::filesystem::create_directories(rig.store + "/inbox/importing");
  test::WriteBytes(rig.store + "/inbox/importing/0.block", "half a bl");
  (void)rig.RunWell({rig.Write("page", "a 1 1700000000000\n")});
  CHECK(test::ReadInbox(rig.store).blocks.size() == 1);
}

TEST_CASE("A store that is not there is told; two imports at once are not", "[transfer]") {
  Rig rig;
  const std::string path = rig.Write("page", "a 1 1700000000000\n");
  const Result<ImportSummary> nowhere = Import(rig.folder.File("x"), {path}, rig.options);
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().message().starts_with(rig.folder.File("x") + " is no folder"));
  const auto first = transfer::DayBlocks::Open(rig.store);
  REQUIRE(first);
  const Result<ImportSummary> second = rig.Run({path});
  REQUIRE_FALSE(second);
  CHECK(second.error().kind() == ErrorKind::kUnavailable);
}

TEST_CASE("What is no regular file is read to its end, plain and pressed", "[transfer]") {
  Rig rig;
  std::string pressed;
  net::GzipWriter().Finish("a 1 1700000000.000\n# EOF\n", pressed);
  for (const std::string& bytes : {std::string("a 1 1700000000000\n"), pressed}) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    ::close(ends[1]);
    CHECK(rig.RunWell({"/proc/self/fd/" + std::to_string(ends[0])}).imported.samples == 1);
    ::close(ends[0]);
    test::StoreContent content = test::ReadInbox(rig.store);
    CheckSeries(content.series["a"], {{kBase, 1}});
    std::filesystem::remove_all(rig.store + "/inbox");
  }
}

TEST_CASE("Of a pressed page that is damaged what stands before can come in", "[transfer]") {
  Rig rig;
  int stops = 0;
  rig.options.stopped_by_damage = [&stops] { ++stops; };
  std::mt19937_64 random(7);
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += "a " + std::to_string(random() % 1'000'000'007) + " " +
            std::to_string(1'700'000'000 + i) + "\n";
  }
  std::string pressed;
  net::GzipWriter().Finish(text + "# EOF\n", pressed);
  const std::string path = rig.Write("cut.gz", pressed.substr(0, pressed.size() * 3 / 4));
  const std::string good = rig.Write("good", "b 1 1700000000000\n");
  const Result<ImportSummary> refused = rig.Run({good, path});
  REQUIRE_FALSE(refused);
  CHECK(stops == 1);
  CHECK(refused.error().message().starts_with(path + ": gzip: cut short"));
  CHECK(test::ReadInbox(rig.store).blocks.empty());
  rig.options.on_damage = OnDamage::kSkip;
  // Without its end nobody knows whether those are seconds.
  const ImportSummary unknown = rig.RunWell({good, path});
  CHECK(unknown.imported.samples == 1);
  REQUIRE(rig.remarks.size() == 1);
  CHECK(rig.remarks[0].find("give --format") != std::string::npos);
  rig.options.format = exposition::Format::kOpenMetrics;
  const ImportSummary summary = rig.RunWell({path});
  CHECK(summary.damaged == 1);
  CHECK(rig.remarks == std::vector<std::string>{path + ": gzip: cut short"});
  CHECK(summary.imported.samples > 10'000);
  CHECK(summary.imported.samples < 20'000);
  CHECK(stops == 1);
}

TEST_CASE("A store that is the data folder of a Prometheus is refused and left alone",
          "[transfer]") {
  Rig rig;
  std::filesystem::create_directories(rig.store + "/wal/checkpoint.00000003");
  const Result<ImportSummary> refused = rig.Run({rig.Write("page", "a 1 1700000000000\n")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().starts_with(rig.store + ": this is the data folder of a Prom"));
  CHECK_FALSE(std::filesystem::exists(rig.store + "/inbox"));
  CHECK_FALSE(transfer::StoreReader::Open(rig.store, [](const std::string&) {}));
}

TEST_CASE("Samples of the future are counted", "[transfer]") {
  Rig rig;
  rig.options.now = FromMillis(kBase);
  CHECK(
      rig.RunWell({rig.Write("page", "a 1 1700000000000\na 2 1700000000001\na 3 4102444800000\n")})
          .future == 2);
  CHECK(rig.RunWell({test::kBlock}).future > 0);
}

TEST_CASE("An import by root leaves everything to the owner of the store", "[transfer]") {
  if (::geteuid() != 0) return;  // nobody else can give files away
  constexpr ::uid_t kUser = 65534;
  constexpr ::gid_t kGroup = 65533;
  Rig rig;
  REQUIRE(::chown(rig.store.c_str(), kUser, kGroup) == 0);
  const auto check = [&] {
    for (const auto& each : std::filesystem::recursive_directory_iterator(rig.store)) {
      struct ::stat info {};
      REQUIRE(::stat(each.path().c_str(), &info) == 0);
      CAPTURE(each.path().string());
      CHECK(info.st_uid == kUser);
      CHECK(info.st_gid == kGroup);
    }
  };
  {
    const auto running = transfer::DayBlocks::Open(rig.store);
    REQUIRE(running);
    CHECK(std::filesystem::exists(rig.store + "/inbox/importing"));
    check();
  }
  (void)rig.RunWell({rig.Write("page", "a 1 1700000000000\n")});
  CHECK(std::filesystem::exists(rig.store + "/inbox/lock"));
  check();
}

TEST_CASE("Days are those of UTC, before 1970 too", "[transfer]") {
  CHECK(transfer::DayOf(FromMillis(0)) == 0);
  CHECK(transfer::DayOf(FromMillis(-1)) == -1);
  CHECK(transfer::DayOf(FromMillis(kDay - 1)) == 0);
  CHECK(ToMillis(transfer::SpanOfDay(1).min) == kDay);
  CHECK(ToMillis(transfer::SpanOfDay(1).max) == 2 * kDay - 1);
}

}  // namespace
