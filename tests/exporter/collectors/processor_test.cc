// The collectors cpu, cpufreq, stat, loadavg, softnet and pressure over fixture trees.
#include <catch2/catch.hpp>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/cpu_info.h"
#include "exporter/collectors/kernel_stat.h"
#include "tests/exporter/collectors/made.h"

namespace skep::exporter {
namespace {

using test::Collected;
using test::Made;
using test::Tree;

constexpr std::string_view kStat =
    "cpu  301 20 30 4000 50 6 7 8 9 10\n"
    "cpu0 101 10 10 1000 10 1 2 3 4 5\n"
    "cpu2 200 10 20 3000 40 5 5 5 5 5\n"
    "intr 12345 1 2 3\n"
    "ctxt 678\n"
    "btime 1700000000\n"
    "processes 42\n"
    "procs_running 3\n"
    "procs_blocked 1\n"
    "softirq 55 1 2 3 4 5 6 7 8 9 10\n";

TEST_CASE("cpu shows the seconds of each mode of each processor", "[collectors]") {
  const Tree tree;
  tree.Write("proc/stat", kStat);
  const Collected got = Made(CpuSpec(), tree).Collect();
  REQUIRE(got.status);
  CHECK(got.Has("# TYPE node_cpu_seconds_total counter"));
  CHECK(got.Has("# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode."));
  CHECK(got.Has(R"(node_cpu_seconds_total{cpu="0",mode="user"} 1.01)"));
  CHECK(got.Has(R"(node_cpu_seconds_total{cpu="2",mode="idle"} 30)"));
  CHECK(got.Has(R"(node_cpu_seconds_total{cpu="2",mode="steal"} 0.05)"));
  CHECK(got.Has(R"(node_cpu_guest_seconds_total{cpu="0",mode="user"} 0.04)"));
  CHECK(got.Has(R"(node_cpu_guest_seconds_total{cpu="0",mode="nice"} 0.05)"));
  CHECK_FALSE(got.Mentions(R"(cpu="1")"));
}

TEST_CASE("cpu leaves guests out when told so", "[collectors]") {
  const Tree tree;
  tree.Write("proc/stat", kStat);
  CHECK_FALSE(Made(CpuSpec(), tree, {{"guest", {"false"}}}).Collect().Mentions("guest"));
}

TEST_CASE("cpu counters do not fall, unless the processor was replaced", "[collectors]") {
  const Tree tree;
  const Made cpu(CpuSpec(), tree);
  tree.Write("proc/stat", "cpu0 100 0 0 1000 500 0 0 0 0 0\n");
  REQUIRE(cpu.Collect().status);
  tree.Write("proc/stat", "cpu0 110 0 0 990 400 0 0 0 0 0\n");
  const Collected corrected = cpu.Collect();
  CHECK(corrected.Has(R"(node_cpu_seconds_total{cpu="0",mode="idle"} 10)"));
  CHECK(corrected.Has(R"(node_cpu_seconds_total{cpu="0",mode="iowait"} 5)"));
  CHECK(corrected.Has(R"(node_cpu_seconds_total{cpu="0",mode="user"} 1.1)"));
  tree.Write("proc/stat", "cpu0 5 0 0 20 1 0 0 0 0 0\n");
  const Collected replaced = cpu.Collect();
  CHECK(replaced.Has(R"(node_cpu_seconds_total{cpu="0",mode="idle"} 0.2)"));
  CHECK(replaced.Has(R"(node_cpu_seconds_total{cpu="0",mode="user"} 0.05)"));
}

TEST_CASE("cpu follows processors that come and go", "[collectors]") {
  const Tree tree;
  const Made cpu(CpuSpec(), tree);
  tree.Write("proc/stat", kStat);
  REQUIRE(cpu.Collect().Mentions(R"(cpu="2")"));
  tree.Write("proc/stat", "cpu0 1 1 1 1 1 1 1 1 1 1\ncpu1 1 1 1 1 1 1 1 1 1 1\n");
  const Collected got = cpu.Collect();
  CHECK(got.Mentions(R"(cpu="1")"));
  CHECK_FALSE(got.Mentions(R"(cpu="2")"));
}

TEST_CASE("cpu lines that are cut are left out, and a text without any is an error",
          "[collectors]") {
  std::vector<CpuRow> rows;
  ParseCpuRows("cpu  1 2 3 4\ncpu0 1 2 3\ncpu1 1 2 3 4\ncpux 1 2 3 4\ncpu3 1 2 3 4 5 6 7 8 9 1",
               rows);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].cpu == 1);
  CHECK(rows[0].ticks[kCpuIdle] == 4);
  CHECK(rows[0].ticks[kCpuIowait] == 0);
  CHECK(rows[1].cpu == 3);
  const Tree tree;
  tree.Write("proc/stat", "");
  CHECK(Made(CpuSpec(), tree).Collect().status.error().kind() == ErrorKind::kInvalid);
}

