// Prometheus's HTTP API, version 1: what Grafana, promtool and curl ask for under /api/v1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/matcher.h"
#include "common/model/regex.h"
#include "common/net/http_message.h"
#include "common/net/http_server.h"
#include "evaluator/engine/engine.h"
#include "evaluator/engine/recent_queries.h"
#include "evaluator/rules/status.h"
#include "evaluator/scrape/status.h"
#include "evaluator/storage/querier.h"

namespace skep::api {

class ClientWatch;

struct AlertmanagersStatus {
  std::vector<std::string> active;   // URLs of the posts
  std::vector<std::string> dropped;  // by relabelling
};

struct RuntimeStatus {
  Timestamp start_time;
  std::string working_directory;
  std::string hostname;
  bool reload_successful = false;
  Timestamp last_reload;
  std::string storage_retention;  // "15d"
};

struct NamedValue {
  std::string name;
  std::uint64_t value = 0;
};

struct TsdbStatus {
  std::uint64_t series = 0;
  std::uint64_t label_pairs = 0;
  std::uint64_t chunks = 0;
  Timestamp min_time, max_time;
  std::vector<NamedValue> series_by_metric_name;
  std::vector<NamedValue> values_by_label_name;
  std::vector<NamedValue> bytes_by_label_name;
  std::vector<NamedValue> series_by_label_pair;
};

// Segments of the write-ahead log that the start read, by number.
struct WalReplayStatus {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t read = 0;  // the newest one that was read
};

// What the admin endpoints do to the store. Thread-safe; a call may take minutes.
class StoreAdmin {
 public:
  virtual ~StoreAdmin() = default;

  enum class Copied : std::uint8_t { kAll, kBlocksOnly };
  // Gives the name of a new folder with a copy of the store.
  virtual Result<std::string> Snapshot(Copied what) = 0;
  // Hides the samples in `range` of all series that the matchers accept.
  virtual Status Delete(std::span<const Matcher> matchers, storage::TimeRange range) = 0;
  // Takes what was deleted off the disk.
  virtual Status CleanTombstones() = 0;
};

struct BuildStatus {
  // What clients compare to find out which calls work: the Prometheus whose API this is, with our
  // own version as build metadata.
  std::string version;
  std::string revision;
  std::string branch;
};

// Where the answers come from. All are called on the server's threads, several at once, and outlive
// the Api.
struct Sources {
  const engine::Engine& engine;
  storage::Queryable& storage;
  const Clock& clock;
  std::function<std::vector<rules::GroupStatus>()> rule_groups;
  std::function<scrape::TargetsStatus()> targets;
  std::function<std::vector<scrape::TargetMetadata>()> metadata;
  std::function<AlertmanagersStatus()> alertmanagers;
  std::function<std::string()> config_yaml;  // without secrets
  std::function<std::vector<std::pair<std::string, std::string>>()> flags;
  std::function<RuntimeStatus()> runtime;
  std::function<TsdbStatus(std::size_t limit)> tsdb;
  std::function<WalReplayStatus()> wal_replay;
  StoreAdmin* admin = nullptr;  // null: the admin endpoints are off
};

struct Options {
  promql::ParseOptions promql;
  BuildStatus build;
  std::optional<Regex> cors_origin;  // whole Origin; empty: no header
};

// Thread-safe.
class Api {
 public:
  Api(Sources sources, Options options);
  ~Api();

  // Adds all routes. `wrap` gets each handler with its route's name ("/api/v1/query") and returns
  // what is to be called: for metrics of the owner. The Api outlives the server.
  using Wrap = std::function<net::HttpHandler(std::string_view route, net::HttpHandler handler)>;
  void Register(net::HttpServer& server, const Wrap& wrap);

  // Of the heap, what is kept of queries that clients repeat.
  std::size_t plan_bytes() const { return queries_.heap_bytes(); }

 private:
  net::HttpResponse Query(const net::HttpRequest& request);
  net::HttpResponse QueryRange(const net::HttpRequest& request);
  net::HttpResponse QueryExemplars(const net::HttpRequest& request) const;
  net::HttpResponse FormatQuery(const net::HttpRequest& request) const;
  net::HttpResponse ParseQuery(const net::HttpRequest& request) const;
  net::HttpResponse Series(const net::HttpRequest& request);
  net::HttpResponse LabelNames(const net::HttpRequest& request);
  net::HttpResponse LabelValues(const net::HttpRequest& request);
  net::HttpResponse Metadata(const net::HttpRequest& request) const;
  net::HttpResponse Targets(const net::HttpRequest& request) const;
  net::HttpResponse TargetsMetadata(const net::HttpRequest& request) const;
  net::HttpResponse ScrapePools(const net::HttpRequest& request) const;
  net::HttpResponse Rules(const net::HttpRequest& request) const;
  net::HttpResponse Alerts(const net::HttpRequest& request) const;
  net::HttpResponse Alertmanagers(const net::HttpRequest& request) const;
  net::HttpResponse BuildInfo(const net::HttpRequest& request) const;
  net::HttpResponse Config(const net::HttpRequest& request) const;
  net::HttpResponse Flags(const net::HttpRequest& request) const;
  net::HttpResponse RuntimeInfo(const net::HttpRequest& request) const;
  net::HttpResponse Tsdb(const net::HttpRequest& request) const;
  net::HttpResponse WalReplay(const net::HttpRequest& request) const;
  net::HttpResponse Snapshot(const net::HttpRequest& request) const;
  net::HttpResponse DeleteSeries(const net::HttpRequest& request) const;
  net::HttpResponse CleanTombstones(const net::HttpRequest& request) const;
  net::HttpResponse Notifications(const net::HttpRequest& request) const;

  net::HttpResponse RunQuery(const net::HttpRequest& request, engine::RecentQueries::Lease query,
                             engine::QueryOptions when);

  const Sources sources_;
  const Options options_;
  std::unique_ptr<ClientWatch> watch_;
  engine::RecentQueries queries_;  // of the query endpoints
};

}  // namespace skep::api
