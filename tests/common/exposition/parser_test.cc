#include "common/exposition/parser.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>
#include <string_view>

#include "common/model/sample.h"

namespace skep::exposition {
namespace {

std::string Show(PageParser& parser, Entry entry, Format format) {
  switch (entry) {
    case Entry::kSample: {
      std::vector<LabelView> labels;
      std::string buffer;
      const Status status =
          ParseSeries(parser.series(), ParseSeriesOptions{.format = format}, labels, buffer);
      if (!status) return "bad series: " + status.error().message();
      std::string text = Labels::FromPairs(labels).ToString() + " ";
      text += std::isnan(parser.value()) ? "NaN" : std::to_string(parser.value());
      if (parser.timestamp()) text += " @" + std::to_string(ToMillis(*parser.timestamp()));
      if (parser.exemplar()) text += " # " + std::string(parser.exemplar()->labels);
      return text;
    }
    case Entry::kType:
      return "TYPE " + std::string(parser.family()) + " " +
             std::string(MetricTypeName(parser.type()));
    case Entry::kHelp:
      return "HELP " + std::string(parser.family()) + " " + std::string(parser.help());
    case Entry::kUnit:
      return "UNIT " + std::string(parser.family()) + " " + std::string(parser.unit());
    case Entry::kEnd:
      return "END";
    case Entry::kInvalid:
      return parser.error().message();
  }
  return {};
}

std::vector<std::string> Entries(std::string_view page, Format format) {
  PageParser parser(page, format);
  std::vector<std::string> out;
  while (true) {
    const Entry entry = parser.Next();
    out.push_back(Show(parser, entry, format));
    if (entry == Entry::kEnd || entry == Entry::kInvalid) return out;
  }
}

// The entries of a page of one line, without END.
std::string One(std::string_view line, Format format = Format::kText) {
  const std::string page = std::string(line) + (format == Format::kText ? "" : "\n# EOF\n");
  return Entries(page, format).front();
}

TEST_CASE("Parser reads lines of text 0.0.4", "[exposition]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a 1", "a 1.000000"},
      {"a 1\n", "a 1.000000"},
      {"  a   \t 1  ", "a 1.000000"},
      {"\n\n# hello\n#\n a 1", "a 1.000000"},
      {"a{} 1", "a 1.000000"},
      {"a{b=\"c\"}1", "a{b=\"c\"} 1.000000"},
      {"a { b = \"c\" , d = \"e\" , } 1 1234", "a{b=\"c\", d=\"e\"} 1.000000 @1234"},
      {"a 1 -5", "a 1.000000 @-5"},
      {"a{b=\"x y } # \\\" \\\\ \\n \\q\"} 2", "a{b=\"x y } # \\\" \\\\ \\n \\\\q\"} 2.000000"},
      {"{\"my.metric\",\"a b\"=\"c\"} 3", "{\"my.metric\", \"a b\"=\"c\"} 3.000000"},
      {"{\"legacy\"} 3", "legacy 3.000000"},
      {"a{empty=\"\"} 1", "a 1.000000"},
      {"a -1.5e3", "a -1500.000000"},
      {"a +.5", "a 0.500000"},
      {"a 123456789012345", "a 123456789012345.000000"},
      {"a 0000000000000000001.5", "a 1.500000"},
      {"a NaN", "a NaN"},
      {"a nan", "a NaN"},
      {"a +Inf", "a inf"},
      {"a -infinity", "a -inf"},
      {"# HELP a  one \\n two\\\\ \\x", "HELP a one \n two\\ \\x"},
      {"# HELP a", "HELP a "},
      {"#\tTYPE   a\tuntyped ", "TYPE a unknown"},
      {"# TYPE \"a.b\" info", "TYPE a.b info"},
      {"", "END"},
  };
  for (const auto& [line, entry] : cases) {
    CAPTURE(line);
    const std::string shown = One(line);
    CHECK(shown == entry);
  }
}

TEST_CASE("Parser reads lines of OpenMetrics", "[exposition]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a 1 1.5", "a 1.000000 @1500"},
      {"a 1 1520430000.1239", "a 1.000000 @1520430000123"},
      {"a_total{b=\"c\"} 5 1 # {id=\"}#\"} 0.5 2", "a_total{b=\"c\"} 5.000000 @1000 # {id=\"}#\"}"},
      {"a_total 5 # {} 1", "a_total 5.000000 # {}"},
      {"a{b=\"c\",} 1", "a{b=\"c\"} 1.000000"},
      {"{\"a.b\",c=\"d\"} 1", "{\"a.b\", c=\"d\"} 1.000000"},
      {"# UNIT a_seconds seconds", "UNIT a_seconds seconds"},
      {"# HELP a say \\\"x\\\" \\t", "HELP a say \"x\" \\t"},
      {"# TYPE a stateset", "TYPE a stateset"},
  };
  for (const auto& [line, entry] : cases) {
    CAPTURE(line);
    CHECK(One(line, Format::kOpenMetrics) == entry);
  }
  CHECK(Entries("a 1\n# EOF", Format::kOpenMetrics).back() == "END");
}

