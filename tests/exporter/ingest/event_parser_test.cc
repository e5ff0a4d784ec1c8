#include "exporter/ingest/event_parser.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace skep::ingest {
namespace {

const Timestamp kNow = FromMillis(1'800'000'000'000);  // 2027-01-15T08:00:00Z

EventBatch Parse(std::string_view body, bool lines = false, bool from_browsers = false) {
  EventBatch batch;
  ParseEvents(body, {kNow, lines, from_browsers}, batch);
  return batch;
}

// "LINE FIELD: MESSAGE" of each refusal.
std::vector<std::string> Refused(const EventBatch& batch) {
  std::vector<std::string> out;
  for (const RefusedEvent& event : batch.refusals) {
    out.push_back(std::to_string(event.line) + " " + event.field + ": " + event.message);
  }
  return out;
}

TEST_CASE("One object is an event with its fields", "[events]") {
  const std::string body =
      R"({"kind":"gate","service":"shop","gate":"tests","passed":true,"duration_seconds":1.5e1,)"
      R"("id":"a-1","time":"2027-01-15T08:00:00.25+01:00"})";
  const EventBatch batch = Parse(body);
  REQUIRE(batch.refused_in_all() == 0);
  REQUIRE(batch.events.size() == 1);
  const Event& event = batch.events[0];
  CHECK(event.kind->name == "gate");
  CHECK(event.id == "a-1");
  CHECK(event.time == FromMillis(1'800'000'000'000 - 3'600'000 + 250));
  CHECK(batch.Find(event, "service")->text == "shop");
  CHECK(batch.Find(event, "passed")->number == 1);
  CHECK(batch.Find(event, "duration_seconds")->number == 15);
  CHECK(batch.Find(event, "nothing") == nullptr);
}

TEST_CASE("An object may stand on several lines, in any order of keys", "[events]") {
  const EventBatch batch = Parse(
      "\xEF\xBB\xBF\n{\n  \"count\": 3,\n  \"event\": \"ord\\u0065r\",\n  \"kind\": "
      "\"business\"\n}\n");
  REQUIRE(Refused(batch).empty());
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.Find(batch.events[0], "event")->text == "order");
  CHECK(batch.Find(batch.events[0], "count")->number == 3);
}

TEST_CASE("Each line is judged by itself, and the answer names line and field", "[events]") {
  const EventBatch batch = Parse(
      "{\"kind\":\"signup\"}\n"
      "\n"
      "{\"kind\":\"signup\",\"count\":0}\r\n"
      "{\"kind\":\"nope\"}\n"
      "{\"kind\":\"signup\",\"count\":1\n"
      "[1]\n"
      "{\"count\":1}\n"
      "{\"kind\":\"signup\",\"user\":\"x\"}\n"
      "{\"kind\":\"signup\"} {\"kind\":\"signup\"}\n"
      "{\"kind\":\"signup\",\"count\":7}");
  REQUIRE(batch.events.size() == 2);
  CHECK(batch.events[0].line == 1);
  CHECK(batch.events[1].line == 10);
  CHECK(batch.Find(batch.events[1], "count")->number == 7);
  CHECK(Refused(batch) ==
        std::vector<std::string>{
            "3 count: expected a whole number from 1 to 1000000000",
            "4 kind: unknown kind \"nope\"",
            "5 : JSON: byte 27: missing a comma or '}' after an object member",
            "6 : expected an object",
            "7 kind: is required",
            "8 user: unknown field of kind signup",
            "9 : JSON: byte 19: the document root must not be followed by other values",
        });
  CHECK(batch.refused == std::array<std::size_t, kRefusalReasons>{3, 2, 2, 0});
}

TEST_CASE("A broken first line does not hide the good ones behind it", "[events]") {
  CHECK(Parse("{\"kind\":\"sig\n{\"kind\":\"signup\"}\n").events.size() == 1);
  CHECK(Parse("{\"kind\":\"signup\"}x\n{\"kind\":\"signup\"}").events.size() == 1);
  CHECK(Parse("{\n{\"kind\":\"signup\"}\n", true).events.size() == 1);
  // A broken object over several lines is one refusal, not one for each line.
  CHECK(Parse("{\n\"kind\": \"signup\",\n\"count\": }\n").refusals.size() == 1);
  CHECK(Parse(" \r\n\t").refusals.empty());
  CHECK(Parse("").events.empty());
}

