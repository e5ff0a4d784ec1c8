#include "common/yaml/node.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using skep::Duration;
using skep::yaml::MapReader;
using skep::yaml::Node;
using skep::yaml::NodeKind;

namespace {

Node Parsed(const std::string& text) {
  skep::Result<Node> node = Node::Parse(text, "f.yml");
  if (!node) throw std::runtime_error(node.error().message());
  return *node;
}

std::string Refused(const std::string& text) {
  const skep::Result<Node> node = Node::Parse(text, "f.yml");
  return node ? "accepted" : node.error().message();
}

std::string Repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("Numbers and truths are read in the forms that Go's reader has", "[yaml]") {
  const auto integer = [](const std::string& text) -> std::string {
    const auto value = Node::Parse(text, "f.yml")->AsInt();
    return value ? std::to_string(*value) : "refused";
  };
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0"},           {"-12", "-12"},       {"+10", "10"},
      {"0x10", "16"},       {"-0x10", "-16"},     {"0x_10", "16"},
      {"0o17", "15"},       {"017", "15"},        {"018", "18"},
      {"0b11", "3"},        {"1_000", "1000"},    {"10_", "10"},
      {"1e3", "1000"},      {"1.0", "1"},         {"-9223372036854775808", "-9223372036854775808"},
      {"_10", "refused"},   {"1.5", "refused"},   {"'10'", "refused"},
      {"0x", "refused"},    {"ten", "refused"},   {"--1", "refused"},
      {"1e300", "refused"}, {"0x1p4", "refused"}, {"9223372036854775808", "refused"},
      {"Inf", "refused"},   {"0b12", "refused"},  {"-", "refused"},
  };
  for (const auto& [text, number] : cases) {
    CAPTURE(text);
    CHECK(integer(text) == number);
  }
  CHECK(*Node::Parse("1_000.5", "f.yml")->AsDouble() == 1000.5);
  CHECK(*Node::Parse("0x10", "f.yml")->AsDouble() == 16);
  CHECK(*Node::Parse("-.inf", "f.yml")->AsDouble() < -1e308);
  for (const char* text : {"+Inf", "NaN", "inf", "0x1p4", "'1'"}) {
    CAPTURE(text);
    CHECK_FALSE(Node::Parse(text, "f.yml")->AsDouble());
  }
  CHECK(*Node::Parse("y", "f.yml")->AsBool());
  CHECK_FALSE(*Node::Parse("N", "f.yml")->AsBool());
  CHECK_FALSE(Node::Parse("'y'", "f.yml")->AsBool());
}

TEST_CASE("Nodes know kind, text and place", "[yaml]") {
  const Node root = Parsed("a: 1\nb:\n  - x\n  - 'null'\nc: {d: ~}\ne:\n");
  REQUIRE(root.IsMap());
  CHECK(root.entries().size() == 4);
  CHECK(root.Get("a").text() == "1");
  const std::vector<Node> items = root.Get("b").items();
  REQUIRE(items.size() == 2);
  CHECK(items[0].line() == 3);
  CHECK(items[0].column() == 5);
  CHECK_FALSE(items[0].quoted());
  CHECK(items[1].quoted());
  CHECK(items[1].text() == "null");
  CHECK(root.Get("c").Get("d").IsNull());
  CHECK(root.Has("e"));
  CHECK(root.Get("e").IsNull());
  CHECK_FALSE(root.Has("f"));
  CHECK(root.Get("f").kind() == NodeKind::kNull);
  CHECK(root.Get("f").Get("g").IsNull());
  CHECK(root.Get("c").Complain("bad").message() == "f.yml:5:4: bad");
  CHECK(Parsed("").IsNull());
  CHECK(Parsed("# only a comment\n").IsNull());
  CHECK(Parsed("---\na: 1\n...\n").Has("a"));
  CHECK(Parsed("\xef\xbb\xbf"
               "a: 1")
            .Has("a"));
}

TEST_CASE("Block scalars keep their lines", "[yaml]") {
  const Node root = Parsed("expr: |\n  a\n  + b\nfold: >-\n  a\n  b\n");
  CHECK(root.Get("expr").text() == "a\n+ b\n");
  CHECK(root.Get("fold").text() == "a b");
}

