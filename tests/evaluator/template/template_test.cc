#include "evaluator/template/template.h"

#include <catch2/catch.hpp>
#include <thread>

#include "evaluator/template/format.h"

namespace skep::templates {
namespace {

std::string Run(std::string_view text, const Value& data = Value(), const Limits& limits = {}) {
  Result<Template> parsed = Template::Parse("t", text, BuiltinFunctions());
  if (!parsed) return "ERROR " + parsed.error().message();
  Result<std::string> out = parsed->Execute(data, nullptr, limits);
  return out ? *out : "ERROR " + out.error().message();
}

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Missing keys are empty, absent or an error by the kind of map", "[template]") {
  const Value strings = Value::Of(Labels{{"a", "1"}});
  const Value any = Value::Of(Entries{{"a", Value(1)}}, MapKind::kAny);
  const Value record = Value::Of(Entries{{"a", Value(1)}}, MapKind::kStruct);
  CHECK(Run("[{{ .a }}{{ .b }}]", strings) == "[1]");
  CHECK(Run("[{{ .a }} {{ .b }}]", any) == "[1 <no value>]");
  CHECK(Run("{{ .b.c }}", any) == "<no value>");
  CHECK(Run("{{ .b }}", record) ==
        "ERROR template: t:1:3: executing \"t\" at <.b>: can't evaluate field b in type struct");
}

TEST_CASE("Methods of values are called where a field is asked for", "[template]") {
  Methods methods;
  methods.by_name["Twice"] = [](const Value& self,
                                std::span<const Value> arguments) -> Result<Value> {
    if (arguments.size() > 1) return Invalid("too many");
    return Value(static_cast<std::int64_t>(self.AsList().size() * 2 + arguments.size()));
  };
  const Value list = Value::Of(List{Value(1), Value(2)}, &methods);
  const Value data = Value::Of(Entries{{"L", list}}, MapKind::kStruct);
  CHECK(Run("{{ .L.Twice }} {{ .L.Twice 7 }} {{ 7 | .L.Twice }}", data) == "4 5 5");
  CHECK(Contains(Run("{{ .L.Twice 1 2 }}", data), "error calling Twice: too many"));
  CHECK(Contains(Run("{{ .L.Other }}", data), "can't evaluate field Other"));
}

TEST_CASE("Times and durations have Go's methods", "[template]") {
  const Value data = Value::Of(Entries{{"T", Value(FromMillis(1'700'000'000'250))},
                                       {"D", Value(Nanoseconds(5'400'500'000'000))}},
                               MapKind::kStruct);
  CHECK(Run("{{ .T.Format \"2006-01-02T15:04:05.000Z07:00\" }}", data) ==
        "2023-11-14T22:13:20.250Z");
  CHECK(Run("{{ .T.Format \"Jan _2 3:04PM 06 .99 002\" }}", data) == "Nov 14 10:13PM 23 .25 318");
  CHECK(Run("{{ .T.Hour }} {{ .T.Unix }} {{ .T.Weekday }} {{ (.T.Add .D).Minute }}", data) ==
        "22 1700000000 Tuesday 43");
  CHECK(Run("{{ .T.Sub .T }} {{ .T.Before .T }} {{ eq .T .T }}", data) == "0s false true");
  CHECK(Run("{{ .D }} {{ .D.Minutes }} {{ .D.Truncate .D }}", data) ==
        "1h30m0.5s 90.00833333333334 1h30m0.5s");
  CHECK(Run("{{ printf \"%s|%d|%v\" .D .D .T }}", data) ==
        "1h30m0.5s|5400500000000|2023-11-14 22:13:20.25 +0000 UTC");
}

TEST_CASE("Durations print as Go prints them", "[template]") {
  const std::vector<std::pair<std::int64_t, std::string>> cases = {
      {0, "0s"},
      {1, "1ns"},
      {1500, "1.5µs"},
      {-2'000'000, "-2ms"},
      {1'500'000'000, "1.5s"},
      {60'000'000'000, "1m0s"},
      {3'600'000'000'000, "1h0m0s"},
      {INT64_MIN, "-2562047h47m16.854775808s"}};
  for (const auto& [nanoseconds, text] : cases) {
    CAPTURE(nanoseconds);
    CHECK(FormatDurationGo(Nanoseconds(nanoseconds)) == text);
  }
}

TEST_CASE("Range goes over lists, maps in order, and numbers", "[template]") {
  const Value map = Value::Of(Labels{{"b", "2"}, {"a", "1"}});
  CHECK(Run("{{ range $k, $v := . }}{{ $k }}{{ $v }} {{ end }}", map) == "a1 b2 ");
  CHECK(Run("{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}") == "01201");
  CHECK(Run("{{ range 0 }}x{{ else }}none{{ end }}") == "none");
  CHECK(Run("{{ range . }}x{{ else }}none{{ end }}") == "none");
  CHECK(Run("{{ range 9 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if eq . 4 }}{{ break }}{{ end }}"
            "{{ . }}{{ end }}") == "013");
  CHECK(Run("{{ with 0 }}a{{ else with 5 }}b{{ . }}{{ else }}c{{ end }}") == "b5");
}

TEST_CASE("A set keeps its definitions, later ones win, and short texts may use them",
          "[template]") {
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"one.tmpl", "{{ define \"greet\" }}Hello {{ . }}{{ end }}{{ define \"x\" }}1{{ end }}"},
      {"two.tmpl", "{{ define \"x\" }}2{{ end }}"}};
  const Template set = Template::ParseSet("one.tmpl", texts, BuiltinFunctions()).value();
  CHECK(set.Defines("greet"));
  CHECK_FALSE(set.Defines("bye"));
  const Template text = set.With("", "{{ template \"greet\" . }}{{ template \"x\" }}").value();
  CHECK(text.Execute(Value("you")).value() == "Hello you2");
  CHECK(set.With("", "{{ nope }}").error().message() ==
        "template: :1:4: function \"nope\" not defined");
  CHECK(Contains(Run("{{ define \"a\" }}1{{ end }}{{ define \"a\" }}2{{ end }}"),
                 "multiple definition of template \"a\""));
}

TEST_CASE("Executions end at their limits", "[template]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{{ range 1001 }}{{ end }}", "more than 1000 passes of range"},
      {"{{ range 50 }}{{ range 50 }}{{ end }}{{ end }}", "more than 1000 passes of range"},
      {"{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}",
       "exceeded maximum template depth (100)"},
      {"{{ range 200 }}0123456789{{ end }}", "output is longer than 1000 bytes"},
      {"{{ $x := \"0123456789\" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}",
       "output is longer than 1000 bytes"},
      {"{{ printf \"%100000d\" 1 }}", "output is longer than 1000 bytes"},
      {"{{ printf \"%99999999999d\" 1 }}", "%!(BADWIDTH)1"},
  };
  const Limits limits{.max_output_bytes = 1000, .max_iterations = 1000};
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    CHECK(Contains(Run(text, Value(), limits), message));
  }
}

