#include "exporter/ingest/otlp_options.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "../../support/temp_folder.h"
#include "exporter/ingest/access.h"

namespace skep::ingest {
namespace {

Result<OtlpOptions> Read(std::string_view text) {
  const Result<yaml::Node> node = yaml::Node::Parse(text, "x.yml");
  REQUIRE(node);
  return ReadOtlpOptions(*node);
}

Result<AccessOptions> ReadAccess(const std::string& text, const std::string& file = "x.yml") {
  const Result<yaml::Node> node = yaml::Node::Parse(text, file);
  REQUIRE(node);
  yaml::MapReader map(*node);
  Result<AccessOptions> options = ReadAccessOptions(map);
  if (options) RETURN_IF_ERROR(map.Finish("ingest"));
  return options;
}

}  // namespace

TEST_CASE("OTLP options are read", "[otlp]") {
  const Result<OtlpOptions> options = Read(
      "enabled: false\npass_through: false\ndrop_metrics: [a.*]\nkeep_attributes: [user.id]\n"
      "drop_attributes: [x]\nresource_attributes: {service.name: job_name}\n"
      "buckets: {d: [0.1, 1]}\nexponential_buckets: [1, 2]\ngauge_expiry: 2m\nmax_points: 10\n"
      "max_concurrent: 3\nmax_attributes: 5\nmax_label_bytes: 9\nmax_streams: 11\n"
      "max_metrics: 6\nmetric_expiry: 30m\nmax_series_per_metric: 7\n");
  REQUIRE(options);
  CHECK_FALSE(options->enabled);
  CHECK_FALSE(options->pass_through);
  CHECK(options->resource_attributes.front().second == "job_name");
  CHECK(options->buckets.front().second == std::vector<double>{0.1, 1});
  CHECK(options->exponential_buckets == std::vector<double>{1, 2});
  CHECK(options->gauge_expiry == Duration{120'000});
  CHECK(options->metric_expiry == Duration{1'800'000});
  CHECK(Read("gauge_expiry: 2h")->metric_expiry == Duration{7'200'000});
  CHECK(options->max_streams == 11);
  CHECK(options->max_concurrent == 3);
  CHECK(Read("")->max_streams == 50'000);
}

TEST_CASE("Mistakes in OTLP options are named with their place", "[otlp]") {
  const std::pair<const char*, const char*> cases[] = {
      {"max_points: 0", "x.yml:1:13: max_points must be at least 1"},
      {"max_streams: 5", "x.yml:1:14: max_streams must be at least max_points"},
      {"gauge_expiry: 1ms", "x.yml:1:15: gauge_expiry must be at least 1s"},
      {"metric_expiry: 1m", "x.yml:1:16: metric_expiry must be at least gauge_expiry"},
      {"buckets: {d: [1, 1]}", "x.yml:1:18: bucket bounds must be finite and rise"},
      {"buckets: {d: []}", "x.yml:1:14: expected 1 to 128 bucket bounds"},
      {"buckets: {d: 5}", "x.yml:1:14: expected a list of bucket bounds"},
      {"exponential_buckets: [.inf]", "bucket bounds must be finite and rise"},
      {"resource_attributes: {a: le}", "x.yml:1:26: \"le\" cannot be the name of a label"},
      {"resource_attributes: {a: x, b: x}", "label \"x\" stands twice"},
      {"unknown: 1", "field unknown not found in otlp"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Result<OtlpOptions> options = Read(text);
    REQUIRE(!options);
    CAPTURE(options.error().message());
    CHECK(options.error().message().find(message) != std::string::npos);
  }
}

TEST_CASE("Bearer tokens come from a file beside the configuration", "[otlp]") {
  const test::TempFolder folder;
  std::ofstream(folder.File("token")) << "first\n\n  second \r\n";
  const Result<AccessOptions> options =
      ReadAccess("bearer_token_file: token\nmax_body: 2MB\n", folder.File("skep.yml"));
  REQUIRE(options);
  CHECK(options->bearer_tokens == std::vector<std::string>{"first", "second"});
  CHECK(options->max_body_bytes == 2UL << 20);
  CHECK(ReadAccess("")->bearer_tokens.empty());

  CHECK(ReadAccess("bearer_token_file: none", folder.File("skep.yml"))
            .error()
            .message()
            .find("none") != std::string::npos);
  std::ofstream(folder.File("empty")) << "\n";
  CHECK(ReadAccess("bearer_token_file: empty", folder.File("skep.yml"))
            .error()
            .message()
            .find("has no token") != std::string::npos);
  std::ofstream(folder.File("spaced")) << "two words\n";
  CHECK(ReadAccess("bearer_token_file: spaced", folder.File("skep.yml"))
            .error()
            .message()
            .find("white space") != std::string::npos);
}

}  // namespace skep::ingest
