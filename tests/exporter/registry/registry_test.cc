#include "exporter/registry/registry.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>
#include <thread>

#include "exporter/registry/page_guard.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;

class Fake final : public Collector {
 public:
  Fake(std::string name, std::function<Status(CollectContext&)> collect)
      : name_(std::move(name)), collect_(std::move(collect)) {}
  std::string_view name() const override { return name_; }
  Status Collect(CollectContext& context) override { return collect_(context); }

 private:
  std::string name_;
  std::function<Status(CollectContext&)> collect_;
};

// Writes one family with as many samples as said.
std::function<Status(CollectContext&)> Family(std::string name, int samples = 1) {
  return [name, samples](CollectContext& context) -> Status {
    context.page.Family(name, "help", MetricType::kGauge);
    for (int i = 0; i < samples; ++i) context.page.Sample({{"i", std::to_string(i)}}, i);
    return {};
  };
}

class Fixture {
 public:
  explicit Fixture(Registry::Options options = {})
      : registry(std::move(options), clock,
                 Logger(clock, {.level = LogLevel::kDebug,
                                .write = [this](std::string_view line) { log += line; }})) {}

  void Add(std::string name, std::function<Status(CollectContext&)> collect) {
    REQUIRE(registry.Add(std::make_unique<Fake>(std::move(name), std::move(collect))));
  }
  std::string Page(const Registry::Request& request = {}) {
    std::string page;
    registry.Collect(request, page);
    return page;
  }

  SystemClock clock;
  std::string log;
  Registry registry;
};

