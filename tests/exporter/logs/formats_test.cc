#include <catch2/catch.hpp>

#include "exporter/logs/line_format.h"

namespace skep::logs {
namespace {

struct Case {
  std::string line;
  std::string method;
  std::string path;
  int status;
  double duration;
  double bytes;
};

void Check(const LineFormat& format, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.line);
    ParsedLine line;
    REQUIRE(format.Parse(c.line, line));
    CHECK(line.method == c.method);
    CHECK(line.path == c.path);
    CHECK(line.status == c.status);
    CHECK(line.duration_seconds == Approx(c.duration));
    CHECK(line.bytes == c.bytes);
  }
}

void CheckRefused(const LineFormat& format, const std::vector<std::string>& lines) {
  for (const std::string& text : lines) {
    CAPTURE(text);
    ParsedLine line;
    CHECK(!format.Parse(text, line));
  }
}

TEST_CASE("nginx: common and combined lines are read without a format", "[logs]") {
  const LineFormatPtr format = *MakeNginxFormat("");
  Check(
      *format,
      {{R"(127.0.0.1 - - [22/Nov/2026:03:13:46 +0000] "GET /a/b?c=1 HTTP/1.1" 200 612 "-" "curl/7.88.1")",
        "GET", "/a/b?c=1", 200, -1, 612},
       {R"(::1 - bob [22/Nov/2026:03:13:46 +0000] "POST /x HTTP/2.0" 499 0)", "POST", "/x", 499, -1,
        0},
       {R"(1.2.3.4 - - [22/Nov/2026:03:13:46 +0000] "\x16\x03\x01\x02" 400 157 "-" "-")", "", "",
        400, -1, 157},
       {R"(1.2.3.4 - - [22/Nov/2026:03:13:46 +0000] "" 400 0 "-" "-")", "", "", 400, -1, 0},
       {R"(1.2.3.4 - - [22/Nov/2026:03:13:46 +0000] "-" 000 0 "-" "-")", "", "", -1, -1, 0}});
  CheckRefused(*format, {"", "hello", R"(1.2.3.4 - - [x] "GET / HTTP/1.1" abc 1)",
                         R"(1.2.3.4 - - [x] "GET / HTTP/1.1)"});
}

TEST_CASE("nginx: log_format with times", "[logs]") {
  const LineFormatPtr format = *MakeNginxFormat(
      R"($remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time end)");
  ParsedLine line;
  REQUIRE(format->Parse(
      R"(1.2.3.4 - a b [22/Nov/2026:03:13:46 +0000] "GET / HTTP/1.1" 502 15 "-" "x \x22y" 1.250 0.100, 0.250 : 0.050 end)",
      line));
  CHECK(line.status == 502);
  CHECK(line.duration_seconds == Approx(1.25));
  CHECK(line.upstream_seconds == Approx(0.4));
  REQUIRE(format->Parse(
      R"(1.2.3.4 - - [22/Nov/2026:03:13:46 +0000] "GET / HTTP/1.1" 200 15 "-" "-" 0.000 - end)",
      line));
  CHECK(line.duration_seconds == 0);
  CHECK(line.upstream_seconds == -1);
  CheckRefused(*format,
               {R"(1.2.3.4 - - [22/Nov/2026:03:13:46 +0000] "GET / HTTP/1.1" 200 15 "-" "-")"});
}

TEST_CASE("nginx: parts of the request by themselves", "[logs]") {
  const LineFormatPtr format =
      *MakeNginxFormat("$time_iso8601|${request_method}|$uri|$status|$request_time|$bytes_sent");
  Check(*format,
        {{"2026-11-22T03:13:46+00:00|PUT|/a b|201|0.005|17", "PUT", "/a b", 201, 0.005, 17}});
}

TEST_CASE("Log formats that cannot be taken apart are refused", "[logs]") {
  CHECK(!MakeNginxFormat("$request$status"));
  CHECK(!MakeNginxFormat("$request \"$http_host\""));
  CHECK(!MakeNginxFormat("$status $"));
  CHECK(!MakeNginxFormat("${status"));
  CHECK(!MakeApacheFormat("%h %r"));
  CHECK(!MakeApacheFormat("%>s%b"));
  CHECK(!MakeApacheFormat("%s %{abc"));
  CHECK(!MakeApacheFormat("%s %"));
}

TEST_CASE("Apache: common, combined and durations", "[logs]") {
  Check(
      **MakeApacheFormat(""),
      {{R"(127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326)",
        "GET", "/apache_pb.gif", 200, -1, 2326},
       {R"(127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a\"b HTTP/1.0" 304 - "-" "x")", "GET",
        R"(/a\"b)", 304, -1, 0}});
  const std::string line =
      R"(h.example:80 10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "HEAD / HTTP/1.1" 200 0 "-" "ua" )";
  const std::string format =
      R"(%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" )";
  Check(**MakeApacheFormat(format + "%D"), {{line + "1500", "HEAD", "/", 200, 0.0015, 0}});
  Check(**MakeApacheFormat(format + "%T"), {{line + "3", "HEAD", "/", 200, 3, 0}});
  Check(**MakeApacheFormat(format + "%{ms}T"), {{line + "12", "HEAD", "/", 200, 0.012, 0}});
  Check(**MakeApacheFormat("%t %m %U%%q %!200,304s %B"),
        {{"[10/Oct/2000:13:55:36 -0700] GET /p%q 404 9", "GET", "/p", 404, -1, 9}});
}

