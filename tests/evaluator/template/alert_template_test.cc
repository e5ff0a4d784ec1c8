#include "evaluator/template/alert_template.h"

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "common/base/file.h"
#include "common/base/quote.h"

namespace skep::templates {
namespace {

const Labels kFirst = {
    {"__name__", "m"}, {"instance", "host.example:9100"}, {"job", "j&1"}, {"n", "5"}};
const Labels kSecond = {{"__name__", "m"}, {"instance", "b:1"}, {"job", "z"}};

Result<std::vector<QuerySample>> Answer(const std::string& expr) {
  const std::map<std::string, std::vector<QuerySample>> answers = {
      {"m", {{kFirst, Value(1234.5678)}, {kSecond, Value(2.0)}}},
      {"m{instance=\"b:1\"}", {{kSecond, Value(2.0)}}},
      {"nothing", {}},
      {"h", {{{{"a", "1"}}, Value("{count:2, sum:3, (1,2]:2}")}}},
  };
  const auto found = answers.find(expr);
  if (found == answers.end()) return Invalid("1:5: parse error: unclosed left parenthesis");
  return found->second;
}

PrometheusContext MakeContext() {
  PrometheusContext context;
  context.query = Answer;
  context.time = FromMillis(1'500);
  context.external_url = "http://skep.example/pre";
  return context;
}

const Value& Data() {
  static const Value kData =
      AlertData(kFirst, {{"region", "eu"}}, "http://skep.example/pre", Value(1234.5678));
  return kData;
}

std::string Expand(const std::string& text) {
  Result<AlertTemplate> parsed = AlertTemplate::Parse("A", text);
  if (!parsed) return "PARSE " + parsed.error().message();
  return parsed->Expand(Data(), MakeContext());
}

// "PARSE template: NAME:LINE:COLUMN: what" without its column, as Go has it.
std::string WithoutColumn(std::string text) {
  const std::size_t line = text.find(':', text.find("__alert_A:") + 10);
  return text.erase(line, text.find(':', line + 1) - line).substr(6);
}

}  // namespace

TEST_CASE("Templates expand as Prometheus expands them", "[template]") {
  std::istringstream lines(ReadFile(SKEP_SOURCE_DIR "/tests/evaluator/template/cases.txt").value());
  std::string text, expected;
  int cases = 0;
  while (std::getline(lines, text)) {
    if (text.empty() || text[0] == '#') continue;
    REQUIRE(std::getline(lines, expected));
    CAPTURE(text);
    const std::string want = Unescape(expected.substr(2)).value();
    const std::string got = Expand(text);
    CHECK((expected[0] == '!' ? WithoutColumn(got) : got) == want);
    ++cases;
  }
  CHECK(cases > 100);
}

TEST_CASE("Parse errors of alert templates count columns from the user's first byte",
          "[template]") {
  CHECK(Expand("ab {{ nope }}") == "PARSE template: __alert_A:1:7: function \"nope\" not defined");
  CHECK(Expand("ab\n{{ $nope }}") == "PARSE template: __alert_A:2:4: undefined variable \"$nope\"");
}

TEST_CASE("Alert templates know the functions of Prometheus 3", "[template]") {
  CHECK(Expand("{{ now }}") == "1.5");
  CHECK(Expand("{{ toDuration 90 }} {{ (toDuration 90.5).Seconds }}") == "1m30s 90.5");
  CHECK(Expand("{{ urlQueryEscape \"a b&c\" }}") == "a+b%26c");
  CHECK(Expand("{{ externalURL }} {{ pathPrefix }}") == "http://skep.example/pre /pre");
  CHECK(Expand("{{ query \"m\" | first | strvalue }}|") == "|");
  CHECK(Expand("{{ safeHtml \"<b>\" }}") == "<b>");
  CHECK(Expand("{{ now | toTime }}") == "1970-01-01 00:00:01.5 +0000 UTC");
  CHECK(Expand("{{ query \"h\" | first | value }}") == "{count:2, sum:3, (1,2]:2}");
  CHECK(Expand("{{ stripDomain \"[fe80::1%eth0.lan]:80\" }}") == "[fe80::1%eth0]:80");
}

TEST_CASE("Words are told apart as Prometheus 3 does, not at every apostrophe", "[template]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"it's a host.example:x", "It's A Host.example:x"},
      {"1abc a_b x-y", "1Abc A_b X-Y"},
      {"end. next .. more 'quoted'", "End. Next .. More 'Quoted'"},
      {"a..b a.'b", "A..B A.'B"},
      {"dIsK fÜLLT Ärger \u2014ümlaut", "DIsK FÜLLT Ärger \u2014Ümlaut"},
  };
  for (const auto& [text, title] : cases) {
    CAPTURE(text);
    CHECK(Expand("{{ title `" + text + "` }}") == title);
  }
}

TEST_CASE("tmpl runs a template by a computed name and gives its text", "[template]") {
  const std::string define = "{{ define \"t1\" }}<{{ . }}>{{ end }}";
  CHECK(Expand(define + "a {{ tmpl (print \"t\" 1) 5 | toUpper }} b") == "a <5> b");
  CHECK(Expand(define + "{{ $x := tmpl \"t1\" $labels.job }}{{ len $x }}{{ $x }}") == "5<j&1>");
  CHECK(Expand("{{ tmpl \"nope\" . }}").find("template \"nope\" not defined") != std::string::npos);
  CHECK(Expand("{{ tmpl 1 2 }}").find("expected string; got int") != std::string::npos);
  CHECK(Expand("{{ define \"t\" }}{{ tmpl \"t\" . }}{{ end }}{{ tmpl \"t\" . }}")
            .find("exceeded maximum template depth") != std::string::npos);
}

TEST_CASE("Text without actions is literal and costs no template", "[template]") {
  CHECK(AlertTemplate::Parse("A", "a { b } %s").value().literal());
  CHECK_FALSE(AlertTemplate::Parse("A", "{{ 1 }}").value().literal());
  CHECK(AlertTemplate::Parse("A", "{{ if true }}{{ query \"x\" }}{{ end }}").value().queries());
  CHECK_FALSE(AlertTemplate::Parse("A", "{{ $value }} query").value().queries());
}

TEST_CASE("A failed expansion says so in the text and to the caller", "[template]") {
  std::string error;
  const auto parsed = AlertTemplate::Parse("A", "{{ $labels.a.b }}").value();
  const std::string text = parsed.Expand(Data(), MakeContext(), &error);
  CHECK(text == "<error expanding template: " + error + ">");
  CHECK(error.find("can't evaluate field b in type string") != std::string::npos);
}

}  // namespace skep::templates
