#include <catch2/catch.hpp>

#include "tests/exporter/collectors/tree.h"

using namespace skep;
using namespace skep::exporter;
using skep::test::Collect;
using skep::test::Collected;
using skep::test::Tree;

TEST_CASE("A chip is named after its place, else its name, else its folder", "[exporter]") {
  Tree tree;
  tree.Write("sys/devices/platform/nct6775.656/hwmon/hwmon1/name", "nct6779\n");
  tree.Write("sys/devices/platform/nct6775.656/hwmon/hwmon1/temp1_input", "27000\n");
  tree.Link("sys/devices/platform/nct6775.656/hwmon/hwmon1/device", "../../../nct6775.656");
  tree.Link("sys/class/hwmon/hwmon1", "../../devices/platform/nct6775.656/hwmon/hwmon1");
  tree.Write("sys/class/hwmon/hwmon2/name", "ACPI Fan\n");
  tree.Write("sys/class/hwmon/hwmon2/temp1_input", "1000\n");
  tree.Write("sys/class/hwmon/hwmon3/temp1_input", "2000\n");
  Collected got = Collect(MakeHwmonCollector(tree.paths()));
  CHECK(got.status);
  CHECK(got.Has("node_hwmon_temp_celsius{chip=\"platform_nct6775_656\",sensor=\"temp1\"} 27"));
  CHECK(got.Has("node_hwmon_chip_names{chip=\"platform_nct6775_656\",chip_name=\"nct6779\"} 1"));
  CHECK(got.Has("node_hwmon_temp_celsius{chip=\"acpi_fan\",sensor=\"temp1\"} 1"));
  CHECK(got.Has("node_hwmon_temp_celsius{chip=\"hwmon3\",sensor=\"temp1\"} 2"));
}

TEST_CASE("Each kind of sensor has its unit and its help", "[exporter]") {
  struct Case {
    std::string file;
    std::string text;
    std::string name;
    std::string sample;
  };
  const std::vector<Case> cases = {
      {"in0_input", "792", "node_hwmon_in_volts", "in0\"} 0.792"},
      {"in0_beep", "0", "node_hwmon_in_beep_enabled", "in0\"} 0"},
      {"temp1_crit_alarm", "0", "node_hwmon_temp_crit_alarm_celsius", "temp1\"} 0"},
      {"temp2_type", "4", "node_hwmon_temp_type", "temp2\"} 4"},
      {"fan1_min", "10", "node_hwmon_fan_min_rpm", "fan1\"} 10"},
      {"fan1_pulses", "2", "node_hwmon_fan_pulses", "fan1\"} 2"},
      {"pwm1", "134", "node_hwmon_pwm", "pwm1\"} 134"},
      {"curr1_max", "2000", "node_hwmon_curr_max_amps", "curr1\"} 2"},
      {"power1_average", "12500000", "node_hwmon_power_average_watt", "power1\"} 12.5"},
      {"power1_average_interval", "1000", "node_hwmon_power_average_interval_seconds",
       "power1\"} 1"},
      {"energy1_input", "123000000", "node_hwmon_energy_joule_total", "energy1\"} 123"},
      {"humidity1_input", "43000", "node_hwmon_humidity", "humidity1\"} 0.043"},
      {"update_interval", "1000", "node_hwmon_update_interval_seconds", "update_interval0\"} 1"},
      {"beep_enable", "1", "node_hwmon_beep_enabled", "beep_enable0\"} 1"},
      {"vrm", "91", "node_hwmon_voltage_regulator_version", "vrm0\"} 91"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.file);
    Tree tree;
    tree.Write("sys/class/hwmon/hwmon0/" + c.file, c.text + "\n");
    Collected got = Collect(MakeHwmonCollector(tree.paths()));
    CAPTURE(got.page);
    CHECK(got.Has(c.name + "{chip=\"hwmon0\",sensor=\"" + c.sample));
  }
}

TEST_CASE("Labels keep their blanks, and files that are no sensors or no numbers are passed over",
          "[exporter]") {
  Tree tree;
  std::string chip = "sys/class/hwmon/hwmon0/";
  tree.Write(chip + "fan1_label", "Left side  \n");
  tree.Write(chip + "fan1_input", "n/a\n");
  tree.Write(chip + "fan4", "7\n");
  tree.Write(chip + "fan4_input", "8\n");
  tree.Write(chip + "uevent", "1\n");
  tree.Write(chip + "temp1_", "1\n");
  tree.Write(chip + "temperature1_input", "1\n");
  Collected got = Collect(MakeHwmonCollector(tree.paths()));
  CHECK(
      got.Has("node_hwmon_sensor_label{chip=\"hwmon0\",label=\"Left side  \",sensor=\"fan1\"} 1"));
  CHECK(got.Has("node_hwmon_fan_input_rpm{chip=\"hwmon0\",sensor=\"fan4\"} 8"));
  CHECK(got.Has("node_hwmon_fan{chip=\"hwmon0\",sensor=\"fan4\"} 7"));
  CHECK_FALSE(got.Mentions("temp"));
  CHECK_FALSE(got.Mentions("uevent"));
}

TEST_CASE("Slow chips give up at the deadline with what they have", "[exporter]") {
  Tree tree;
  tree.Write("sys/class/hwmon/hwmon0/temp1_input", "1000\n");
  CollectorPtr collector = MakeHwmonCollector(tree.paths());
  Collected got = Collect(*collector, std::chrono::steady_clock::time_point::min());
  REQUIRE_FALSE(got.status);
  CHECK(got.status.error().kind() == ErrorKind::kTimeout);
}