TEST_CASE("Parser names the line of what it refuses in text", "[exposition]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a 1\n\n# x\nb", "line 4: expected a value after the series"},
      {"a x", "line 1: expected a value, got \"x\""},
      {"a 0x1p3", "line 1: expected a value, got \"0x1p3\""},
      {"a 1e400", "line 1: expected a value, got \"1e400\""},
      {"a 1_000", "line 1: expected a value, got \"1_000\""},
      {"a -nan", "line 1: expected a value, got \"-nan\""},
      {"a nan(1)", "line 1: expected a value, got \"nan(1)\""},
      {"a --1", "line 1: expected a value, got \"--1\""},
      {"a 1 1.5", "line 1: expected a time stamp in milliseconds"},
      {"a 1 99999999999999999999", "line 1: expected a time stamp in milliseconds"},
      {"a 1 1 1", "line 1: unexpected text after the time stamp"},
      {"a{b=\"c 1", "line 1: labels are not closed"},
      {"a{b=\"c\\\n\"} 1", "line 1: labels are not closed"},
      {"a{b=\"c\" 1\nb 2", "line 1: labels are not closed"},
      {"a 1\n# TYPE a thing", "line 2: unknown metric type \"thing\""},
      {"# TYPE 1a gauge", "line 1: expected a metric name after TYPE"},
      {"# HELP a \xff", "line 1: HELP is not UTF-8"},
  };
  for (const auto& [page, message] : cases) {
    CAPTURE(page);
    CHECK(Entries(page, Format::kText).back() == message);
  }
}

TEST_CASE("Series that are no series are refused when they are read", "[exposition]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"1a", "\"1a\" is no metric name"},
      {"a.b", "\"a.b\" is no metric name"},
      {"a{1=\"2\"}", "\"1\" is no label name"},
      {"a{b:c=\"2\"}", "\"b:c\" is no label name"},
      {"a{b}", "expected '=' after label b"},
      {"a{b=}", "expected a quoted value for label b"},
      {"a{b='c'}", "expected a quoted value for label b"},
      {"a{b=\"c\"d=\"e\"}", "expected ',' or '}' after a label"},
      {"a{b=\"c\",,d=\"e\"}", "\"\" is no label name"},
      {"a{b=\"1\",b=\"2\"}", "label b twice"},
      {"a{__name__=\"b\"}", "two metric names"},
      {"{\"a\",\"b\"}", "two metric names"},
      {"{a=\"b\"}", "a series without a metric name"},
      {"{\"\"}", "an empty name"},
      {"a{b=\"\xff\"}", "the series is not UTF-8"},
      {"a{b=\"c\"}x", "unexpected text after the labels"},
  };
  std::vector<LabelView> labels;
  std::string buffer;
  for (const auto& [series, message] : cases) {
    CAPTURE(series);
    const Status status = ParseSeries(series, {}, labels, buffer);
    REQUIRE_FALSE(status);
    CHECK(status.error().message() == message);
  }
  std::string many = "a{";
  for (int i = 0; i < 100; ++i) many += "l" + std::to_string(i % 99) + "=\"\",";
  CHECK_FALSE(ParseSeries(many + "}", {}, labels, buffer));
}

TEST_CASE("A parser that knows what to expect reads the same entries", "[exposition]") {
  const std::string page =
      "# TYPE a gauge\na 1\na {x=\"y\"} 2\na{x=\"y\"} 3 4\nab 5\na{x=\"y\"}6\na\t7\nb 8";
  const std::vector<std::string> plain = Entries(page, Format::kText);
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same each time
  for (const std::string_view expected : {"a", "a{x=\"y\"}", "ab", "b", "a 1", "zzzzzzzzzz"}) {
    CAPTURE(expected);
    PageParser parser(page, Format::kText);
    std::vector<std::string> out;
    int matched = 0;
    const std::size_t cut = random() % (expected.size() + 1);
    const ExpectedSeries parts{expected.substr(0, cut), expected.substr(cut)};
    for (Entry entry = parser.Next(parts);; entry = parser.Next(parts)) {
      if (entry == Entry::kSample && parser.matched_expected()) {
        ++matched;
        CHECK(parser.series() == expected);
      }
      if (entry == Entry::kInvalid) break;  // "a 1": the value is missing then
      out.push_back(Show(parser, entry, Format::kText));
      if (entry == Entry::kEnd) break;
    }
    if (expected != "a 1") CHECK(out == plain);
    CHECK(matched == (expected == "a" || expected == "a{x=\"y\"}" || expected == "ab" ? 1 : 0) +
                         (expected == "b" ? 1 : 0));
  }
}

