// The collectors meminfo, vmstat, filefd, os, time, timex and uname over fixture trees.
#include <catch2/catch.hpp>

#include "exporter/collectors/basic_collectors.h"
#include "tests/exporter/collectors/made.h"

namespace skep::exporter {
namespace {

using test::Collected;
using test::Made;
using test::Tree;

TEST_CASE("meminfo turns kB into bytes and parentheses into underscores", "[collectors]") {
  const Tree tree;
  tree.Write("proc/meminfo",
             "MemTotal:       16000 kB\nActive(anon):    2 kB\nHugePages_Total:   3\n");
  const Made meminfo(MeminfoSpec(), tree);
  const Collected got = meminfo.Collect();
  REQUIRE(got.status);
  CHECK(got.page ==
        "# HELP node_memory_MemTotal_bytes Memory information field MemTotal_bytes.\n"
        "# TYPE node_memory_MemTotal_bytes gauge\n"
        "node_memory_MemTotal_bytes 1.6384e+07\n"
        "# HELP node_memory_Active_anon_bytes Memory information field Active_anon_bytes.\n"
        "# TYPE node_memory_Active_anon_bytes gauge\n"
        "node_memory_Active_anon_bytes 2048\n"
        "# HELP node_memory_HugePages_Total Memory information field HugePages_Total.\n"
        "# TYPE node_memory_HugePages_Total gauge\n"
        "node_memory_HugePages_Total 3\n");
  tree.Write("proc/meminfo", "MemFree:   1 kB\nHugePages_Total:   3\nMemTotal:   1");
  const Collected other = meminfo.Collect();
  CHECK(other.Has("node_memory_MemFree_bytes 1024"));
  CHECK(other.Has("node_memory_HugePages_Total 3"));
}

TEST_CASE("meminfo without a line of its kind is an error", "[collectors]") {
  const Tree tree;
  CHECK(Made(MeminfoSpec(), tree).Collect().status.error().kind() == ErrorKind::kNotFound);
  tree.Write("proc/meminfo", "MemTotal: x kB\nnothing\n");
  CHECK(Made(MeminfoSpec(), tree).Collect().status.error().kind() == ErrorKind::kInvalid);
}

TEST_CASE("vmstat shows the fields that the expression picks", "[collectors]") {
  const Tree tree;
  tree.Write("proc/vmstat", "nr_free_pages 5\npgfault 7\npswpin x\noom_kill 1\nallocstall 2");
  const Collected got = Made(VmstatSpec(), tree).Collect();
  REQUIRE(got.status);
  CHECK(got.page ==
        "# HELP node_vmstat_pgfault /proc/vmstat information field pgfault.\n"
        "# TYPE node_vmstat_pgfault untyped\n"
        "node_vmstat_pgfault 7\n"
        "# HELP node_vmstat_oom_kill /proc/vmstat information field oom_kill.\n"
        "# TYPE node_vmstat_oom_kill untyped\n"
        "node_vmstat_oom_kill 1\n");
  CHECK(Made(VmstatSpec(), tree, {{"fields", {"^nr_"}}})
            .Collect()
            .Has("node_vmstat_nr_free_pages 5"));
}

TEST_CASE("filefd shows what is open and what may be", "[collectors]") {
  const Tree tree;
  tree.Write("proc/sys/fs/file-nr", "1024\t0\t1631329\n");
  const Collected got = Made(FilefdSpec(), tree).Collect();
  CHECK(got.Has("node_filefd_allocated 1024"));
  CHECK(got.Has("node_filefd_maximum 1.631329e+06"));
  tree.Write("proc/sys/fs/file-nr", "1024\t0");
  CHECK_FALSE(Made(FilefdSpec(), tree).Collect().status);
}

TEST_CASE("os reads the first os-release there is, and again when it changes", "[collectors]") {
  const Tree tree;
  const Made os(OsSpec(), tree);
  CHECK(os.Collect().status.error().kind() == ErrorKind::kNotFound);
  tree.Write("root/usr/lib/os-release",
             "# comment\nNAME='Debian GNU/Linux'\nID=debian\nVERSION_ID=\"22.04.1\"\n"
             "PRETTY_NAME=\"a \\\"b\\\"\"\nbroken line\n");
  const Collected got = os.Collect();
  CHECK(
      got.Has("node_os_info{build_id=\"\",id=\"debian\",id_like=\"\",image_id=\"\","
              "image_version=\"\",name=\"Debian GNU/Linux\",pretty_name=\"a \\\"b\\\"\","
              "variant=\"\",variant_id=\"\",version=\"\",version_codename=\"\","
              "version_id=\"22.04.1\"} 1"));
  CHECK(got.Has(R"(node_os_version{id="debian",id_like="",name="Debian GNU/Linux"} 22.04)"));
  tree.Write("root/etc/os-release", "ID=arch\nNAME=Arch\n");
  const Collected rolling = os.Collect();
  CHECK(rolling.Mentions(R"(id="arch")"));
  CHECK_FALSE(rolling.Mentions("node_os_version"));
}

TEST_CASE("time shows the clock it is given and the clock sources", "[collectors]") {
  const Tree tree;
  tree.Write("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet \n");
  tree.Write("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
  const Collected got = Made(TimeSpec(), tree).Collect();
  CHECK(got.Has("node_time_seconds 1.7952552005e+09"));
  CHECK(got.Has(R"(node_time_clocksource_available_info{clocksource="hpet",device="0"} 1)"));
  CHECK(got.Has(R"(node_time_clocksource_current_info{clocksource="tsc",device="0"} 1)"));
  CHECK(got.Mentions("node_time_zone_offset_seconds{time_zone=\""));
}

TEST_CASE("uname and timex ask the kernel", "[collectors]") {
  const Tree tree;
  const Collected uname = Made(UnameSpec(), tree).Collect();
  REQUIRE(uname.status);
  CHECK(uname.Mentions(R"(sysname="Linux")"));
  const Collected timex = Made(TimexSpec(), tree).Collect();
  if (timex.status) {
    CHECK(timex.Mentions("\nnode_timex_sync_status "));
    CHECK(timex.Mentions("\nnode_timex_tick_seconds "));
  } else {
    CHECK(timex.status.error().kind() == ErrorKind::kNotFound);  // forbidden in a sandbox
  }
}

}  // namespace
}  // namespace skep::exporter
