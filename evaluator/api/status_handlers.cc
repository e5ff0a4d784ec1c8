// What the program says of itself under /api/v1/status.
#include "evaluator/api/api.h"
#include "evaluator/api/encode.h"
#include "evaluator/api/envelope.h"
#include "evaluator/api/parameters.h"

namespace skep::api {

net::HttpResponse Api::BuildInfo(const net::HttpRequest&) const {
  // No "features": Grafana takes a server that has them for Mimir and expects its ruler API.
  return Success([this](json::JsonWriter& json) {
    const BuildStatus& build = options_.build;
    json.BeginObject().Field("version", build.version).Field("revision", build.revision);
    json.Field("branch", build.branch)
        .Field("buildUser", "")
        .Field("buildDate", "")
        .Field("goVersion", "")
        .EndObject();
  });
}

net::HttpResponse Api::Config(const net::HttpRequest&) const {
  return Success([this](json::JsonWriter& json) {
    json.BeginObject().Field("yaml", sources_.config_yaml()).EndObject();
  });
}

net::HttpResponse Api::Flags(const net::HttpRequest&) const {
  return Success([this](json::JsonWriter& json) {
    json.BeginObject();
    for (const auto& [name, value] : sources_.flags()) json.Field(name, value);
    json.EndObject();
  });
}

net::HttpResponse Api::RuntimeInfo(const net::HttpRequest&) const {
  const RuntimeStatus status = sources_.runtime();
  return Success([&](json::JsonWriter& json) {
    json.BeginObject()
        .Field("startTime", TimeText(status.start_time))
        .Field("CWD", status.working_directory);
    json.Field("hostname", status.hostname).Field("serverTime", TimeText(sources_.clock.Now()));
    json.Key("reloadConfigSuccess").Bool(status.reload_successful);
    json.Field("lastConfigTime", TimeText(status.last_reload));
    json.Field("storageRetention", status.storage_retention).EndObject();
  });
}

net::HttpResponse Api::Tsdb(const net::HttpRequest& request) const {
  constexpr std::size_t kDefaultLimit = 10;
  constexpr std::size_t kMaxLimit = 10'000;
  Parameters parameters(request);
  std::size_t limit = parameters.Limit();
  if (request.Parameter("limit") && limit == 0)
    parameters.Refuse("limit", "limit must be a positive number");
  if (limit > kMaxLimit) parameters.Refuse("limit", "limit must not exceed 10000");
  if (parameters.failed()) return parameters.refusal();
  if (limit == 0) limit = kDefaultLimit;

  const TsdbStatus status = sources_.tsdb(limit);
  return Success([&](json::JsonWriter& json) {
    const auto list = [&](std::string_view key, const std::vector<NamedValue>& values) {
      json.Key(key).BeginArray();
      for (const NamedValue& value : values) {
        json.BeginObject().Field("name", value.name).Key("value").Uint(value.value).EndObject();
      }
      json.EndArray();
    };
    json.BeginObject().Key("headStats").BeginObject();
    json.Key("numSeries").Uint(status.series).Key("numLabelPairs").Uint(status.label_pairs);
    json.Key("chunkCount").Uint(status.chunks);
    json.Key("minTime")
        .Int(ToMillis(status.min_time))
        .Key("maxTime")
        .Int(ToMillis(status.max_time))
        .EndObject();
    list("seriesCountByMetricName", status.series_by_metric_name);
    list("labelValueCountByLabelName", status.values_by_label_name);
    list("memoryInBytesByLabelName", status.bytes_by_label_name);
    list("seriesCountByLabelValuePair", status.series_by_label_pair);
    json.EndObject();
  });
}

// Whoever can ask asks after the replay, so that it is always over.
net::HttpResponse Api::WalReplay(const net::HttpRequest&) const {
  const WalReplayStatus status = sources_.wal_replay();
  return Success([&status](json::JsonWriter& json) {
    json.BeginObject().Key("min").Uint(status.first).Key("max").Uint(status.last);
    json.Key("current").Uint(status.read).EndObject();
  });
}

// What Prometheus tells its own page (a reload that failed); here the metrics and the log tell it.
net::HttpResponse Api::Notifications(const net::HttpRequest&) const {
  return Success([](json::JsonWriter& json) { json.BeginArray().EndArray(); });
}

}  // namespace skep::api