TEST_CASE("Deep nesting is an error, not a crash", "[template]") {
  const auto repeat = [](std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  CHECK(Contains(Run("{{ " + repeat("(", 100'000)), "nested too deep"));
  CHECK(Contains(Run(repeat("{{ if true }}", 100'000)), "nested too deep"));
  CHECK(Contains(Run("{{ if 0 }}" + repeat("{{ else if 0 }}", 100'000)), "nested too deep"));
  CHECK(Run("{{ " + repeat("(", 100) + "1" + repeat(")", 100) + " }}") == "1");
  CHECK(Run(repeat("{{ if true }}", 100) + "x" + repeat("{{ end }}", 100)) == "x");
  const std::string inner =
      repeat("{{ if true }}", 100) + "{{ template \"a\" }}" + repeat("{{ end }}", 100);
  CHECK(Contains(Run("{{ define \"a\" }}" + inner + "{{ end }}{{ template \"a\" }}"),
                 "nested too deep"));
}

TEST_CASE("One template runs on many threads at once", "[template]") {
  const Template shared =
      Template::Parse("t", "{{ range 100 }}{{ $x := . }}{{ printf \"%03d\" $x }}{{ end }}",
                      BuiltinFunctions())
          .value();
  const std::string expected = shared.Execute(Value()).value();
  std::vector<std::string> texts(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& text : texts) {
      threads.emplace_back([&] { text = shared.Execute(Value()).value(); });
    }
  }
  for (const std::string& text : texts) CHECK(text == expected);
}

}  // namespace skep::templates