TEST_CASE("A piece of a page needs no end, and cannot have one", "[exposition]") {
  const auto read = [](std::string_view text, Format format) {
    PageParser parser(text, format, Extent::kPiece);
    std::string got;
    while (true) {
      const Entry entry = parser.Next();
      if (entry == Entry::kInvalid) return got + parser.error().message();
      if (entry == Entry::kEnd) return got + "end " + std::to_string(parser.line());
      got += std::string(parser.series()) + " ";
    }
  };
  CHECK(read("a 1 1\nb 2 2\n", Format::kOpenMetrics) == "a b end 2");
  CHECK(read("a 1 1\nb 2 2\n", Format::kText) == "a b end 2");
  CHECK(read("a 1 1\n\n# EOF\n", Format::kText) == "a end 3");
  CHECK(read("a 1 1\n# EOF\n", Format::kOpenMetrics) == "a line 2: text after # EOF");
  CHECK(read("", Format::kOpenMetrics) == "end 0");
}

TEST_CASE("Time stamps are the same in whatever way they are read", "[exposition]") {
  // A blank behind it, or a fraction, leads off the short way.
  const auto time = [](const std::string& text, Format format) {
    PageParser parser(text, format);
    REQUIRE(parser.Next() == Entry::kSample);
    REQUIRE(parser.timestamp().has_value());
    return ToMillis(*parser.timestamp());
  };
  std::mt19937_64 random(11);  // NOLINT(cert-msc51-cpp): the same each time
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(random() >> (1 + random() % 63));
    CAPTURE(number);
    CHECK(time("a 1 " + number + "\n", Format::kText) == std::stoll(number));
    CHECK(time("a 1 " + number + " \n", Format::kText) == std::stoll(number));
    CHECK(time("a 1 " + number + "\n", Format::kOpenMetrics) ==
          time("a 1 " + number + ".0\n", Format::kOpenMetrics));
  }
}

TEST_CASE("Not a number is always the same NaN", "[exposition]") {
  PageParser parser("a NaN\n", Format::kText);
  REQUIRE(parser.Next() == Entry::kSample);
  CHECK(std::bit_cast<std::uint64_t>(parser.value()) == kNormalNaNBits);
}

TEST_CASE("Time stamps beyond milliseconds are cut", "[exposition]") {
  CHECK(One("a 1 12345678901234567890.5", Format::kOpenMetrics) ==
        "a 1.000000 @9200000000000000000");
}

TEST_CASE("Bounds are written as OpenMetrics writes numbers", "[exposition]") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"1", "1.0"},         {"0", "0.0"},  {"-0", "0.0"},    {"10", "10.0"}, {"0.5", ""},
      {"1.0", ""},          {".5", "0.5"}, {"1e6", "1e+06"}, {"+Inf", ""},   {"inf", "+Inf"},
      {"1000000", "1e+06"}, {"", ""},      {"many", ""},     {"1e+06", ""},  {"-1", "-1.0"},
  };
  for (const auto& [written, normal] : cases) {
    CAPTURE(written);
    CHECK(NormalizedBound(written).value_or("") == normal);
  }
}

TEST_CASE("A page in pieces never crosses its end", "[exposition]") {
  const std::string page =
      "# HELP a h\n# TYPE a counter\na_total{b=\"c\\\"\"} 1.5e3 12 # {d=\"e\"} 1 2\n# EOF\n";
  for (const Format format : {Format::kText, Format::kOpenMetrics}) {
    for (std::size_t n = 0; n <= page.size(); ++n) {
      const std::string part = page.substr(0, n);  // its own allocation, so that sanitizers see
      const std::vector<std::string> entries = Entries(part, format);
      const bool whole = format == Format::kOpenMetrics && n >= page.size() - 1;
      if (format == Format::kOpenMetrics) CHECK((entries.back() == "END") == whole);
    }
  }
}

}  // namespace
}  // namespace skep::exposition
