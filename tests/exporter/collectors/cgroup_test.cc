#include "exporter/collectors/cgroup.h"

#include <catch2/catch.hpp>

#include "exporter/collectors/cgroup_files.h"
#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

namespace {

const std::string kRoot = "sys/fs/cgroup/";

struct Machine : Tree {
  Machine() { Write(kRoot + "cgroup.controllers", "cpu io memory pids\n"); }
};

}  // namespace

TEST_CASE("A control group tells its memory, limit and the ratio of both", "[exporter]") {
  Machine tree;
  std::string group = kRoot + "system.slice/db.service/";
  tree.Write(group + "memory.current", "750\n");
  tree.Write(group + "memory.max", "1000\n");
  tree.Write(group + "memory.stat", "anon 400\nfile 300\ninactive_file 50\nslab_x 1\n");
  tree.Write(group + "memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
  Collected got = Collect(MakeCgroupCollector(tree.paths()));
  CHECK(got.status);
  std::string of = "{cgroup=\"/system.slice/db.service\"} ";
  CHECK(got.Has("cgroup_memory_usage_bytes" + of + "750"));
  CHECK(got.Has("cgroup_memory_limit_bytes" + of + "1000"));
  CHECK(got.Has("cgroup_memory_used_ratio" + of + "0.75"));
  CHECK(got.Has("cgroup_memory_working_set_bytes" + of + "700"));
  CHECK(got.Has("cgroup_memory_anon_bytes" + of + "400"));
  CHECK(got.Has("cgroup_memory_events_oom_kill_total" + of + "4"));
  CHECK(got.Has("cgroup_memory_events_oom_total" + of + "3"));
}

TEST_CASE("Where there is no limit there is neither a limit nor a ratio", "[exporter]") {
  for (std::string limit : {"max\n", "", "0\n", "10x"}) {
    CAPTURE(limit);
    Machine tree;
    tree.Write(kRoot + "a/memory.current", "750\n");
    tree.Write(kRoot + "a/memory.max", limit);
    tree.Write(kRoot + "a/cpu.max", "max 100000\n");
    tree.Write(kRoot + "a/pids.max", "max\n");
    Collected got = Collect(MakeCgroupCollector(tree.paths()));
    CHECK(got.Has("cgroup_memory_usage_bytes{cgroup=\"/a\"} 750"));
    CHECK_FALSE(got.Mentions("ratio"));
    CHECK_FALSE(got.Mentions("cgroup_cpu_limit_cores"));
    CHECK_FALSE(got.Mentions("cgroup_pids_limit"));
  }
}

TEST_CASE("Processor time, throttling, pressure, processes and devices are told", "[exporter]") {
  Machine tree;
  tree.Write(kRoot + "a/cpu.stat",
             "usage_usec 3500000\nuser_usec 3000000\nsystem_usec 500000\nnr_periods 10\n"
             "nr_throttled 4\nthrottled_usec 250000\n");
  tree.Write(kRoot + "a/cpu.max", "150000 100000\n");
  tree.Write(kRoot + "a/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n");
  tree.Write(kRoot + "a/memory.pressure",
             "some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n"
             "full avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n");
  tree.Write(kRoot + "a/pids.current", "7\n");
  tree.Write(kRoot + "a/io.stat",
             "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n253:1 rbytes=9 wb");
  tree.Link("sys/dev/block/8:0", "../../devices/pci0000/block/sda");
  Collected got = Collect(MakeCgroupCollector(tree.paths()));
  std::string of = "{cgroup=\"/a\"} ";
  CHECK(got.Has("cgroup_cpu_usage_seconds_total" + of + "3.5"));
  CHECK(got.Has("cgroup_cpu_throttled_seconds_total" + of + "0.25"));
  CHECK(got.Has("cgroup_cpu_throttled_periods_total" + of + "4"));
  CHECK(got.Has("cgroup_cpu_periods_total" + of + "10"));
  CHECK(got.Has("cgroup_cpu_limit_cores" + of + "1.5"));
  CHECK(got.Has("cgroup_pressure_cpu_waiting_seconds_total" + of + "1.5"));
  CHECK(got.Has("cgroup_pressure_memory_stalled_seconds_total" + of + "1"));
  CHECK(got.Has("cgroup_pids" + of + "7"));
  CHECK(got.Has("cgroup_io_read_bytes_total{cgroup=\"/a\",device=\"sda\"} 1"));
  CHECK(got.Has("cgroup_io_writes_total{cgroup=\"/a\",device=\"sda\"} 4"));
  CHECK_FALSE(got.Mentions("253:1"));
}

TEST_CASE("Depth and number of control groups are capped, the outermost kept, the rest counted",
          "[exporter]") {
  Machine tree;
  for (std::string path : {"a", "a/b", "a/b/c", "d", "e"}) {
    tree.Write(kRoot + path + "/pids.current", "1\n");
  }
  CgroupOptions options;
  options.max_depth = 2;
  options.max_groups = 3;
  Collected got = Collect(MakeCgroupCollector(tree.paths(), options));
  CHECK(got.Mentions("cgroup=\"/a\""));
  CHECK(got.Mentions("cgroup=\"/d\""));
  CHECK(got.Mentions("cgroup=\"/e\""));
  CHECK_FALSE(got.Mentions("cgroup=\"/a/b\""));
  CHECK(got.Has("cgroup_groups 3"));
  CHECK(got.Has("cgroup_groups_skipped{reason=\"count\"} 1"));
  CHECK(got.Has("cgroup_groups_skipped{reason=\"depth\"} 1"));
}

TEST_CASE("Patterns choose control groups by their whole path", "[exporter]") {
  Machine tree;
  for (std::string path : {"system.slice", "system.slice/a.service", "system.slice/b.service"}) {
    tree.Write(kRoot + path + "/pids.current", "1\n");
  }
  CgroupOptions options;
  options.include = Regex::Create("/system.slice/.*").value();
  options.exclude = Regex::Create(".*/b\\.service").value();
  Collected got = Collect(MakeCgroupCollector(tree.paths(), options));
  CHECK(got.Has("cgroup_pids{cgroup=\"/system.slice/a.service\"} 1"));
  CHECK_FALSE(got.Mentions("b.service"));
  CHECK_FALSE(got.Mentions("{cgroup=\"/system.slice\"}"));
}

TEST_CASE("In a container the root itself has the limit", "[exporter]") {
  Machine tree;
  tree.Write(kRoot + "memory.current", "5\n");
  tree.Write(kRoot + "memory.max", "10\n");
  CHECK(
      Collect(MakeCgroupCollector(tree.paths())).Has("cgroup_memory_used_ratio{cgroup=\"/\"} 0.5"));
}

TEST_CASE("The hierarchy is found beside version 1, and its absence said", "[exporter]") {
  Tree tree;
  Collected none = Collect(MakeCgroupCollector(tree.paths()));
  REQUIRE_FALSE(none.status);
  CHECK(none.status.error().kind() == ErrorKind::kNotFound);
  tree.Write(kRoot + "unified/cgroup.controllers", "\n");
  CHECK_FALSE(Collect(MakeCgroupCollector(tree.paths())).status);  // there, but tells nothing
  tree.Write(kRoot + "unified/a/cpu.stat", "usage_usec 1000000\n");
  CHECK(Collect(MakeCgroupCollector(tree.paths()))
            .Has("cgroup_cpu_usage_seconds_total{cgroup=\"/a\"} 1"));
}

TEST_CASE("A walk past its deadline shows what it has and says so", "[exporter]") {
  Machine tree;
  tree.Write(kRoot + "pids.current", "1\n");
  CollectorPtr collector = MakeCgroupCollector(tree.paths());
  Collected got = Collect(*collector, std::chrono::steady_clock::time_point::min());
  CHECK_FALSE(got.status);
}

TEST_CASE("Control group files cut anywhere never give a number that is not theirs", "[exporter]") {
  const std::string whole = "usage_usec 3500000\nuser_usec 3000000\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    CAPTURE(size);
    CgroupNumbers numbers;
    ReadCgroupFile("cpu.stat", std::string_view(whole).substr(0, size), numbers);
    if (numbers.Has(CgroupNumber::kCpuUserSeconds)) {
      CHECK(numbers.Get(CgroupNumber::kCpuUsageSeconds) == 3.5);
    }
  }
}