TEST_CASE("cpu tells throttling per core and package, from the first thread that has it",
          "[collectors]") {
  const Tree tree;
  tree.Write("proc/stat", kStat);
  for (const auto& [cpu, core] : {std::pair{"cpu0", "3"}, {"cpu1", "3"}, {"cpu2", "4"}}) {
    const std::string folder = std::string("sys/devices/system/cpu/") + cpu;
    tree.Write(folder + "/topology/physical_package_id", "0\n");
    tree.Write(folder + "/topology/core_id", std::string(core) + "\n");
  }
  tree.Write("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "5\n");
  tree.Write("sys/devices/system/cpu/cpu2/thermal_throttle/core_throttle_count", "nonsense");
  tree.Write("sys/devices/system/cpu/cpu2/thermal_throttle/package_throttle_count", "7\n");
  tree.Write("sys/devices/system/cpu/isolated", "1,3-4\n");
  const Collected got = Made(CpuSpec(), tree).Collect();
  CHECK(got.Has(R"(node_cpu_core_throttles_total{core="3",package="0"} 5)"));
  CHECK_FALSE(got.Mentions(R"(core="4")"));
  CHECK(got.Has(R"(node_cpu_package_throttles_total{package="0"} 7)"));
  CHECK(got.Has(R"(node_cpu_isolated{cpu="1"} 1)"));
  CHECK(got.Has(R"(node_cpu_isolated{cpu="4"} 1)"));
}

constexpr std::string_view kCpuInfo =
    "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 142\n"
    "model name\t: Intel(R) \"Core\"\nstepping\t: 10\nmicrocode\t: 0xb4\ncache size\t: 8192 KB\n"
    "physical id\t: 0\ncore id\t\t: 1\nflags\t\t: fpu aes avx2\nbugs\t\t: mds\n\n"
    "processor\t: 1\nvendor_id\t: GenuineIntel\n";

TEST_CASE("cpu info stands on the page when asked for", "[collectors]") {
  const Tree tree;
  tree.Write("proc/stat", kStat);
  tree.Write("proc/cpuinfo", kCpuInfo);
  CHECK_FALSE(Made(CpuSpec(), tree).Collect().Mentions("node_cpu_info"));
  const Collected info = Made(CpuSpec(), tree, {{"info", {"true"}}}).Collect();
  CHECK(info.Has(
      "node_cpu_info{cachesize=\"8192 KB\",core=\"1\",cpu=\"0\",family=\"6\",microcode=\"0xb4\","
      "model=\"142\",model_name=\"Intel(R) \\\"Core\\\"\",package=\"0\",stepping=\"10\","
      "vendor=\"GenuineIntel\"} 1"));
  CHECK_FALSE(info.Mentions("flag_info"));
  const Collected flags =
      Made(CpuSpec(), tree, {{"info.flags-include", {"^a"}}, {"info.bugs-include", {"mds"}}})
          .Collect();
  CHECK(flags.Has(R"(node_cpu_flag_info{flag="aes"} 1)"));
  CHECK(flags.Has(R"(node_cpu_flag_info{flag="avx2"} 1)"));
  CHECK(flags.Has(R"(node_cpu_bug_info{bug="mds"} 1)"));
  CHECK_FALSE(flags.Mentions("fpu"));
}

TEST_CASE("cpuinfo of another architecture, or cut, gives what it has", "[collectors]") {
  const auto arm =
      ParseCpuInfo("processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\nCPU p");
  REQUIRE(arm.size() == 1);
  CHECK(arm[0].flags == "fp asimd");
  CHECK(arm[0].vendor == "0x41");
  CHECK(arm[0].model == "");
  CHECK(ParseCpuInfo("flags : lost\n").empty());
}

TEST_CASE("stat shows the counters of the whole machine", "[collectors]") {
  const Tree tree;
  tree.Write("proc/stat", kStat);
  const Collected got = Made(StatSpec(), tree).Collect();
  REQUIRE(got.status);
  CHECK(got.Has("node_intr_total 12345"));
  CHECK(got.Has("node_context_switches_total 678"));
  CHECK(got.Has("node_boot_time_seconds 1.7e+09"));
  CHECK(got.Has("node_forks_total 42"));
  CHECK(got.Has("node_procs_running 3"));
  CHECK(got.Has("node_procs_blocked 1"));
  CHECK_FALSE(got.Mentions("softirq"));
  const Collected softirqs = Made(StatSpec(), tree, {{"softirq", {"true"}}}).Collect();
  CHECK(softirqs.Has(R"(node_softirqs_total{vector="hi"} 1)"));
  CHECK(softirqs.Has(R"(node_softirqs_total{vector="rcu"} 10)"));
}

TEST_CASE("stat cut before its last lines is an error, not zeros", "[collectors]") {
  for (std::size_t length = 0; length < kStat.find("procs_blocked 1"); ++length) {
    SystemCounters counters;
    CAPTURE(length);
    CHECK_FALSE(ParseSystemCounters(kStat.substr(0, length), counters));
  }
}

TEST_CASE("cpufreq converts kHz and passes over what is not told", "[collectors]") {
  const Tree tree;
  tree.Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1700000\n");
  tree.Write("sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq", "<unknown>\n");
  tree.Write("sys/devices/system/cpu/cpu10/cpufreq/scaling_cur_freq", "800000\n");
  tree.Write("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1\n");
  const Collected got = Made(CpufreqSpec(), tree).Collect();
  REQUIRE(got.status);
  CHECK(got.page ==
        "# HELP node_cpu_scaling_frequency_hertz Current scaled CPU thread frequency in hertz.\n"
        "# TYPE node_cpu_scaling_frequency_hertz gauge\n"
        "node_cpu_scaling_frequency_hertz{cpu=\"0\"} 1.7e+09\n"
        "node_cpu_scaling_frequency_hertz{cpu=\"10\"} 8e+08\n");
}

TEST_CASE("loadavg shows three numbers or none", "[collectors]") {
  const Tree tree;
  tree.Write("proc/loadavg", "0.21 0.37 0.39 1/719 19737\n");
  const Made loadavg(LoadavgSpec(), tree);
  CHECK(loadavg.Collect().Has("node_load1 0.21"));
  CHECK(loadavg.Collect().Has("node_load5 0.37"));
  CHECK(loadavg.Collect().Has("node_load15 0.39"));
  tree.Write("proc/loadavg", "0.21 0.3");
  const Collected cut = loadavg.Collect();
  CHECK_FALSE(cut.status);
  CHECK(cut.page.empty());
}

TEST_CASE("softnet takes the processor's number from the line where it has one", "[collectors]") {
  const Tree tree;
  tree.Write("proc/net/softnet_stat",
             "0000000a 0000000b 00000001 0 0 0 0 0 0 0 0 00000000 00000002 0 0\n"
             "00000014 00000000 00000000 0 0 0 0 0 0 0\n");
  const Collected got = Made(SoftnetSpec(), tree).Collect();
  CHECK(got.Has(R"(node_softnet_processed_total{cpu="2"} 10)"));
  CHECK(got.Has(R"(node_softnet_dropped_total{cpu="2"} 11)"));
  CHECK(got.Has(R"(node_softnet_times_squeezed_total{cpu="2"} 1)"));
  CHECK(got.Has(R"(node_softnet_processed_total{cpu="1"} 20)"));
  tree.Write("proc/net/softnet_stat", "0000000a 0000\n");
  CHECK_FALSE(Made(SoftnetSpec(), tree).Collect().status);
}

TEST_CASE("pressure shows waiting and stalled time, and no data where the kernel keeps none",
          "[collectors]") {
  const Tree tree;
  const Made pressure(PressureSpec(), tree);
  CHECK(pressure.Collect().status.error().kind() == ErrorKind::kNotFound);
  const std::string lines =
      "some avg10=0.10 avg60=2.00 avg300=3.85 total=15000000\n"
      "full avg10=0.20 avg60=3.00 avg300=4.95 total=25500000\n";
  for (const auto* file : {"proc/pressure/cpu", "proc/pressure/io"}) tree.Write(file, lines);
  tree.Write("proc/pressure/memory", "some avg10=0.10 total=\nfull avg10=0.20 tot");
  const Collected got = pressure.Collect();
  CHECK(got.status);
  CHECK(got.Has("node_pressure_cpu_waiting_seconds_total 15"));
  CHECK(got.Has("node_pressure_io_waiting_seconds_total 15"));
  CHECK(got.Has("node_pressure_io_stalled_seconds_total 25.5"));
  CHECK_FALSE(got.Mentions("cpu_stalled"));
  CHECK_FALSE(got.Mentions("memory"));
}

}  // namespace
}  // namespace skep::exporter
