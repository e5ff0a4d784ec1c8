// Options of collectors, the catalogue, and reading files again and again.
#include "exporter/collectors/spec.h"

#include <catch2/catch.hpp>
#include <set>

#include "exporter/collectors/catalogue.h"
#include "exporter/collectors/device_choice.h"
#include "exporter/collectors/scan.h"
#include "exporter/collectors/source_file.h"
#include "tests/exporter/collectors/made.h"

namespace skep::exporter {
namespace {

CollectorSpec Sample() {
  return {.name = "sample",
          .options = {{"flag", OptionKind::kFlag, "true", ""},
                      {"text", OptionKind::kText, "a", ""},
                      {"some-regex.x", OptionKind::kRegex, "^$", ""},
                      {"list", OptionKind::kList, "one", ""},
                      {"span", OptionKind::kDuration, "5s", ""},
                      {"node", OptionKind::kNode, "", ""}}};
}

yaml::Node Parse(std::string_view text) { return *yaml::Node::Parse(text, "x.yml"); }

TEST_CASE("options have their fallbacks until they are set", "[collectors]") {
  const OptionValues values(Sample());
  CHECK(values.Flag("flag"));
  CHECK(values.Text("text") == "a");
  CHECK(values.Pattern("some-regex.x")->pattern() == "^$");
  CHECK(values.List("list") == std::vector<std::string>{"one"});
  CHECK(values.Span("span") == std::chrono::seconds(5));
  CHECK_FALSE(values.Node("node").has_value());
  CHECK_FALSE(values.IsSet("text"));
}

TEST_CASE("options come from YAML under keys without dashes", "[collectors]") {
  OptionValues values(Sample());
  bool enabled = true;
  REQUIRE(values.Read(Parse("{flag: no, text: 7, some_regex_x: 'a|b', list: [x, y], span: 1m,"
                            " node: {password: p, a: [1, '2']}, enabled: false}"),
                      enabled));
  CHECK_FALSE(enabled);
  CHECK_FALSE(values.Flag("flag"));
  CHECK(values.Text("text") == "7");
  CHECK(values.Pattern("some-regex.x")->FullMatch("b"));
  CHECK(values.List("list") == std::vector<std::string>{"x", "y"});
  CHECK(values.IsSet("span"));
  std::string yaml;
  values.AppendYaml("  ", yaml);
  CHECK(yaml.find("  list: [\"x\", \"y\"]\n") != std::string::npos);
  CHECK(yaml.find("  node: {\"password\": \"<secret>\", \"a\": [1, \"2\"]}\n") !=
        std::string::npos);
  // What is printed can be read again.
  OptionValues again(Sample());
  REQUIRE(again.Read(Parse(yaml), enabled));
  CHECK(again.Pattern("some-regex.x")->pattern() == "a|b");
}

TEST_CASE("a bad option names its place", "[collectors]") {
  const std::pair<std::string, std::string> cases[] = {
      {"flag: maybe", "x.yml:1:7: "},  {"text: a\nsome_regex_x: '('", "x.yml:2:15: "},
      {"span: soon", "x.yml:1:7: "},   {"list: {a: b}", "x.yml:1:7: "},
      {"enabled: 5x", "x.yml:1:10: "}, {"text: a\nnope: 1", "x.yml:2:"},
  };
  for (const auto& [text, place] : cases) {
    CAPTURE(text);
    OptionValues values(Sample());
    bool enabled = true;
    const Status read = values.Read(Parse(text), enabled);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind() == ErrorKind::kInvalid);
    CHECK(read.error().message().starts_with(place));
  }
  OptionValues values(Sample());
  CHECK_FALSE(values.Set("some-regex.x", {"("}));
  CHECK_FALSE(values.Set("flag", {"yes"}));
  CHECK_FALSE(values.Set("nope", {"1"}));
}

TEST_CASE("the catalogue has every collector that node_exporter 1.5 runs by default",
          "[collectors]") {
  std::set<std::string> names;
  std::string last;
  for (const CollectorSpec& spec : Catalogue()) {
    CHECK(last < spec.name);
    last = spec.name;
    names.insert(spec.name);
    CHECK(test::Made(spec, test::Tree()).name() == spec.name);
  }
  for (const char* name :
       {"arp",        "bcache",       "bonding",          "btrfs",      "conntrack",
        "cpu",        "cpufreq",      "diskstats",        "dmi",        "edac",
        "entropy",    "fibrechannel", "filefd",           "filesystem", "hwmon",
        "infiniband", "ipvs",         "loadavg",          "mdadm",      "meminfo",
        "netclass",   "netdev",       "netstat",          "nfs",        "nfsd",
        "nvme",       "os",           "powersupplyclass", "pressure",   "rapl",
        "schedstat",  "selinux",      "sockstat",         "softnet",    "stat",
        "tapestats",  "textfile",     "thermal_zone",     "time",       "timex",
        "udp_queues", "uname",        "vmstat",           "xfs",        "zfs"}) {
    CAPTURE(name);
    CHECK(names.contains(name));
  }
}

TEST_CASE("a source file is read anew each time, also when it was replaced", "[collectors]") {
  const test::Tree tree;
  tree.Write("f", "one");
  for (const auto keep : {SourceFile::Keep::kOpen, SourceFile::Keep::kReopen}) {
    SourceFile file(tree.File("f"), keep);
    tree.Write("f", "one");
    CHECK(file.Read().value() == "one");
    tree.Write("f", "a longer text");
    CHECK(file.Read().value() == "a longer text");
    CHECK(file.ReadAttribute().value() == "a longer text");
    tree.Write("f", "");
    CHECK(file.Read().value() == "");
    SourceFile moved = std::move(file);
    tree.Write("f", std::string(100'000, 'x'));
    CHECK(moved.Read().value() == std::string(100'000, 'x'));
    CHECK(moved.ReadAttribute().value().size() == 100'000);
  }
  SourceFile missing(tree.File("none"));
  CHECK(missing.Read().error().kind() == ErrorKind::kNotFound);
  tree.Write("none", "came");
  CHECK(missing.Read().value() == "came");
  SourceFile folder(tree.File("."));
  CHECK(folder.Read().error().kind() == ErrorKind::kIo);
}

TEST_CASE("a choice of devices remembers and stays right", "[collectors]") {
  DeviceChoice choice({*Regex::Create("^eth"), *Regex::Create("1$")});
  for (int i = 0; i < 2; ++i) {
    CHECK(choice.Keeps("eth0"));
    CHECK_FALSE(choice.Keeps("eth1"));
    CHECK_FALSE(choice.Keeps("lo"));
  }
  for (int i = 0; i < 5000; ++i) (void)choice.Keeps("veth" + std::to_string(i));
  CHECK(choice.Keeps("eth0"));
}

TEST_CASE("numbers are taken field by field", "[collectors]") {
  std::string_view line = " 12\t0x1f 2.5 -3 18446744073709551616";
  std::uint64_t number = 0;
  double real = 0;
  CHECK((NextUint(line, number) && number == 12));
  CHECK((NextHex(line, number) && number == 31));
  CHECK((NextDouble(line, real) && real == 2.5));
  CHECK_FALSE(NextUint(line, number));
  CHECK_FALSE(NextUint(line, number));
  CHECK(number == 31);
  CHECK_FALSE(NextDouble(line, real));
  CHECK_FALSE(ParseHex("", number));
  CHECK_FALSE(ParseHex("12345678123456781", number));
}

}  // namespace
}  // namespace skep::exporter