TEST_CASE("Scalars are read as the type asked for, or the error says what was expected", "[yaml]") {
  const Node root = Parsed(
      "t: yes\nf: False\ni: -12\nd: 1.5e3\ninf: .inf\ndur: 1h30m\nsize: 10MB\nexact: "
      "9007199254740993\nhalf: 1.5KiB\nq: '5'\nlist: [a, 1, true]\nmap: {}\nten: 0x10\n");
  CHECK(*root.Get("t").AsBool());
  CHECK_FALSE(*root.Get("f").AsBool());
  CHECK(*root.Get("i").AsInt() == -12);
  CHECK(*root.Get("d").AsDouble() == 1500);
  CHECK(*root.Get("inf").AsDouble() > 1e308);
  CHECK(*root.Get("dur").AsDuration() == Duration{5'400'000});
  CHECK(*root.Get("size").AsSizeBytes() == 10U << 20);
  CHECK(*root.Get("exact").AsSizeBytes() == 9007199254740993U);
  CHECK(*root.Get("half").AsSizeBytes() == 1536);
  CHECK(*root.Get("list").AsStrings() == std::vector<std::string>{"a", "1", "true"});
  CHECK(*root.Get("f").AsString() == "False");
  CHECK(root.Get("q").AsInt().error().message() == "f.yml:10:4: expected an integer, got \"5\"");
  CHECK(root.Get("map").AsString().error().message() == "f.yml:12:6: expected text, got a map");
  CHECK_FALSE(root.Get("i").AsBool());
  CHECK_FALSE(root.Get("t").AsDuration());
  CHECK_FALSE(root.Get("dur").AsSizeBytes());
  CHECK_FALSE(root.Get("t").AsStrings());
  CHECK_FALSE(root.Get("absent").AsInt());
}

TEST_CASE("Bad YAML is refused with its place", "[yaml]") {
  CHECK(Refused("a: 1\nb: 2\na: 3\n") == "f.yml:3:1: key \"a\" stands already at line 1");
  CHECK(Refused("{a: 1, a: 2}").find("f.yml:1:8: key \"a\"") == 0);
  CHECK(Refused("a: [1, 2\n").find("f.yml:2:1: ") == 0);
  CHECK(Refused("a: 'x").find("f.yml:1:") == 0);
  CHECK(Refused("a: *nowhere\n").find("f.yml:1:") == 0);
  CHECK(Refused("[a]: 1").find("f.yml:1:1: expected a scalar as key") == 0);
  CHECK(Refused("a: 1\n---\nb: 2\n").find("f.yml:") == 0);
  CHECK(Refused("a: 1\n]\n").find("f.yml:") == 0);
  CHECK(Refused("ok: 1\nb: \xff\n") == "f.yml:2:4: control byte or invalid UTF-8");
  CHECK(Refused(std::string("a: \0", 4)).find("f.yml:1:4") == 0);
  CHECK(Refused("a:\n\t- b\n").find("f.yml:") == 0);
}

TEST_CASE("A quoted text that the file's end cuts off is refused, a block's last lines are kept",
          "[yaml]") {
  for (const char* cut : {"a: \"x\n", "a: 'x\n", "a: \"x\nb: 2\n  \n", "a: \"x\n  ", "a: ['x\n"}) {
    CAPTURE(cut);
    CHECK(Refused(cut).find("quoted text has no end") != std::string::npos);
  }
  CHECK(Parsed("a: |+\n  x\n\n").Get("a").text() == "x\n\n");
  CHECK(Parsed("a: |+\n  x").Get("a").text() == "x");
  CHECK(Parsed("a: x\n  y\n").Get("a").text() == "x y");
  CHECK(Parsed("a: x\n...\n").Get("a").text() == "x");
}