TEST_CASE("Fields are refused for wrong types, units and ranges", "[events]") {
  struct Case {
    std::string body;
    std::string refusal;
  };
  const std::string long_text(129, 'x');
  const std::vector<Case> cases = {
      {R"({"kind":"business"})", "event: is required"},
      {R"({"kind":"business","event":5})",
       "event: expected a text of 1 to 128 characters without control characters"},
      {R"({"kind":"business","event":""})",
       "event: expected a text of 1 to 128 characters without control characters"},
      {R"({"kind":"business","event":null})",
       "event: expected a text of 1 to 128 characters without control characters"},
      {R"({"kind":"business","event":"a\nb"})",
       "event: expected a text of 1 to 128 characters without control characters"},
      {R"({"kind":"business","event":")" + long_text + R"("})",
       "event: expected a text of 1 to 128 characters without control characters"},
      {R"({"kind":"business","event":"a","event":"b"})", "event: is given twice"},
      {R"({"kind":"business","event":"a","count":1.5})",
       "count: expected a whole number from 1 to 1000000000"},
      {R"({"kind":"business","event":"a","count":"1"})",
       "count: expected a whole number from 1 to 1000000000"},
      {R"({"kind":"business","event":"a","id":7})",
       "id: expected a text of 1 to 256 characters without control characters"},
      {R"({"kind":"test","suite":"unit","coverage_ratio":83})",
       "coverage_ratio: expected a ratio, not percent from 0 to 1"},
      {R"({"kind":"page","page_group":"a","load_seconds":2500})",
       "load_seconds: expected a seconds, not milliseconds from 0 to 600"},
      {R"({"kind":"revenue","amount_usd":-1})",
       "amount_usd: expected a US dollars from 0 to 1000000000000"},
      {R"({"kind":"revenue","amount_usd":1e999})",
       ": JSON: byte 32: number too big to be stored in double"},
      {R"({"kind":"cache","cache":"a"})", "hits: expected at least one of: hits, misses"},
      {R"({"kind":"gate","service":"a","gate":"b","passed":"yes"})",
       "passed: expected true or false"},
      {R"({"kind":"rollback","service":"a","trigger":"mood"})",
       "trigger: expected one of: error_rate, health, latency, manual, memory"},
      {R"({"kind":"signup","time":"yesterday"})",
       "time: expected RFC 3339 with an offset (2026-11-22T10:00:00Z) or seconds since 1970"},
      {R"({"kind":"signup","time":"2027-01-15T08:00:00"})",
       "time: expected RFC 3339 with an offset (2026-11-22T10:00:00Z) or seconds since 1970"},
      {R"({"kind":"signup","time":1800000000000})",
       "time: expected seconds since 1970, not milliseconds"},
      {R"({"kind":"signup","time":1800003601})",
       "time: is more than an hour ahead of this machine's clock"},
      {R"({"kind":"agent","agent":"a","waits_for":[]})",
       "waits_for: expected an array of 1 to 16 texts"},
      {R"({"kind":"agent","agent":"a","waits_for":"b"})",
       "waits_for: expected an array of 1 to 16 texts"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.body);
    const EventBatch batch = Parse(c.body);
    CHECK(batch.events.empty());
    CHECK(Refused(batch) == std::vector<std::string>{"1 " + c.refusal});
    CHECK(batch.values.empty());
    CHECK(batch.texts.empty());
  }
}

TEST_CASE("Characters are counted, not bytes", "[events]") {
  std::string text;
  for (int i = 0; i < 128; ++i) text += "\xC3\xA4";
  CHECK(Parse(R"({"kind":"business","event":")" + text + R"("})").events.size() == 1);
  CHECK(Parse(R"({"kind":"business","event":"x)" + text + R"("})").events.empty());
}