bool Has(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("Registry writes collectors in order of their names, then how each fared", "[registry]") {
  Fixture f;
  f.Add("b", Family("second"));
  f.Add("a", Family("first"));
  CHECK_FALSE(f.registry.Add(std::make_unique<Fake>("a", Family("x"))));
  CHECK(f.registry.names() == std::vector<std::string_view>{"a", "b"});
  const std::string page = f.Page();
  CHECK(page.starts_with("# HELP first help\n# TYPE first gauge\nfirst{i=\"0\"} 0\n# HELP second"));
  CHECK(Has(page, R"(node_scrape_collector_success{collector="a"} 1)"));
  CHECK(page.find("\nnode_scrape_collector_duration_seconds{collector=\"b\"} ") !=
        std::string::npos);
}

TEST_CASE("Registry pays for a bad collector with its own metrics only", "[registry]") {
  Fixture f;
  f.Add("a_fails", [](CollectContext& context) -> Status {
    (void)Family("partial")(context);
    return Invalid("broken");
  });
  f.Add("b_throws", [](CollectContext&) -> Status { throw std::runtime_error("oops"); });
  f.Add("c_throws_int", [](CollectContext&) -> Status { throw 5; });
  f.Add("d_none", [](CollectContext&) -> Status { return NotFound("nothing here"); });
  f.Add("e_good", Family("good"));
  const std::string page = f.Page();
  CHECK(Has(page, R"(partial{i="0"} 0)"));
  CHECK(Has(page, R"(good{i="0"} 0)"));
  for (const std::string name : {"a_fails", "b_throws", "c_throws_int", "d_none"}) {
    CHECK(Has(page, "node_scrape_collector_success{collector=\"" + name + "\"} 0"));
  }
  CHECK(f.log.find("broken") != std::string::npos);
  CHECK(f.log.find("oops") != std::string::npos);
  CHECK(f.log.find("level=debug msg=\"collector has no data\"") != std::string::npos);
  const std::size_t logged = f.log.size();
  (void)f.Page();
  CHECK(f.log.size() == logged);  // once, not at every scrape
}

TEST_CASE("Registry says when a collector works again", "[registry]") {
  Fixture f;
  bool fails = true;
  f.Add("a", [&](CollectContext&) { return fails ? Status(Invalid("broken")) : Status(); });
  (void)f.Page();
  fails = false;
  CHECK(Has(f.Page(), R"(node_scrape_collector_success{collector="a"} 1)"));
  CHECK(f.log.find("collector works again") != std::string::npos);
}

TEST_CASE("Registry drops a family that was on the page before", "[registry]") {
  Fixture f;
  f.Add("a", Family("same", 2));
  f.Add("b", [](CollectContext& context) -> Status {
    (void)Family("before")(context);
    (void)Family("same", 3)(context);
    return Family("behind")(context);
  });
  f.Add("c", Family("node_scrape_collector_success"));
  const std::string page = f.Page();
  CHECK(Has(page, R"(same{i="1"} 1)"));
  CHECK_FALSE(Has(page, R"(same{i="2"} 2)"));
  CHECK(Has(page, R"(before{i="0"} 0)"));
  CHECK(Has(page, R"(behind{i="0"} 0)"));
  CHECK_FALSE(Has(page, R"(node_scrape_collector_success{i="0"} 0)"));
  CHECK(Has(page, R"(node_scrape_collector_success{collector="c"} 1)"));
  CHECK(Has(page, R"(skep_exporter_families_dropped_total{reason="duplicate"} 2)"));
  CHECK(f.registry.dropped().duplicate == 2);
  CHECK(f.log.find("first=same") != std::string::npos);
  const std::size_t logged = f.log.size();
  (void)f.Page();
  CHECK(f.log.size() == logged);  // once, not at every scrape
  CHECK(f.registry.dropped().duplicate == 4);
}

TEST_CASE("Registry keeps the caller's families free", "[registry]") {
  Fixture f({.reserved = {"mine_total"}});
  f.Add("a", Family("mine_total"));
  CHECK_FALSE(Has(f.Page(), R"(mine_total{i="0"} 0)"));
}

TEST_CASE("Registry bounds the series of a page, family by family", "[registry]") {
  Fixture f({.max_series = 5});
  f.Add("a", Family("three", 3));
  f.Add("b", Family("four", 4));
  f.Add("c", Family("two", 2));
  const std::string page = f.Page();
  CHECK(page.find("three{") != std::string::npos);
  CHECK(page.find("four") == std::string::npos);
  CHECK(page.find("two{") != std::string::npos);
  CHECK(Has(page, R"(skep_exporter_families_dropped_total{reason="limit"} 1)"));
}

TEST_CASE("Registry begins no collector after the deadline", "[registry]") {
  Fixture f;
  f.Add("a", Family("late"));
  Registry::Request request;
  request.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const std::string page = f.Page(request);
  CHECK(page.find("late{") == std::string::npos);
  CHECK(Has(page, R"(node_scrape_collector_success{collector="a"} 0)"));
}

TEST_CASE("Registry runs what a scrape asks for", "[registry]") {
  Fixture f;
  f.Add("a", Family("one"));
  f.Add("b", Family("two"));
  Registry::Request request;
  request.wants = [](std::string_view name) { return name == "b"; };
  const std::string page = f.Page(request);
  CHECK(page.find("one") == std::string::npos);
  CHECK(page.find("two{") != std::string::npos);
  CHECK(page.find(R"(collector="a")") == std::string::npos);
}

TEST_CASE("Registry serves scrapes at once, each collector to one of them", "[registry]") {
  Fixture f;
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  f.Add("a", [&](CollectContext& context) -> Status {
    if (++inside > 1) overlapped = true;
    (void)Family("one", 100)(context);
    --inside;
    return {};
  });
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          std::string page;
          f.registry.Collect({}, page);
          if (!Has(page, R"(one{i="99"} 99)")) ++wrong;
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK_FALSE(overlapped);
}

TEST_CASE("Registry waits for a busy collector no longer than the deadline", "[registry]") {
  Fixture f;
  std::atomic<bool> entered{false};
  std::atomic<bool> release{false};
  f.Add("a", [&](CollectContext&) -> Status {
    entered = true;
    entered.notify_all();
    release.wait(false);
    return {};
  });
  std::jthread slow([&] { (void)f.Page(); });
  entered.wait(false);
  Registry::Request request;
  request.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  CHECK(Has(f.Page(request), R"(node_scrape_collector_success{collector="a"} 0)"));
  release = true;
  release.notify_all();
}

TEST_CASE("PageGuard knows families by all three kinds of metadata and by quoted names",
          "[registry]") {
  PageGuard guard(0, "own_total\n");
  std::string page =
      "# TYPE a counter\n# HELP a x\na_total 1\n# TYPE \"b.c d\" gauge\n{\"b.c d\"} 1\n";
  CHECK(guard.Admit(page, 0).duplicate_families == 0);
  CHECK(guard.series() == 2);
  const std::size_t begin = page.size();
  page +=
      "# HELP a again\na 1\n# UNIT \"b.c d\" x\n{\"b.c d\"} 2\n# TYPE own counter\nown_total 1\n"
      "# HELP own_total x\nown_total 2\n# TYPE n gauge\nn 1\n# TYPE n gauge\nn 2\n# cut";
  const PageGuard::Verdict verdict = guard.Admit(page, begin);
  CHECK(verdict.duplicate_families == 5);
  CHECK(verdict.first_dropped == "a");
  CHECK(page.substr(begin) == "# TYPE n gauge\nn 1\n");
}

TEST_CASE("PageGuard keeps thousands of families apart", "[registry]") {
  PageGuard guard(0);
  std::string page;
  for (int round = 0; round < 2; ++round) {
    std::size_t dropped = 0;
    for (int i = 0; i < 3000; ++i) {
      const std::size_t begin = page.size();
      page += "# TYPE f" + std::to_string(i) + " gauge\nf" + std::to_string(i) + " 1\n";
      dropped += guard.Admit(page, begin).duplicate_families;
    }
    CHECK(dropped == (round == 0 ? 0 : 3000));
  }
  CHECK(guard.series() == 3000);
}

}  // namespace
}  // namespace skep::exporter
