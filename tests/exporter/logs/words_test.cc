// Small parts: levels, addresses, routes, templates.
#include <catch2/catch.hpp>

#include "exporter/logs/anonymize.h"
#include "exporter/logs/level.h"
#include "exporter/logs/routes.h"
#include "exporter/logs/template_set.h"

namespace skep::logs {
namespace {

TEST_CASE("Levels are found where programs write them", "[logs]") {
  const std::pair<std::string, std::string> cases[] = {
      {"2026/11/22 03:13:46 [error] 12#12: *1 open() failed", "error"},
      {"[Sun Nov 22 03:13:46.1 2026] [core:warn] [pid 1] AH00098: pid file", "warn"},
      {"2026-11-22 03:13:46 UTC [12] ERROR:  relation does not exist", "error"},
      {"2026-11-22 03:13:46 UTC [12] LOG:  checkpoint starting", "info"},
      {"[2026-11-21T21:17:12.590Z] [INFO] Worker audit completed in 30ms", "info"},
      {"E1122 03:13:46.000000 1 file.cc:1] oops", "error"},
      {"time=x level=debug msg=y", "debug"},
      {"Error: connect ECONNREFUSED", "error"},
      {"FATAL password authentication failed", "fatal"},
      {"there was an error in the text", "none"},
      {"ERRORS are not a level, nor is CATALOG", "none"},
      {"", "none"},
      {"TRACE x", "trace"},
  };
  for (const auto& [line, level] : cases) {
    CAPTURE(line);
    CHECK(LevelName(FindLevel(line)) == level);
  }
  CHECK(ParseLevel("50") == Level::kError);
  CHECK(ParseLevel("Warning") == Level::kWarn);
  CHECK(!ParseLevel("loud"));
}

TEST_CASE("Addresses are cut to their network, wherever they stand", "[logs]") {
  const std::pair<std::string, std::string> cases[] = {
      {"1.2.3.4", "1.2.3.0"},
      {"from 203.0.113.77 port 22", "from 203.0.113.0 port 22"},
      {"203.0.113.77:8080,10.1.2.3", "203.0.113.0:8080,10.1.2.0"},
      {"[2001:db8:1:2:3:4:5:6]:443", "[2001:db8:1::]:443"},
      {"2001:db8:1:2::6: refused", "2001:db8:1::: refused"},
      {"::ffff:203.0.113.77", "::"},
      {"at 12:34:56 o'clock", "at 12:34:56 o'clock"},
      {"version 1.2.3", "version 1.2.3"},
      {"1.2.3.4.5", "1.2.3.4.5"},
      {"x1.2.3.4", "x1.2.3.4"},
      {"010.001.002.003", "0.0.0.0"},
      {"std::vector", "std::vector"},
      {"", ""},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    std::string out;
    AppendAnonymized(text, {}, out);
    CHECK(out == expected);
  }
  std::string out;
  AppendAnonymized("1.2.3.4 2001:db8::1", {8, 16}, out);
  CHECK(out == "1.0.0.0 2001::");
}

TEST_CASE("Paths become routes without ids and queries", "[logs]") {
  const std::pair<std::string, std::string> cases[] = {
      {"/", "/"},
      {"", "/"},
      {"/api/v2/users/42/orders?token=secret", "/api/v2/users/{id}/orders"},
      {"/o/123e4567-e89b-12d3-a456-426614174000", "/o/{uuid}"},
      {"/blob/d41d8cd98f00b204e9800998ecf8427e", "/blob/{hash}"},
      {"/u/bob@example.org", "/u/{id}"},
      {"/a//b///c", "/a/b/c"},
      {"/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/{rest}"},
      {"http://host/x/y", "/x/y"},
      {"/order-123456/x", "/{id}/x"},
      {"/%2e%2e/x", "/{id}/x"},
      {"/static/app.js;v=1#top", "/static/app.js"},
  };
  for (const auto& [path, expected] : cases) {
    CAPTURE(path);
    std::string out;
    AppendRoute(path, out);
    CHECK(out == expected);
  }
}

TEST_CASE("RouteTable takes rules first and is capped", "[logs]") {
  RouteOptions options;
  options.rules = {{"checkout", "/(?:cart|checkout)(?:/.*)?"}};
  options.max_routes = 2;
  RouteTable table = *RouteTable::Create(options);
  CHECK(table.name(table.Find("/cart/7?x", 200)) == "checkout");
  CHECK(table.name(table.Find("/a/1", 200)) == "/a/{id}");
  CHECK(table.name(table.Find("/scan.php", 404)) == "other");
  CHECK(table.name(table.Find("/b", 500)) == "/b");
  CHECK(table.name(table.Find("/c", 200)) == "other");
  CHECK(table.name(table.Find("/a/2", 404)) == "/a/{id}");
  CHECK(table.name(table.Find("", 400)) == "other");
  options.automatic = false;
  RouteTable fixed = *RouteTable::Create(options);
  CHECK(fixed.name(fixed.Find("/a/1", 200)) == "other");
}

TemplateSet::Sight Learn(TemplateSet& set, std::string_view line, Timestamp at = FromMillis(0)) {
  TemplateTokens tokens;
  AppendTokens(line, tokens);
  return set.Learn(tokens, at);
}

TEST_CASE("Templates: lines that differ in what changes are one", "[logs]") {
  using Sight = TemplateSet::Sight;
  TemplateSet set(100);
  CHECK(Learn(set, "Nov 22 ERROR connect to 10.0.0.1:5432 failed after 3 tries") == Sight::kNew);
  CHECK(Learn(set, "Dec 1 ERROR connect to 10.9.8.7:1 failed after 12 tries") == Sight::kKnown);
  CHECK(Learn(set, "Dec 1 ERROR connect to 10.9.8.7:1 refused after 12 tries") == Sight::kNew);
  CHECK(Learn(set, R"(ERROR no such table "orders")") == Sight::kNew);
  CHECK(Learn(set, R"(ERROR no such table "users_old and more")") == Sight::kKnown);
  CHECK(set.size() == 3);
}

TEST_CASE("Templates: a place with many values becomes what changes", "[logs]") {
  TemplateSet set(100);
  const std::string names[] = {"anna",  "bert",   "carl", "dora", "emil",
                               "fritz", "gustav", "hans", "ida"};
  int fresh = 0;
  for (const std::string& name : names) {
    fresh +=
        Learn(set, "ERROR cannot load profile of user " + name) == TemplateSet::Sight::kNew ? 1 : 0;
  }
  CHECK(fresh == 8);
  CHECK(set.size() == 1);
  CHECK(Learn(set, "ERROR cannot load profile of user jakob") == TemplateSet::Sight::kKnown);
  CHECK(Learn(set, "ERROR cannot save profile of user jakob") == TemplateSet::Sight::kNew);
}

TEST_CASE("Templates are capped; what was not seen for a week makes room", "[logs]") {
  TemplateSet set(2);
  const Timestamp begin = FromMillis(1'000'000'000'000);
  const Timestamp later = begin + std::chrono::hours(24 * 9);
  CHECK(Learn(set, "ERROR alpha", begin) == TemplateSet::Sight::kNew);
  CHECK(Learn(set, "FATAL beta", begin) == TemplateSet::Sight::kNew);
  CHECK(Learn(set, "ERROR gamma", begin) == TemplateSet::Sight::kFull);
  CHECK(Learn(set, "ERROR alpha", later) == TemplateSet::Sight::kKnown);
  CHECK(Learn(set, "ERROR gamma", later) == TemplateSet::Sight::kNew);
  CHECK(set.size() == 2);
  CHECK(Learn(set, "FATAL beta", later) == TemplateSet::Sight::kFull);
}

}  // namespace
}  // namespace skep::logs
