#include "common/net/http_message.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/net/gzip.h"
#include "common/net/router.h"

using namespace skep::net;  // NOLINT

TEST_CASE("Parameters are decoded in order", "[net]") {
  const Parameters parameters = ParseParameters("a=1&b=%20x+y&&match[]=%7Ba%7D&a=2&c&d=%zz%4");
  const Parameters expected = {{"a", "1"}, {"b", " x y"}, {"match[]", "{a}"},
                               {"a", "2"}, {"c", ""},     {"d", "%zz%4"}};
  CHECK(parameters == expected);
  CHECK(ParseParameters("").empty());
  CHECK(ParseParameters("%41") == Parameters{{"A", ""}});
}

TEST_CASE("PercentEncode and ParseParameters are inverse", "[net]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  CHECK(ParseParameters("k=" + PercentEncode(all)) == Parameters{{"k", all}});
  CHECK(PercentEncode("aZ09-._~ /") == "aZ09-._~%20%2F");
}

TEST_CASE("Headers are found without case, parameters with", "[net]") {
  HttpRequest request;
  request.headers = {{"Content-Type", "a"}, {"content-type", "b"}};
  request.parameters = {{"x", "1"}, {"x", "2"}, {"y", ""}};
  CHECK(request.Header("CONTENT-TYPE") == "a");
  CHECK(request.Header("Content-Typ").empty());
  CHECK(*request.Parameter("x") == "1");
  CHECK(*request.Parameter("y") == "");
  CHECK_FALSE(request.Parameter("X"));
  CHECK(request.ParameterValues("x").size() == 2);
}

TEST_CASE("Accept-Encoding is read with its weights", "[net]") {
  for (const std::string yes :
       {"gzip", "br, GZIP;q=0.5", "*", "deflate,gzip;q=1.0", "gzip ; q=0.1"}) {
    CAPTURE(yes);
    CHECK(AcceptsGzip(yes));
  }
  for (const std::string no : {"", "br", "gzip;q=0", "gzip;q=0.0, br", "identity", "xgzip"}) {
    CAPTURE(no);
    CHECK_FALSE(AcceptsGzip(no));
  }
}

TEST_CASE("gzip round trip, in one piece and in several", "[net]") {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i) + "\n";
  GzipWriter writer;
  std::string whole;
  writer.Finish(text, whole);
  CHECK(whole.size() < text.size() / 2);
  CHECK(*Gunzip(whole, text.size()) == text);
  writer.Reset();
  std::string pieces;
  for (std::size_t i = 0; i < text.size(); i += 10'000)
    writer.Flush(text.substr(i, 10'000), pieces);
  writer.Finish("", pieces);
  CHECK(*Gunzip(pieces, text.size()) == text);
  CHECK(*Gunzip(whole + pieces, 2 * text.size()) == text + text);
  CHECK_FALSE(Gunzip("", 10));
}

TEST_CASE("Broken and oversized gzip is refused", "[net]") {
  GzipWriter writer;
  std::string bomb;
  writer.Finish(std::string(10'000'000, 'x'), bomb);
  CHECK(Gunzip(bomb, 1'000'000).error().message() == "body larger than 1000000 bytes");
  for (std::size_t cut = 1; cut < 40; ++cut) {
    CHECK_FALSE(Gunzip(bomb.substr(0, bomb.size() - cut), 20'000'000));
  }
  CHECK_FALSE(Gunzip("not gzip at all", 100));
  CHECK_FALSE(Gunzip(bomb + "x", 20'000'000));
}

TEST_CASE("Exact routes win over subtrees, longer ones over shorter", "[net]") {
  Router router;
  const auto answer = [](const char* text) {
    return [text](const HttpRequest&) { return HttpResponse::Text(200, text); };
  };
  router.Add({"GET"}, "/", answer("root"));
  router.Add({"GET"}, "/api/*", answer("api"));
  router.Add({"GET", "POST"}, "/api/v1/*", answer("v1"));
  router.Add({"GET"}, "/api/v1/x", answer("x"));
  router.Add({"POST"}, "/api/v1/x", answer("post x"));
  const auto body = [&](std::string_view method, std::string_view path) -> std::string {
    const Router::Found found = router.Find(method, path);
    return found.handler == nullptr ? "-" + found.allow : (*found.handler)(HttpRequest{}).body;
  };
  CHECK(body("GET", "/") == "root");
  CHECK(body("HEAD", "/") == "root");
  CHECK(body("POST", "/") == "-GET, HEAD");
  CHECK(body("GET", "/other") == "-");
  CHECK(body("GET", "/api/") == "-");
  CHECK(body("GET", "/api/v2") == "api");
  CHECK(body("GET", "/api/v1/y/z") == "v1");
  CHECK(body("GET", "/api/v1/x") == "x");
  CHECK(body("POST", "/api/v1/x") == "post x");
  CHECK(body("DELETE", "/api/v1/x") == "-GET, HEAD, POST");
}
