#include "evaluator/cmd/query_output.h"

#include <catch2/catch.hpp>
#include <string>

#include "evaluator/cmd/tool_query.h"

namespace skep::tool {
namespace {

std::string Format(std::string_view data, OutputFormat format) {
  const Result<json::Value> value = json::Value::Parse(data);
  REQUIRE(value);
  const Result<std::string> text = FormatAnswer(*value, format);
  return text ? *text : "error: " + text.error().message();
}

constexpr std::string_view kVector =
    R"({"resultType":"vector","result":[)"
    R"({"metric":{"__name__":"x","a":"1"},"value":[1700000000.5,"1.5"]},)"
    R"({"metric":{"__name__":"x","a":"q\"u,o","value":"v"},"value":[1700000000.5,"NaN"]}]})";

TEST_CASE("An instant vector is a table, CSV or JSON", "[tool]") {
  CHECK(Format(kVector, OutputFormat::kTable) ==
        "SERIES                    TIME                    VALUE\n"
        "x{a=\"1\"}                  2023-11-14T22:13:20.5Z  1.5\n"
        "x{a=\"q\\\"u,o\", value=\"v\"}  2023-11-14T22:13:20.5Z  NaN\n");
  CHECK(Format(kVector, OutputFormat::kCsv) ==
        "__name__,a,label_value,timestamp,value\r\n"
        "x,1,,1700000000.5,1.5\r\n"
        "x,\"q\"\"u,o\",v,1700000000.5,NaN\r\n");
  CHECK(Format(kVector, OutputFormat::kJson) == std::string(kVector) + "\n");
}

TEST_CASE("A range vector has a line for each sample", "[tool]") {
  constexpr std::string_view kMatrix =
      R"({"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2,"3"]]}]})";
  CHECK(Format(kMatrix, OutputFormat::kTable) ==
        "SERIES  TIME                  VALUE\n"
        "{}      1970-01-01T00:00:01Z  2\n"
        "{}      1970-01-01T00:00:02Z  3\n");
  CHECK(Format(kMatrix, OutputFormat::kCsv) == "timestamp,value\r\n1,2\r\n2,3\r\n");
}

TEST_CASE("A native histogram is one value", "[tool]") {
  constexpr std::string_view kHistograms =
      R"({"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]],"histograms":)"
      R"([[2,{"count":"4","sum":"-5","buckets":[[1,"-2","-1","1"],[3,"-0.5","0.5","2"],)"
      R"([0,"1","2","1"]]}],[3,{"count":"0","sum":"0"}]]}]})";
  CHECK(Format(kHistograms, OutputFormat::kTable) ==
        "SERIES  TIME                  VALUE\n"
        "{}      1970-01-01T00:00:01Z  2\n"
        "{}      1970-01-01T00:00:02Z  {count:4, sum:-5, [-2,-1):1, [-0.5,0.5]:2, (1,2]:1}\n"
        "{}      1970-01-01T00:00:03Z  {count:0, sum:0}\n");
}

TEST_CASE("Scalars, strings and nothing are answers too", "[tool]") {
  CHECK(Format(R"({"resultType":"scalar","result":[1,"2"]})", OutputFormat::kCsv) ==
        "timestamp,value\r\n1,2\r\n");
  CHECK(Format(R"({"resultType":"string","result":[1,"a b"]})", OutputFormat::kTable) ==
        "SERIES  TIME                  VALUE\n"
        "        1970-01-01T00:00:01Z  a b\n");
  CHECK(Format(R"({"resultType":"vector","result":[]})", OutputFormat::kTable) ==
        "SERIES  TIME  VALUE\n");
}

TEST_CASE("What is no answer is refused", "[tool]") {
  for (const char* bad :
       {"1", "{}", R"({"resultType":"vector"})", R"({"resultType":"odd","result":[]})",
        R"({"resultType":"vector","result":[1]})", R"({"resultType":"scalar","result":["a","b"]})",
        R"({"resultType":"vector","result":[{"metric":{},"value":[1]}]})"}) {
    CAPTURE(bad);
    CHECK(Format(bad, OutputFormat::kTable).find("error: ") == 0);
  }
  CHECK_FALSE(ParseOutputFormat("xml"));
  CHECK(ParseOutputFormat("csv").value() == OutputFormat::kCsv);
}

TEST_CASE("A moment is now, before now, or a time", "[tool]") {
  const Timestamp now = FromMillis(1'700'000'000'000);
  CHECK(ParseMoment("now", now).value() == now);
  CHECK(ParseMoment("-10s", now).value() == now - std::chrono::seconds(10));
  CHECK(ParseMoment("-1h30m", now).value() == now - std::chrono::minutes(90));
  CHECK(ParseMoment("12.5", now).value() == FromMillis(12'500));
  CHECK(ParseMoment("-12", now).value() == FromMillis(-12'000));
  CHECK(ParseMoment("2023-11-14T22:13:20Z", now).value() == now);
  CHECK_FALSE(ParseMoment("yesterday", now));
}

}  // namespace
}  // namespace skep::tool
