#include "common/model/relabel.h"

#include <catch2/catch.hpp>

namespace skep {
namespace {

RelabelRule Rule(RelabelOptions options) {
  Result<RelabelRule> rule = RelabelRule::Create(std::move(options));
  REQUIRE(rule);
  return *std::move(rule);
}

// "dropped", or what became of the labels.
std::string Apply(RelabelOptions options, const Labels& labels) {
  LabelsBuilder builder(labels);
  if (!Rule(std::move(options)).Apply(builder)) return "dropped";
  return builder.Build().ToString();
}

TEST_CASE("Relabelling rewrites, keeps and drops as Prometheus does", "[relabel]") {
  const Labels abc{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
  using A = RelabelAction;
  struct Case {
    RelabelOptions options;
    std::string expected;
  };
  const Case cases[] = {
      {{.source_labels = {"a"},
        .regex = "f(.*)",
        .target_label = "d",
        .replacement = "ch${1}-ch${1}"},
       R"({a="foo", b="bar", c="baz", d="choo-choo"})"},
      {{.source_labels = {"a", "b"},
        .regex = "f(.*);(.*)r",
        .target_label = "a",
        .replacement = "b${1}${2}m"},
       R"({a="boobam", b="bar", c="baz"})"},
      {{.source_labels = {"a"}, .regex = "oo", .target_label = "d"},
       R"({a="foo", b="bar", c="baz"})"},  // the whole value must match
      {{.source_labels = {"none"}, .target_label = "a"}, R"({b="bar", c="baz"})"},
      {{.target_label = "d", .replacement = "fixed"}, R"({a="foo", b="bar", c="baz", d="fixed"})"},
      {{.source_labels = {"a"}, .regex = "(f).*", .target_label = "${1}_x", .replacement = "v"},
       R"({a="foo", b="bar", c="baz", f_x="v"})"},
      {{.source_labels = {"a"}, .regex = "(x?).*", .target_label = "${1}", .replacement = "v"},
       R"({a="foo", b="bar", c="baz"})"},  // no label without a name
      {{.source_labels = {"a"},
        .regex = "(?P<first>.).*",
        .target_label = "d",
        .replacement = "$first"},
       R"({a="foo", b="bar", c="baz", d="f"})"},
      {{.source_labels = {"a"}, .regex = "fo+", .action = A::kKeep},
       R"({a="foo", b="bar", c="baz"})"},
      {{.source_labels = {"a"}, .regex = "f", .action = A::kKeep}, "dropped"},
      {{.source_labels = {"a", "b"}, .separator = "-", .regex = "foo-bar", .action = A::kDrop},
       "dropped"},
      {{.source_labels = {"a"}, .regex = "f", .action = A::kDrop},
       R"({a="foo", b="bar", c="baz"})"},
      {{.source_labels = {"a"}, .target_label = "b", .action = A::kKeepEqual}, "dropped"},
      {{.source_labels = {"a"}, .target_label = "b", .action = A::kDropEqual},
       R"({a="foo", b="bar", c="baz"})"},
      {{.source_labels = {"a"}, .target_label = "a", .action = A::kDropEqual}, "dropped"},
      // Sharding must agree with Prometheus: the MD5 of "baz" ends with e44cf984c85f6e88.
      // 976.
      {{.source_labels = {"c"}, .modulus = 1000, .target_label = "d", .action = A::kHashMod},
       R"({a="foo", b="bar", c="baz", d="976"})"},
      {{.regex = "(b.*|c)", .replacement = "bar_${1}", .action = A::kLabelMap},
       R"({a="foo", b="bar", bar_b="bar", bar_c="baz", c="baz"})"},
      {{.regex = "(b|c)", .action = A::kLabelDrop}, R"({a="foo"})"},
      {{.regex = "(b|c)", .action = A::kLabelKeep}, R"({b="bar", c="baz"})"},
      {{.source_labels = {"a"}, .target_label = "d", .action = A::kUppercase},
       R"({a="foo", b="bar", c="baz", d="FOO"})"},
  };
  for (const Case& c : cases) {
    CAPTURE(RelabelActionName(c.options.action), c.expected);
    CHECK(Apply(c.options, abc) == c.expected);
  }
  CHECK(Apply({.source_labels = {"a"}, .target_label = "a", .action = A::kLowercase},
              {{"a", "ÄΣЖ Bc"}}) == "{a=\"äσж bc\"}");
}

TEST_CASE("A dropped label set ends the rules", "[relabel]") {
  const std::vector<RelabelRule> rules = {
      Rule({.source_labels = {"a"}, .regex = "x", .action = RelabelAction::kDrop}),
      Rule({.target_label = "b", .replacement = "set"})};
  LabelsBuilder dropped(Labels{{"a", "x"}});
  CHECK_FALSE(Relabel(rules, dropped));
  LabelsBuilder kept(Labels{{"a", "y"}});
  CHECK(Relabel(rules, kept));
  CHECK(kept.Build().ToString() == R"({a="y", b="set"})");
}

TEST_CASE("Relabelling rules that make no sense are refused", "[relabel]") {
  using A = RelabelAction;
  const std::pair<RelabelOptions, std::string_view> cases[] = {
      {{}, "relabel configuration for replace action requires 'target_label' value"},
      {{.target_label = "a", .action = A::kHashMod},
       "relabel configuration for hashmod requires non-zero modulus"},
      {{.target_label = "a", .replacement = "x", .action = A::kLowercase},
       "'replacement' can not be set for lowercase action"},
      {{.regex = "a", .target_label = "a", .action = A::kKeepEqual},
       "keepequal action requires only 'source_labels' and 'target_label', and no other fields"},
      {{.source_labels = {"a"}, .regex = "a", .action = A::kLabelDrop},
       "labeldrop action requires only 'regex', and no other fields"},
      {{.target_label = "\xff"}, "\"\\xff\" is invalid 'target_label' for replace action"},
  };
  for (const auto& [options, message] : cases) {
    CAPTURE(message);
    const Result<RelabelRule> rule = RelabelRule::Create(options);
    REQUIRE_FALSE(rule);
    CHECK(rule.error().message() == message);
  }
  CHECK_FALSE(RelabelRule::Create({.regex = "(", .target_label = "a"}));
}

TEST_CASE("Relabel actions are written in any case", "[relabel]") {
  CHECK(ParseRelabelAction("LabelMap") == RelabelAction::kLabelMap);
  CHECK_FALSE(ParseRelabelAction("rename").has_value());
}

}  // namespace
}  // namespace skep
