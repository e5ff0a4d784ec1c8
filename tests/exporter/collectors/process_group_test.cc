#include "exporter/collectors/process_group.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

namespace {

struct Fake {
  std::string pid;
  std::string comm;
  std::string cmdline;
  std::uint64_t user_ticks = 0;
  std::uint64_t start_ticks = 100;
  std::string state = "S";
};

std::string StatLine(const Fake& fake) {
  return fake.pid + " (" + fake.comm + ") " + fake.state + " 1 1 1 0 -1 4194560 0 0 0 0 " +
         std::to_string(fake.user_ticks) + " 50 0 0 20 0 3 0 " + std::to_string(fake.start_ticks) +
         " 1000000 10 18446744073709551615 1 1\n";
}

void Put(const Tree& tree, const Fake& fake) {
  std::string folder = "proc/" + fake.pid + "/";
  tree.Write(folder + "stat", StatLine(fake));
  std::string cmdline = fake.cmdline;
  for (char& c : cmdline) c = c == ' ' ? '\0' : c;
  tree.Write(folder + "cmdline", cmdline + std::string(1, '\0'));
  tree.Write(folder + "limits",
             "Limit                     Soft Limit           Hard Limit           Units\n"
             "Max open files            8                    1048576              files\n");
  tree.Write(folder + "io", "rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n");
  tree.Write(folder + "fd/0", "");
  tree.Write(folder + "fd/1", "");
}

struct Machine : Tree {
  Machine() {
    Write("proc/uptime", "1000.00 900.00\n");
    Write("proc/stat", "cpu 1 2 3\nbtime 1700000000\n");
  }
};

std::vector<ProcessGroup> Groups(std::string_view yaml) {
  return ParseProcessGroups(yaml::Node::Parse(yaml, "test.yml").value()).value();
}

std::string Problem(std::string_view yaml) {
  Result<std::vector<ProcessGroup>> groups =
      ParseProcessGroups(yaml::Node::Parse(yaml, "test.yml").value());
  return groups ? "" : groups.error().message();
}

double Ticks(double ticks) { return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)); }

}  // namespace

TEST_CASE("A group adds up the processes that match", "[exporter]") {
  Machine tree;
  Put(tree, {"10", "node", "node claude-flow start", 200, 500});
  Put(tree, {"11", "node", "node claude-flow worker", 100, 400});
  Put(tree, {"12", "node", "node other.js", 900});
  CollectorPtr collector = MakeProcessGroupCollector(
      tree.paths(), Groups("[{name: flow, comm: node, cmdline: 'claude-flow'}]"));
  Collected got = Collect(collector);
  CHECK(got.status);
  std::string of = "{group=\"flow\"} ";
  CHECK(got.Has("process_group_cpu_seconds_total{group=\"flow\",mode=\"user\"} " +
                std::to_string(static_cast<int>(Ticks(300)))));
  CHECK(got.Has("process_group_processes" + of + "2"));
  CHECK(got.Has("process_group_threads" + of + "6"));
  CHECK(got.Has("process_group_resident_memory_bytes" + of +
                std::to_string(20 * ::sysconf(_SC_PAGESIZE))));
  CHECK(got.Has("process_group_open_fds_ratio_max" + of + "0.25"));
  CHECK(got.Has("process_group_starts_total" + of + "0"));
  CHECK(got.Mentions("process_group_oldest_start_time_seconds" + of + "1.70000000"));
  CHECK(got.Has("process_group_io_written_bytes_total" + of + "16384"));
  CHECK(got.Has("process_group_unreadable_processes{group=\"flow\",source=\"fd\"} 0"));
}

TEST_CASE("Processor time does not fall when a process ends, and starts are counted",
          "[exporter]") {
  Machine tree;
  double tick = Ticks(1);
  Put(tree, {"10", "worker", "worker", 100});
  CollectorPtr collector =
      MakeProcessGroupCollector(tree.paths(), Groups("[{name: w, comm: worker}]"));
  auto user = [&](double ticks) {
    return "process_group_cpu_seconds_total{group=\"w\",mode=\"user\"} " +
           std::to_string(static_cast<int>(ticks * tick));
  };
  CHECK(Collect(collector).Has(user(100)));
  Put(tree, {"10", "worker", "worker", 300});
  CHECK(Collect(collector).Has(user(300)));
  tree.Remove("proc/10");
  Collected ended = Collect(collector);
  CHECK(ended.Has(user(300)));
  CHECK(ended.Has("process_group_processes{group=\"w\"} 0"));
  CHECK_FALSE(ended.Mentions("oldest_start"));
  Put(tree, {"10", "worker", "worker", 200, 90000});  // the number again, another process
  Collected again = Collect(collector);
  CHECK(again.Has(user(500)));
  CHECK(again.Has("process_group_starts_total{group=\"w\"} 1"));
  CHECK(Collect(collector).Has("process_group_starts_total{group=\"w\"} 1"));
}

TEST_CASE("A process belongs to the first group that it matches", "[exporter]") {
  Machine tree;
  Put(tree, {"10", "node", "node a", 0});
  Collected got = Collect(MakeProcessGroupCollector(
      tree.paths(), Groups("[{name: first, cmdline: a}, {name: second, comm: node}]")));
  CHECK(got.Has("process_group_processes{group=\"first\"} 1"));
  CHECK(got.Has("process_group_processes{group=\"second\"} 0"));
}