TEST_CASE("A measure keeps base units, and ids do not become labels", "[events]") {
  const auto judge = [](const std::string& fields) {
    const std::string body = R"({"kind":"measure",)" + fields + "}";
    const std::vector<std::string> refused = Refused(Parse(body));
    return refused.empty() ? "" : refused[0].substr(2);
  };
  CHECK(judge(R"("name":"queue_length","type":"gauge","value":-1)") == "");
  CHECK(judge(R"("name":"a_total","type":"counter","value":1,"labels":{"b":"c","a":"d"})") == "");
  CHECK(judge(R"("name":"a_seconds","type":"histogram","value":1,"bounds":[1,2])") == "");
  CHECK(judge(R"("name":"a_ms","type":"gauge","value":1)") ==
        "name: expected a base unit (seconds, bytes, ratio), not ms");
  CHECK(judge(R"("name":"a_percent_total","type":"counter","value":1)") ==
        "name: expected a base unit (seconds, bytes, ratio), not percent");
  CHECK(judge(R"("name":"a_count","type":"gauge","value":1)") == "name: must not end with _count");
  CHECK(judge(R"("name":"a:b","type":"gauge","value":1)").starts_with("name: expected letters"));
  CHECK(judge(R"("name":"a","type":"counter","value":1)") ==
        "name: the name of a counter ends with _total");
  CHECK(judge(R"("name":"a_total","type":"gauge","value":1)") ==
        "name: only the name of a counter ends with _total");
  CHECK(judge(R"("name":"a_total","type":"counter","value":-1)") ==
        "value: expected 0 or more, since a counter does not fall");
  CHECK(judge(R"("name":"a","type":"gauge","value":1,"bounds":[1])") ==
        "bounds: only a histogram has bounds");
  CHECK(judge(R"("name":"a","type":"histogram","value":1,"bounds":[2,1])") ==
        "bounds: expected an array of 1 to 64 rising numbers");
  CHECK(judge(R"("name":"a","type":"gauge","value":1,"labels":{"user_id":"7"})") ==
        "labels.user_id: ids, addresses and secrets do not become labels");
  CHECK(judge(R"("name":"a","type":"gauge","value":1,"labels":{"le":"7"})") ==
        "labels.le: the name has a meaning of its own");
  CHECK(judge(R"("name":"a","type":"gauge","value":1,"labels":{"b":"1","b":"2"})") ==
        "labels.b: is given twice");
  for (const char* id : {"203.0.113.7", "2001:db8::1", "ann@shop.example",
                         "123e4567-e89b-12d3-a456-426614174000", "0123456789abcdef"}) {
    CAPTURE(id);
    CHECK(judge(R"("name":"a","type":"gauge","value":1,"labels":{"shop":")" + std::string(id) +
                R"("})") == "labels.shop: looks like an id or an address: no label");
  }
  CHECK(judge(R"("name":"__name__","type":"gauge","value":1,"labels":{"shop":"a\u202Eb"})") ==
        "labels.shop: expected a text of 1 to 128 characters without control characters");
  CHECK(judge(R"("name":"a","type":"gauge","value":1,"labels":{"b":1})") ==
        "labels.b: expected a text of 1 to 128 characters without control characters");
}

TEST_CASE("Labels of a measure come in order of their names", "[events]") {
  const EventBatch batch = Parse(
      R"({"kind":"measure","name":"a","type":"gauge","value":1,"labels":{"z":"1","b\u0063":"2"}})");
  REQUIRE(batch.events.size() == 1);
  REQUIRE(batch.labels.size() == 2);
  CHECK(batch.labels[0].first == "bc");
  CHECK(batch.labels[1].first == "z");
}

TEST_CASE("What is known of an error's class fills in whether it may pass", "[events]") {
  const auto retryable = [](std::string_view body) {
    const EventBatch batch = Parse(body);
    const FieldValue* const value = batch.Find(batch.events.at(0), "retryable");
    return value == nullptr ? std::string("none") : std::string(value->text);
  };
  CHECK(retryable(R"({"kind":"error","class":"ETIMEDOUT"})") == "true");
  CHECK(retryable(R"({"kind":"error","class":"ETIMEDOUT","retryable":false})") == "false");
  CHECK(retryable(R"({"kind":"error","class":"validation"})") == "none");
}

TEST_CASE("Browsers may tell of pages only", "[events]") {
  CHECK(Parse(R"({"kind":"page","page_group":"a","js_errors":1})", false, true).events.size() == 1);
  CHECK(Refused(Parse(R"({"kind":"signup"})", false, true)) ==
        std::vector<std::string>{"1 kind: kind signup does not come from browsers"});
}

TEST_CASE("Only the first refusals are listed, all are counted", "[events]") {
  std::string body;
  for (int i = 0; i < 100; ++i) body += "x\n";
  const EventBatch batch = Parse(body, true);
  CHECK(batch.refused_in_all() == 100);
  CHECK(batch.refusals.size() == EventBatch::kMaxListed);
}

}  // namespace
}  // namespace skep::ingest
