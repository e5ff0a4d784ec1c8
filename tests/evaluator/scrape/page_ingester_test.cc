#include "evaluator/scrape/page_ingester.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "tests/support/recording_store.h"

namespace skep::scrape {
namespace {

using exposition::Format;
using Lines = std::vector<std::string>;

JobOptions Job(const std::function<void(JobOptions&)>& change) {
  JobOptions job;
  change(job);
  return job;
}

class Fixture {
 public:
  explicit Fixture(JobOptions options = {}, Labels target = {{"instance", "i"}, {"job", "j"}}) {
    job_ = std::make_shared<JobOptions>(std::move(options));
    ingester_ = std::make_unique<PageIngester>(PageSink{store_}, job_, std::move(target));
  }

  IngestResult Page(std::string_view body, Format format = Format::kText) {
    ++now_;
    return ingester_->Ingest({body, format, FromMillis(now_ * 1000), 0.5, {}});
  }
  IngestResult Failure() {
    ++now_;
    return ingester_->Ingest(
        {{}, Format::kText, FromMillis(now_ * 1000), 0.5, Unavailable("connection refused")});
  }

  // What the last batch holds, without the series about the scrape and the target's labels.
  Lines Last() const {
    Lines out;
    for (std::string line : store_.LastBatch()) {
      const std::string target = "instance=\"i\", job=\"j\"";
      if (line.starts_with("up{") || line.starts_with("scrape_")) continue;
      if (const std::size_t at = line.find(target); at != std::string::npos) {
        line.erase(at, target.size());
      }
      out.push_back(line);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::string Report(const std::string& name) const {
    return store_.Newest(name + "{instance=\"i\", job=\"j\"}");
  }

  test::RecordingStore store_;
  std::shared_ptr<const JobOptions> job_;
  std::unique_ptr<PageIngester> ingester_;
  std::int64_t now_ = 0;
};

TEST_CASE("A page is one batch with the series about the scrape", "[scrape]") {
  Fixture f;
  const IngestResult result = f.Page("# TYPE a gauge\na 1\nb{x=\"y\"} 2\n");
  CHECK(result.status.has_value());
  CHECK(result.samples == 2);
  CHECK(result.series_added == 2);
  CHECK(
      f.store_.batches() ==
      std::vector<Lines>{
          {"a{instance=\"i\", job=\"j\"} 1 @1000", "b{instance=\"i\", job=\"j\", x=\"y\"} 2 @1000",
           "up{instance=\"i\", job=\"j\"} 1 @1000",
           "scrape_duration_seconds{instance=\"i\", job=\"j\"} 0.5 @1000",
           "scrape_samples_scraped{instance=\"i\", job=\"j\"} 2 @1000",
           "scrape_samples_post_metric_relabeling{instance=\"i\", job=\"j\"} 2 @1000",
           "scrape_series_added{instance=\"i\", job=\"j\"} 2 @1000"}});
  CHECK(f.Page("a 1\nb{x=\"y\"} 2\n").series_added == 0);
}

TEST_CASE("A series that vanishes ends at once", "[scrape]") {
  Fixture f;
  f.Page("a 1\nb 2\nc 3\n");
  f.Page("a 1\nc 3\n");
  CHECK(f.Last() == Lines{"a{} 1 @2000", "b{} stale @2000", "c{} 3 @2000"});
  f.Page("a 1\nc 3\n");
  CHECK(f.Last() == Lines{"a{} 1 @3000", "c{} 3 @3000"});
  f.Page("a 1\nb 5\nc 3\n");
  CHECK(f.Last() == Lines{"a{} 1 @4000", "b{} 5 @4000", "c{} 3 @4000"});
  f.Page("");
  CHECK(f.Last() == Lines{"a{} stale @5000", "b{} stale @5000", "c{} stale @5000"});
  CHECK(f.Report("up") == "1");
}

TEST_CASE("Another order of lines or labels is the same series", "[scrape]") {
  Fixture f;
  f.Page("a{x=\"1\",y=\"2\"} 1\nb 2\nc 3\n");
  const std::uint64_t lookups = f.store_.lookups();
  f.Page("c 4\na{x=\"1\",y=\"2\"} 5\nb 6\n");
  CHECK(f.Last() == Lines{"a{, x=\"1\", y=\"2\"} 5 @2000", "b{} 6 @2000", "c{} 4 @2000"});
  CHECK(f.store_.lookups() == lookups);
  f.Page("c 4\na{y=\"2\",x=\"1\"} 7\nb 6\n");
  CHECK(f.Last() == Lines{"a{, x=\"1\", y=\"2\"} 7 @3000", "b{} 6 @3000", "c{} 4 @3000"});
}

TEST_CASE("A series that the store lost gets its labels again", "[scrape]") {
  Fixture f;
  const std::string page =
      "# TYPE h histogram\nh_bucket{le=\"1\"} 1\n# TYPE le gauge\nx{le=\"1\"} 2\n";
  f.Page(page);
  CHECK(f.Last() == Lines{"h_bucket{, le=\"1.0\"} 1 @1000", "x{, le=\"1\"} 2 @1000"});
  f.Page(page);
  f.store_.ForgetSeries();
  f.Page(page);
  CHECK(f.Last() == Lines{"h_bucket{, le=\"1.0\"} 1 @3000", "x{, le=\"1\"} 2 @3000"});
  const std::uint64_t lookups = f.store_.lookups();
  f.Page(page);
  CHECK(f.store_.lookups() == lookups);
  // What is not there cannot end.
  f.store_.ForgetSeries();
  f.Page("");
  CHECK(f.Last().empty());
}

TEST_CASE("A bad line costs the whole page", "[scrape]") {
  Fixture f;
  f.Page("a 1\nb 2\n");
  const IngestResult result = f.Page("a 1\nnew 1\nb oops\n");
  REQUIRE_FALSE(result.status);
  CHECK(result.status.error().message() == "line 3: expected a value, got \"oops\"");
  CHECK(f.Last() == Lines{"a{} stale @2000", "b{} stale @2000"});
  CHECK(f.Report("up") == "0");
  CHECK(f.Report("scrape_samples_scraped") == "2");
  f.Page("a 1\nb 2\n");
  CHECK(f.Last() == Lines{"a{} 1 @3000", "b{} 2 @3000"});
  CHECK(f.Report("up") == "1");
  CHECK_FALSE(f.Page("a 1\n1b 2\n").status);
  CHECK_FALSE(f.Page("a 1\n", Format::kOpenMetrics).status);
}

TEST_CASE("A target that cannot be scraped ends its series and is down", "[scrape]") {
  Fixture f;
  f.Failure();
  CHECK(f.Report("up") == "0");
  f.Page("a 1\n");
  f.Failure();
  CHECK(f.Last() == Lines{"a{} stale @3000"});
  f.Failure();
  CHECK(f.Last().empty());
  CHECK(f.Report("scrape_duration_seconds") == "0.5");
}

TEST_CASE("A target that goes ends everything of it", "[scrape]") {
  Fixture f;
  f.Page("a 1\n");
  REQUIRE(f.ingester_->MarkGone(FromMillis(1500)));
  CHECK(f.Last() == Lines{"a{} stale @1500"});
  CHECK(f.Report("up") == "stale");
  CHECK(f.Report("scrape_series_added") == "stale");
}

TEST_CASE("Time stamps are honoured as configured", "[scrape]") {
  SECTION("honoured, and their series do not end") {
    Fixture f;
    f.Page("a 1 700\nb 1\n");
    CHECK(f.Last() == Lines{"a{} 1 @700", "b{} 1 @1000"});
    f.Page("");
    CHECK(f.Last() == Lines{"b{} stale @2000"});
  }
  SECTION("honoured, and their series end") {
    Fixture f(Job([](JobOptions& j) { j.track_timestamps_staleness = true; }));
    f.Page("a 1 700\n");
    f.Page("");
    CHECK(f.Last() == Lines{"a{} stale @2000"});
  }
  SECTION("not honoured") {
    Fixture f(Job([](JobOptions& j) { j.honor_timestamps = false; }));
    f.Page("a 1 700\n");
    CHECK(f.Last() == Lines{"a{} 1 @1000"});
  }
  SECTION("far ahead is out of bounds, behind is out of order") {
    Fixture f;
    CHECK(f.Page("a 1 601001\nb 1 601000\n").out_of_bounds == 1);
    CHECK(f.Page("b 1 600999\n").out_of_order == 1);
    CHECK(f.Page("b 2 601000\n").duplicates == 1);
    CHECK(f.Report("up") == "1");
  }
}

TEST_CASE("The same series twice on a page counts once", "[scrape]") {
  Fixture f;
  const IngestResult result = f.Page("a 1\na 2\nb 3\n");
  CHECK(result.duplicates == 1);
  CHECK(f.Last() == Lines{"a{} 1 @1000", "b{} 3 @1000"});
  CHECK(f.Page("a 1\na 2\nb 3\n").duplicates == 1);
}

TEST_CASE("The target's labels win unless the page's are honoured", "[scrape]") {
  const Labels target{{"instance", "i"}, {"job", "j"}, {"zone", "z"}};
  struct Case {
    bool honor;
    std::string_view line;
    std::string_view series;
  };
  const Case cases[] = {
      {false, "a{job=\"x\"} 1", "a{exported_job=\"x\", instance=\"i\", job=\"j\", zone=\"z\"}"},
      {false, "a{job=\"x\",exported_job=\"y\"} 1",
       "a{exported_exported_job=\"x\", exported_job=\"y\", instance=\"i\", job=\"j\", zone=\"z\"}"},
      {false, "a{job=\"\"} 1", "a{instance=\"i\", job=\"j\", zone=\"z\"}"},
      {true, "a{job=\"x\"} 1", "a{instance=\"i\", job=\"x\", zone=\"z\"}"},
      {true, "a{instance=\"\"} 1", "a{job=\"j\", zone=\"z\"}"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line, c.honor);
    Fixture f(Job([&](JobOptions& j) { j.honor_labels = c.honor; }), target);
    CHECK(f.Page(c.line).status.has_value());
    CHECK(f.store_.Newest(std::string(c.series)) == "1");
  }
}

TEST_CASE("Bounds of buckets and quantiles are normal", "[scrape]") {
  Fixture f;
  f.Page(
      "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
      "# TYPE s summary\ns{quantile=\"1\"} 3\n# TYPE g gauge\ng{le=\"1\"} 4\n");
  CHECK(f.Last() == Lines{"g{, le=\"1\"} 4 @1000", "h_bucket{, le=\"+Inf\"} 2 @1000",
                          "h_bucket{, le=\"1.0\"} 1 @1000", "s{, quantile=\"1.0\"} 3 @1000"});
}

RelabelRule DropRule(std::string regex) {
  return *RelabelRule::Create(
      {.source_labels = {"__name__"}, .regex = std::move(regex), .action = RelabelAction::kDrop});
}

TEST_CASE("Metric relabelling drops before anything is stored", "[scrape]") {
  JobOptions job;
  job.metric_relabel_rules = {DropRule("go_.*")};
  Fixture f(std::move(job));
  for (int i = 0; i < 2; ++i) {
    const IngestResult result = f.Page("a 1\ngo_x 2\ngo_x 2\nb 3\n");
    CHECK(result.samples == 4);
    CHECK(result.after_relabelling == 2);
    CHECK(result.duplicates == 0);
  }
  CHECK(f.Report("scrape_samples_post_metric_relabeling") == "2");
  CHECK(f.store_.Newest("go_x{instance=\"i\", job=\"j\"}") == "none");
}

TEST_CASE("Limits cost the whole page", "[scrape]") {
  struct Case {
    Limits limits;
    std::string_view body;
    std::string_view message;
  };
  const Case cases[] = {
      {{.samples = 2}, "a 1\nb 1\nc 1\nd 1\n", "sample_limit exceeded: 4 of at most 2"},
      {{.labels = 3},
       "a{b=\"c\"} 1\n",
       "line 1: label_limit exceeded: 4 of at most 3 (metric \"a\")"},
      {{.label_name_length = 8},
       "ok 1\na{long_name=\"c\"} 1\n",
       "line 2: label_name_length_limit exceeded: 9 of at most 8 (metric \"a\")"},
      {{.label_value_length = 3},
       "a{b=\"long\"} 1\n",
       "line 1: label_value_length_limit exceeded: 4 of at most 3 (metric \"a\")"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.body);
    Fixture f(Job([&](JobOptions& j) { j.limits = c.limits; }));
    const IngestResult result = f.Page(c.body);
    REQUIRE_FALSE(result.status);
    CHECK(result.status.error().message() == c.message);
    CHECK(f.Last().empty());
    CHECK(f.Report("up") == "0");
  }
  Fixture f(Job([](JobOptions& j) { j.limits.samples = 2; }));
  CHECK(f.Page("a 1\nb 1\n").status.has_value());
  CHECK(f.Page("a 1\nb 1\nc 1\n").sample_limit_hit);
  CHECK(f.Report("scrape_samples_post_metric_relabeling") == "3");
  CHECK(f.Last() == Lines{"a{} stale @2000", "b{} stale @2000"});
}

TEST_CASE("Names beyond the legacy letters need the scheme that allows them", "[scrape]") {
  Fixture any;
  CHECK(any.Page("{\"my.metric\"} 1\n").status.has_value());
  Fixture legacy(Job([](JobOptions& j) { j.legacy_names = true; }));
  CHECK_FALSE(legacy.Page("{\"my.metric\"} 1\n").status.has_value());
}

TEST_CASE("A changed job ends what it does not bring any more", "[scrape]") {
  Fixture f;
  f.Page("a 1\ngo_x 2\n");
  auto job = std::make_shared<JobOptions>();
  job->metric_relabel_rules = {DropRule("go_.*")};
  f.ingester_->ChangeJob(job);
  f.Page("a 1\ngo_x 2\n");
  CHECK(f.Last() == Lines{"a{} 1 @2000", "go_x{} stale @2000"});
  f.ingester_->ChangeJob(std::make_shared<JobOptions>());
  f.Failure();
  CHECK(f.Last() == Lines{"a{} stale @3000"});
}

TEST_CASE("A store that refuses is counted and tried again", "[scrape]") {
  Fixture f;
  f.Page("a 1\n");
  f.store_.FailCommits(true);
  CHECK_FALSE(f.Page("a 2\n").commit);
  f.store_.FailCommits(false);
  f.Page("a 3\n");
  CHECK(f.Last() == Lines{"a{} 3 @3000"});
  f.store_.RefuseNewSeries();
  CHECK(f.Page("a 3\nz 1\n").over_store_limit == 1);
}

TEST_CASE("Metadata of the last good page is kept", "[scrape]") {
  Fixture f;
  f.Page("# HELP b second\n# TYPE b counter\nb 1\n# HELP a first\\nline\na 1\n");
  const auto table = f.ingester_->metadata().table();
  CHECK(*table == MetadataTable{{"a", exposition::MetricType::kUnknown, "first\nline", ""},
                                {"b", exposition::MetricType::kCounter, "second", ""}});
  f.Page("# HELP b second\n# TYPE b counter\nb 1\n# HELP a first\\nline\na 1\n");
  CHECK(f.ingester_->metadata().table() == table);
  f.Page("# HELP c third\nc x\n");
  CHECK(f.ingester_->metadata().table() == table);
  f.Page("# TYPE c_seconds gauge\n# UNIT c_seconds seconds\nc_seconds 1\n# EOF\n",
         Format::kOpenMetrics);
  CHECK(*f.ingester_->metadata().table() ==
        MetadataTable{{"c_seconds", exposition::MetricType::kGauge, "", "seconds"}});
}

// The plain way: everything by name in a map, no order, no cache.
TEST_CASE("The cache agrees with the plain way over random pages", "[scrape]") {
  std::mt19937 random(7);
  Fixture f;
  std::map<std::string, std::string> alive;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) {
      if (random() % 5 != 0) names.push_back("m" + std::to_string(i + (round / 50) * 20));
    }
    if (random() % 4 == 0) std::shuffle(names.begin(), names.end(), random);
    std::string page;
    std::map<std::string, std::string> now;
    for (const std::string& name : names) {
      const std::string value = std::to_string(random() % 1000);
      page += name + " " + value + "\n";
      now[name] = value;
    }
    const bool bad = random() % 10 == 0;
    if (bad) now.clear();
    Lines expected;
    const std::string at = " @" + std::to_string((round + 1) * 1000);
    for (const auto& [name, value] : now) expected.push_back(name + "{} " + value + at);
    for (const auto& [name, value] : alive) {
      if (!now.contains(name)) expected.push_back(name + "{} stale" + at);
    }
    std::sort(expected.begin(), expected.end());
    f.Page(bad ? page + "x" : page);
    CAPTURE(round, page);
    REQUIRE(f.Last() == expected);
    alive = now;
  }
}

}  // namespace
}  // namespace skep::scrape