TEST_CASE("HAProxy: HTTP log with and without syslog's header", "[logs]") {
  Check(
      *MakeHaproxyFormat(),
      {{R"(Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1")",
        "GET", "/index.html", 200, 0.109, 2750},
       {R"(10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in~ http-in/<NOSRV> -1/-1/-1/-1/+8490 -1 0 - - CR-- 2/2/2/0/0 0/0 "<BADREQ>")",
        "", "", -1, -1, 0},
       {R"(::1:50000 [06/Feb/2009:12:14:14.655] fe be/s 0/0/0/5/5 503 +212 - - sC-- 1/1/0/0/3 0/0 {a "quoted" agent} "POST /a?b=c HTTP/2.0")",
        "POST", "/a?b=c", 503, 0.005, 212}});
  CheckRefused(*MakeHaproxyFormat(),
               {"", "Proxy http-in started.",
                "10.0.0.1:5 [06/Feb/2009:12:14:14.655] fe be/s 0/0/5 212 -- 1/1/1/1/0 0/0",
                "x [y] fe be/s 0/0/0/0/5 2000 9 - - ---- 1/1/1/1/0 0/0", " [x] a b c"});
}

TEST_CASE("JSON: the names of many loggers", "[logs]") {
  Check(
      **MakeJsonFormat({}),
      {{R"({"remote":"1.2.3.4","request":"GET /x HTTP/1.1","status":"200","request_time":"0.250","body_bytes_sent":"12"})",
        "GET", "/x", 200, 0.25, 12},
       {R"({"level":30,"req":{"method":"PUT","url":"/u/1"},"res":{"statusCode":204},"responseTime":7})",
        "PUT", "/u/1", 204, 0.007, -1},
       {R"({"request":{"method":"GET","uri":"/c"},"status":200,"size":5,"duration":"1.5ms"})",
        "GET", "/c", 200, 0.0015, 5},
       {R"({"RequestMethod":"GET","RequestPath":"/t","DownstreamStatus":500,"Duration":2000000})",
        "GET", "/t", 500, 0.002, -1},
       // A number whose unit nobody tells is no duration.
       {R"({"method":"GET","path":"/d","status":200,"duration":17})", "GET", "/d", 200, -1, -1},
       // A status by itself is no request.
       {R"({"status":200,"message":"done"})", "", "", 0, -1, -1},
       {"{\"method\":\"GET\",\"path\":\"/caf\xe9\",\"status\":200}", "GET", "/caf?", 200, -1, -1}});
  CheckRefused(**MakeJsonFormat({}), {"", "plain", "[1]", R"({"a":)", "{} {}"});
}

TEST_CASE("JSON: fields that the configuration names win", "[logs]") {
  FieldNames fields;
  fields.names = {{"path", "http.url_details"}, {"duration", "cost"}, {"level", "sev"}};
  fields.duration_scale = 1e-3;
  ParsedLine line;
  REQUIRE(
      (*MakeJsonFormat(fields))
          ->Parse(
              R"({"path":"/no","cost":250,"http":{"url_details":"/yes","method":"GET"},"status":200,"level":"info","sev":"WARN"})",
              line));
  CHECK(line.path == "/yes");
  CHECK(line.duration_seconds == Approx(0.25));
  CHECK(line.level == "WARN");
  fields.names = {{"colour", "x"}};
  CHECK(!MakeJsonFormat(fields));
}

TEST_CASE("logfmt: bare and quoted values", "[logs]") {
  Check(
      **MakeLogfmtFormat({}),
      {{R"(ts=1 level=info msg="a \"b\" = c" method=GET path="/a b" status=200 duration=12.5ms bytes=9)",
        "GET", "/a b", 200, 0.0125, 9},
       {R"(word another key= method=GET path=/ status=200 elapsed=2s)", "GET", "/", 200, 2, -1}});
  ParsedLine line;
  REQUIRE((*MakeLogfmtFormat({}))->Parse(R"(level=error msg="a \"b\"" x="open)", line));
  CHECK(line.level == "error");
  CHECK(line.message == R"(a "b")");
  CheckRefused(**MakeLogfmtFormat({}), {"", "no pairs here", "=x"});
}

TEST_CASE("Patterns with named groups", "[logs]") {
  const Regex regex = *Regex::Create(
      R"(^(?P<level>\w+) (?P<method>\w+) (?P<path>\S+) -> (?P<status>\d+) in (?P<duration_ms>[\d.]+))");
  Check(**MakePatternFormat(regex, 0),
        {{"INFO GET /a -> 200 in 12.5", "GET", "/a", 200, 0.0125, -1}});
  CheckRefused(**MakePatternFormat(regex, 0), {"nothing of it"});
  CHECK(!MakePatternFormat(*Regex::Create("(?P<foo>x)"), 0));
}

}  // namespace
}  // namespace skep::logs
