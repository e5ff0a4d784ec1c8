#include "exporter/collectors/textfile.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "exporter/collectors/textfile_page.h"
#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

namespace {

CollectorPtr Make(const Tree& tree) {
  TextfileOptions options;
  options.folders = {tree.File("text")};
  return MakeTextfileCollector(options, Logger::Silent());
}

}  // namespace

TEST_CASE("Families of text files stand on the page with their types and values", "[exporter]") {
  Tree tree;
  tree.Write("text/a.prom",
             "# HELP runs_total Runs \\\\ of it.\n# TYPE runs_total counter\n"
             "runs_total{script=\"a\",empty=\"\"} 5\n\n# a comment\nbare 7\nplain{le=\"1.0\"} 1\n");
  tree.Write("text/b.prom",
             "# TYPE job_seconds histogram\n"
             "job_seconds_bucket{le=\"1.0\"} 2\njob_seconds_bucket{le=\"+Inf\"} 3\n"
             "job_seconds_sum 4.5\njob_seconds_count 3\n"
             "# TYPE lat summary\nlat{quantile=\"0.50\"} NaN\nlat_sum 1\nlat_count 2\n");
  tree.Write("text/not.txt", "ignored 1\n");
  Collected got = Collect(Make(tree));
  CHECK(got.status);
  CHECK(got.Has("# HELP runs_total Runs \\\\ of it."));
  CHECK(got.Has("# TYPE runs_total counter"));
  CHECK(got.Has("runs_total{script=\"a\"} 5"));
  CHECK(got.Has("# HELP bare Metric read from " + tree.File("text/a.prom")));
  CHECK(got.Has("# TYPE bare untyped"));
  CHECK(got.Has("bare 7"));
  CHECK(got.Has("plain{le=\"1.0\"} 1"));  // no histogram, hence no bound
  CHECK(got.Has("job_seconds_bucket{le=\"1\"} 2"));
  CHECK(got.Has("job_seconds_bucket{le=\"+Inf\"} 3"));
  CHECK(got.Has("job_seconds_sum 4.5"));
  CHECK(got.Has("lat{quantile=\"0.5\"} NaN"));
  CHECK(got.Has("lat_count 2"));
  CHECK(got.Has("node_textfile_scrape_error 0"));
  CHECK(got.Mentions("node_textfile_mtime_seconds{file=\"" + tree.File("text/a.prom") + "\"} "));
  CHECK_FALSE(got.Mentions("ignored"));
}

TEST_CASE("A file that is refused costs only itself", "[exporter]") {
  const std::vector<std::string> bad = {
      "this is { not a metric\n",                              // grammar
      "with_stamp 1 1500000000000\n",                          // a time stamp
      "twice{a=\"1\",b=\"2\"} 1\ntwice{b=\"2\",a=\"1\"} 2\n",  // a series twice
      "good_total{a=\"1\"} 3\n",                               // a type unlike the other file's
      "# TYPE x info\nx_info 1\n",                             // a type that the format lacks
      "x 1\n# TYPE x counter\n",                               // a type too late
      "half_written 1\nhalf_writ",                             // cut
  };
  for (const std::string& text : bad) {
    CAPTURE(text);
    Tree tree;
    tree.Write("text/a.prom", "# TYPE good_total counter\ngood_total 1\n");
    tree.Write("text/b.prom", text);
    Collected got = Collect(Make(tree));
    CAPTURE(got.page);
    CHECK(got.Has("good_total 1"));
    CHECK(got.Has("node_textfile_scrape_error 1"));
    CHECK(got.Mentions("a.prom\"} "));
    CHECK_FALSE(got.Mentions("b.prom"));
    CHECK_FALSE(got.Mentions("half_written"));
  }
}

TEST_CASE("A family in several files is one family with the first help", "[exporter]") {
  Tree tree;
  tree.Write("text/a.prom", "load{host=\"a\"} 1\n");
  tree.Write("text/b.prom", "# HELP load Of b.\nload{host=\"b\"} 2\n");
  tree.Write("text/c.prom", "# HELP load Of c.\nload{host=\"c\"} 3\n");
  tree.Write("text/d.prom", "load{host=\"a\"} 4\n");  // the series of a.prom again
  Collected got = Collect(Make(tree));
  CHECK(got.Has("# HELP load Of b."));
  CHECK(got.Has("load{host=\"a\"} 1\nload{host=\"b\"} 2\nload{host=\"c\"} 3"));
  CHECK(got.page.find("# TYPE load untyped") == got.page.rfind("# TYPE load untyped"));
  CHECK(got.Has("node_textfile_scrape_error 1"));
}

TEST_CASE("A file changed between two scrapes is read anew, a removed one forgotten",
          "[exporter]") {
  Tree tree;
  CollectorPtr collector = Make(tree);
  tree.Write("text/a.prom", "v 1\n");
  CHECK(Collect(collector).Has("v 1"));
  CHECK(Collect(collector).Has("v 1"));
  tree.Write("text/new", "v 2\n");
  std::filesystem::rename(tree.File("text/new"), tree.File("text/a.prom"));
  CHECK(Collect(collector).Has("v 2"));
  tree.Write("text/a.prom", "broken\n");
  CHECK(Collect(collector).Has("node_textfile_scrape_error 1"));
  tree.Remove("text/a.prom");
  Collected gone = Collect(collector);
  CHECK(gone.Has("node_textfile_scrape_error 0"));
  CHECK_FALSE(gone.Mentions("mtime"));
}

TEST_CASE("Folders may be a pattern; a missing one is an error only where somebody named it",
          "[exporter]") {
  Tree tree;
  tree.Write("one/text/a.prom", "a 1\n");
  tree.Write("two/text/b.prom", "b 2\n");
  TextfileOptions options;
  options.folders = {tree.File("*/text")};
  Collected both = Collect(MakeTextfileCollector(options, Logger::Silent()));
  CHECK(both.Has("a 1"));
  CHECK(both.Has("b 2"));
  options.folders = {tree.File("missing")};
  CHECK(Collect(MakeTextfileCollector(options, Logger::Silent()))
            .Has("node_textfile_scrape_error 0"));
  options.folders_must_exist = true;
  CHECK(Collect(MakeTextfileCollector(options, Logger::Silent()))
            .Has("node_textfile_scrape_error 1"));
}

TEST_CASE("A pipe named like a text file is not waited for, a large file not read", "[exporter]") {
  Tree tree;
  tree.Write("text/a.prom", "a 1\n");
  tree.Write("text/large.prom", "large 1\n" + std::string(1000, '\n'));
  REQUIRE(::mkfifo(tree.File("text/pipe.prom").c_str(), 0600) == 0);
  TextfileOptions options;
  options.folders = {tree.File("text")};
  options.max_file_bytes = 500;
  Collected got = Collect(MakeTextfileCollector(options, Logger::Silent()));
  CHECK(got.Has("a 1"));
  CHECK_FALSE(got.Mentions("large"));
  CHECK(got.Has("node_textfile_scrape_error 1"));
}

TEST_CASE("Errors of text files name the line", "[exporter]") {
  Result<TextfileFamilies> parsed = ParseTextfile("good 1\n\nbad 1 2 3\n");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message().find("line 3") != std::string::npos);
}