TEST_CASE("Hostile nesting and aliases end in an error, not in a crash", "[yaml]") {
  const std::string deep = "nested more than 100 deep";
  CHECK(Refused(Repeat("[", 100'000)).find(deep) != std::string::npos);
  CHECK(Refused(Repeat("{a: ", 100'000)).find(deep) != std::string::npos);
  CHECK(Refused(Repeat("- ", 100'000)).find(deep) != std::string::npos);
  CHECK(Refused(Repeat("? ", 100'000)).find(deep) != std::string::npos);
  CHECK(Refused(Repeat("[", 100) + Repeat("]", 100)) == "accepted");

  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [" + before + ", " + before + "]\n";
  }
  CHECK(Refused(bomb).find("more than 1000000 nodes when aliases are followed") !=
        std::string::npos);

  std::string tower = "a0: &a0 [x]\n";
  for (int i = 1; i < 200; ++i) {
    tower += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  }
  CHECK(Refused(tower).find("when aliases are followed") != std::string::npos);
  CHECK(Refused("a: &a [1, *a]").find("alias stands inside") != std::string::npos);
}

TEST_CASE("All documents of a text are read, each with its own places and anchors", "[yaml]") {
  const auto parse = [](const std::string& text) {
    return skep::yaml::Node::ParseAll(text, "f.yml");
  };
  const auto two = parse("a: &x 1\n---\nb: [2,\n    three]\n");
  REQUIRE(two);
  REQUIRE(two->size() == 2);
  CHECK((*two)[0].Get("a").text() == "1");
  CHECK((*two)[1].Get("b").items()[1].place() == "f.yml:4:5");
  const std::pair<const char*, std::size_t> counts[] = {
      {"", 1},
      {"# nothing\n", 1},
      {"a: 1\n---\n", 2},
      {"---\na: 1\n...\n", 1},
      {"---\n---\n", 2},
      {"---\na: 1\n---\nb: 2\n", 2},
  };
  for (const auto& [text, count] : counts) {
    CAPTURE(text);
    const auto nodes = parse(text);
    REQUIRE(nodes);
    CHECK(nodes->size() == count);
  }
  const auto error = [&](const std::string& text) {
    const auto nodes = parse(text);
    return nodes ? std::string("none") : nodes.error().message();
  };
  CHECK(error("a: 1\n---\nb: [\n").find("f.yml:") == 0);
  CHECK(error("a: &x 1\n---\nb: *x\n").find("f.yml:3:") == 0);
  CHECK(error("a: 1\n]\n").find("f.yml:2:1: ") == 0);
}

TEST_CASE("Aliases and merge keys stand for what they name", "[yaml]") {
  const Node root = Parsed(
      "base: &base {x: 1, y: 2}\nuse: *base\n"
      "merged:\n  <<: *base\n  y: 3\nmany:\n  <<: [{x: 9}, *base]\nplain: {'<<': 1}\n");
  CHECK(root.Get("use").Get("x").text() == "1");
  CHECK(root.Get("merged").Get("x").text() == "1");
  CHECK(root.Get("merged").Get("y").text() == "3");
  CHECK_FALSE(root.Get("merged").Has("<<"));
  CHECK(root.Get("many").Get("x").text() == "9");
  CHECK(root.Get("many").Get("y").text() == "2");
  CHECK(root.Get("plain").Has("<<"));
  CHECK(Refused("a: {<<: 1}").find("expected a map after <<") != std::string::npos);
}

TEST_CASE("MapReader reads what it is asked for and refuses the rest", "[yaml]") {
  std::string name;
  bool on = false;
  int count = 7;
  Duration interval{1};
  std::vector<std::string> list;
  std::uint64_t size = 0;
  double ratio = 0.5;
  MapReader map(Parsed("name: n\non: true\ninterval: 5m\nlist: [a]\nsize: 1KB\ncount:\nextra: 1"));
  map.Require("name", name);
  map.Read("on", on);
  map.Read("count", count);
  map.Read("interval", interval);
  map.Read("list", list);
  map.ReadSizeBytes("size", size);
  map.Read("ratio", ratio);
  map.Ignore("extra");
  REQUIRE(map.Finish("test"));
  CHECK(name == "n");
  CHECK(on);
  CHECK(count == 7);
  CHECK(interval == Duration{300'000});
  CHECK(list == std::vector<std::string>{"a"});
  CHECK(size == 1024);
  CHECK(ratio == 0.5);
}

TEST_CASE("MapReader reports the first error with its place", "[yaml]") {
  const auto finish = [](const std::string& text) {
    MapReader map(Parsed(text));
    int count = 0;
    std::string name;
    map.Read("count", count);
    map.Require("name", name);
    const skep::Status status = map.Finish("job");
    return status ? std::string("fine") : status.error().message();
  };
  CHECK(finish("name: x") == "fine");
  CHECK(finish("name: x\nnmae: y\n") == "f.yml:2:1: field nmae not found in job");
  CHECK(finish("count: 1\n").find("f.yml:1:1: field name is required") == 0);
  CHECK(finish("name: x\ncount: many\n") == "f.yml:2:8: expected an integer, got \"many\"");
  CHECK(finish("name: x\ncount: 99999999999\n").find("out of range") != std::string::npos);
  CHECK(finish("- 1\n").find("f.yml:1:1: expected a map") == 0);
}
