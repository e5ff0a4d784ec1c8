#include "evaluator/intake/import.h"

#include <catch2/catch.hpp>

#include "evaluator/tsdb/head.h"
#include "tests/evaluator/intake/dump.h"
#include "tests/support/recording_store.h"

namespace skep::intake::test {
namespace {

using Lines = std::vector<std::string>;

struct Imported {
  Lines series;
  std::string complaint;
};

Imported Import(std::string_view page, const ImportOptions& options = {}) {
  tsdb::Head head({});
  Batch batch(head, kMaxTimestamp);
  REQUIRE(ImportPage(page, options, batch));
  return {Dump(head), batch.Complaint()};
}

// Samples of one series, a second apart.
std::string LongPage(int samples) {
  std::string page;
  for (int i = 0; i < samples; ++i) {
    page += "a " + std::to_string(i) + " " + std::to_string(1000 * (i + 1)) + "\n";
  }
  return page;
}

// Commits fail from some batch on.
class FailingStore final : public storage::Appendable {
 public:
  explicit FailingStore(int good_commits) : good_commits_(good_commits) {}
  std::unique_ptr<storage::Appender> NewAppender() override {
    if (good_commits_-- > 0) return head_.NewAppender();
    return std::make_unique<Appender>(head_.NewAppender());
  }

 private:
  class Appender final : public storage::Appender {
   public:
    explicit Appender(std::unique_ptr<storage::Appender> inner) : inner_(std::move(inner)) {}
    storage::AppendOutcome Append(storage::SeriesRef& ref, const Labels& labels,
                                  Sample sample) override {
      return inner_->Append(ref, labels, sample);
    }
    std::optional<storage::AppendOutcome> AppendKnown(storage::SeriesRef ref,
                                                      Sample sample) override {
      return inner_->AppendKnown(ref, sample);
    }
    storage::AppendOutcome AppendFull(storage::SeriesRef& ref, const Labels& labels,
                                      const FullSample& sample) override {
      return inner_->AppendFull(ref, labels, sample);
    }
    Status Commit() override { return Error(ErrorKind::kIo, "disk full"); }

   private:
    std::unique_ptr<storage::Appender> inner_;
  };

  tsdb::Head head_{tsdb::HeadOptions{}};
  int good_commits_;
};

}  // namespace

TEST_CASE("A page of history becomes series", "[intake]") {
  const Imported got = Import(
      "# TYPE a counter\n"
      "a{x=\"1\"} 1 1000\n"
      "a{x=\"1\"} 2 2000\n"
      "b 7 1500\n"
      "a{x=\"1\"} 3 3000\n");
  CHECK(got.series == Lines{R"(a{x="1"} 1@1000 2@2000 3@3000)", "b 7@1500"});
  CHECK(got.complaint.empty());
}

TEST_CASE("A long page of history is committed in parts", "[intake]") {
  skep::test::RecordingStore store;
  Batch batch(store, kMaxTimestamp);
  REQUIRE(ImportPage(LongPage(20'000), {}, batch));
  CHECK(batch.accepted() == 20'000);
  CHECK(batch.committed() == 20'000);
  std::size_t samples = 0;
  for (const auto& each : store.batches()) {
    CHECK(each.size() <= 8192);
    samples += each.size();
  }
  CHECK(store.batches().size() == 3);
  CHECK(samples == 20'000);
  CHECK(store.batches()[1].front() == "a 8192 @8193000");
}

TEST_CASE("A page of history whose commit fails says how much of it was taken", "[intake]") {
  const std::string page = LongPage(20'000);
  for (const int good : {0, 1, 2}) {
    CAPTURE(good);
    FailingStore store(good);
    Batch batch(store, kMaxTimestamp);
    const Status status = ImportPage(page, {}, batch);
    REQUIRE_FALSE(status);
    CHECK(status.error().message() == "disk full");
    CHECK(batch.committed() == static_cast<std::size_t>(good) * 8192);
  }
}

TEST_CASE("OpenMetrics has its times in seconds", "[intake]") {
  ImportOptions options;
  options.format = exposition::Format::kOpenMetrics;
  CHECK(Import("a 1 1.5\na 2 2\n# EOF\n", options).series == Lines{"a 1@1500 2@2000"});
}

TEST_CASE("Lines without time get the one given", "[intake]") {
  ImportOptions options;
  options.time = FromMillis(5000);
  CHECK(Import("a 1\nb 2 3000\n", options).series == Lines{"a 1@5000", "b 2@3000"});
}

TEST_CASE("Extra labels stand in place of the page's", "[intake]") {
  ImportOptions options;
  options.extra_labels = {{"job", "old"}, {"x", "2"}};
  CHECK(Import("a{x=\"1\"} 1 1000\n", options).series == Lines{R"(a{job="old", x="2"} 1@1000)"});
}

TEST_CASE("A bad line costs itself and is named", "[intake]") {
  const Imported got = Import("a 1 1000\nb{ 2 1000\nc x 1000\nd 4 1000\n");
  CHECK(got.series == Lines{"a 1@1000", "d 4@1000"});
  CHECK(got.complaint.starts_with("2 of 4 samples refused (2 syntax); the first: line 2: "));
}

TEST_CASE("Every page cut anywhere is imported up to the cut", "[intake]") {
  const std::string page = "a{x=\"1\"} 1 1000\n\nb{y=\"2\"} 2 1000\n# HELP c d\nc 3 1000\n";
  for (std::size_t size = 0; size <= page.size(); ++size) {
    const Imported got = Import(std::string_view(page).substr(0, size));
    const std::size_t whole = size == page.size() ? 3 : size > 34 ? 2 : size > 16 ? 1 : 0;
    if (got.series.size() < whole) FAIL("cut at " << size);
  }
}

TEST_CASE("What is older than its series is refused, what is equal is not", "[intake]") {
  const Imported got = Import("a 1 2000\na 1 2000\na 5 2000\na 2 1000\na 3 3000\n");
  CHECK(got.series == Lines{"a 1@2000 3@3000"});
  CHECK(got.complaint ==
        "2 of 5 samples refused (1 duplicate, 1 out of order); the first: a at 2000 ms: duplicate");
}

TEST_CASE("Labels that are none are refused, the rest of the page is not", "[intake]") {
  const Imported got = Import("a{x=\"1\",x=\"2\"} 1 1000\na{x=\"\xff\"} 1 1000\nb 1 1000\n");
  CHECK(got.series == Lines{"b 1@1000"});
  CHECK(got.complaint.starts_with("2 of 3 samples refused (2 labels); the first: line 1: "));
}

TEST_CASE("Times that cannot be are refused", "[intake]") {
  const Imported got =
      Import("a 1 9223372036854775807\na 1 -9223372036854775808\na 1 253402300799999\n");
  CHECK(got.series == Lines{"a 1@253402300799999"});
  CHECK(got.complaint.starts_with("2 of 3 samples refused (1 too old, 1 too new)"));
}

}  // namespace skep::intake::test