TEST_CASE("A shell that becomes the program enters its group then", "[exporter]") {
  Machine tree;
  CollectorPtr collector =
      MakeProcessGroupCollector(tree.paths(), Groups("[{name: w, comm: worker}]"));
  Put(tree, {"10", "sh", "sh -c worker", 10});
  CHECK(Collect(collector).Has("process_group_processes{group=\"w\"} 0"));
  Put(tree, {"10", "worker", "worker", 20});
  Collected got = Collect(collector);
  CHECK(got.Has("process_group_processes{group=\"w\"} 1"));
  CHECK(got.Has("process_group_starts_total{group=\"w\"} 1"));
}

TEST_CASE("Users and programs choose processes; zombies and half-written files do not count",
          "[exporter]") {
  Machine tree;
  Put(tree, {"10", "a", "a", 0});
  tree.Link("proc/10/exe", "/usr/bin/a (deleted)");
  Put(tree, {"11", "a", "a", 0, 100, "Z"});
  tree.Link("proc/11/exe", "/usr/bin/a");
  tree.Write("proc/12/stat", "12 (a) S 1 1 1 0 -1 41");
  std::string me = std::to_string(::getuid());
  Collected got = Collect(MakeProcessGroupCollector(
      tree.paths(),
      Groups("[{name: other, user: 4000000}, {name: mine, user: " + me + ", exe: /usr/bin/.*}]")));
  CHECK(got.Has("process_group_processes{group=\"mine\"} 1"));
  CHECK(got.Has("process_group_processes{group=\"other\"} 0"));
}

TEST_CASE("What may not be looked into is absent and counted, not zero", "[exporter]") {
  Machine tree;
  Put(tree, {"10", "a", "a", 0});
  tree.Remove("proc/10/fd");
  tree.Remove("proc/10/io");
  Collected got = Collect(MakeProcessGroupCollector(tree.paths(), Groups("[{name: g, comm: a}]")));
  CHECK_FALSE(got.Mentions("process_group_open_fds"));
  CHECK(got.Has("process_group_unreadable_processes{group=\"g\",source=\"fd\"} 1"));
  CHECK(got.Has("process_group_unreadable_processes{group=\"g\",source=\"io\"} 1"));
}

TEST_CASE("Without groups nothing is written; without time for all processes neither",
          "[exporter]") {
  Machine tree;
  Put(tree, {"10", "a", "a", 0});
  Collected none = Collect(MakeProcessGroupCollector(tree.paths(), {}));
  CHECK(none.status);
  CHECK(none.page.empty());
  CollectorPtr collector = MakeProcessGroupCollector(tree.paths(), Groups("[{name: g, comm: a}]"));
  Collected late = Collect(*collector, std::chrono::steady_clock::time_point::min());
  REQUIRE_FALSE(late.status);
  CHECK(late.status.error().kind() == ErrorKind::kTimeout);
  CHECK(late.page.empty());
  CHECK(Collect(collector).Has("process_group_processes{group=\"g\"} 1"));
}

TEST_CASE("This very process is found in the real /proc", "[exporter]") {
  Paths paths;
  Collected got = Collect(
      MakeProcessGroupCollector(paths, Groups("[{name: tests, exe: '.*/test_exporter_devices'}]")));
  CHECK(got.status);
  CHECK(got.Mentions("process_group_processes{group=\"tests\"} "));
  CHECK_FALSE(got.Has("process_group_processes{group=\"tests\"} 0"));
  CHECK_FALSE(got.Has("process_group_open_fds{group=\"tests\"} 0"));
}

TEST_CASE("Configuration of groups is refused with file and line", "[exporter]") {
  struct Case {
    std::string yaml;
    std::string place;
    std::string says;
  };
  const std::vector<Case> cases = {
      {"- comm: a\n", "test.yml:1", "name"},
      {"- name: a\n", "test.yml:1", "needs one of"},
      {"- name: a\n  comm: '('\n", "test.yml:2", ""},
      {"- name: a\n  comm: x\n  pid: 3\n", "test.yml:3", "pid"},
      {"- {name: a, comm: x}\n- {name: a, comm: y}\n", "test.yml:2", "second time"},
      {"- name: a\n  user: no-such-user-here\n", "test.yml:2", "no-such-user-here"},
      {"name: a\n", "test.yml:1", "sequence"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.yaml);
    std::string problem = Problem(c.yaml);
    CAPTURE(problem);
    CHECK(problem.find(c.place) == 0);
    CHECK(problem.find(c.says) != std::string::npos);
  }
}

TEST_CASE("The stat line of a process is read whole or not at all", "[exporter]") {
  std::string line = StatLine({"7", "a) S (b", "", 123, 456});
  std::optional<ProcessStat> stat = ParseProcessStat(line);
  REQUIRE(stat);
  CHECK(stat->comm == "a) S (b");
  CHECK(stat->state == 'S');
  CHECK(stat->user_ticks == 123);
  CHECK(stat->system_ticks == 50);
  CHECK(stat->threads == 3);
  CHECK(stat->start_ticks == 456);
  CHECK(stat->resident_pages == 10);
  std::size_t enough = line.find(" 10 1844") + 4;  // behind the last number that is needed
  for (std::size_t size = 0; size < enough; ++size) {
    CAPTURE(size);
    CHECK_FALSE(ParseProcessStat(std::string_view(line).substr(0, size)));
  }
}
