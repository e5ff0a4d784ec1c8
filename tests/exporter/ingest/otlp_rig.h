// An OTLP endpoint over a store in memory or in a folder, for tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/exposition/writer.h"
#include "exporter/ingest/otlp.h"

namespace skep::ingest::test {

// The store's thread may read it meanwhile.
class SteppingClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(millis); }
  Steady SteadyNow() const override { return Steady(std::chrono::milliseconds(millis)); }
  std::atomic<std::int64_t> millis = 1'800'000'000'000;
};

// Notes what it is handed, one line each.
class RecordingConsumer final : public OtlpConsumer {
 public:
  void OnRequestBegin() override {}
  void OnMetric(state::Changes&, const MetricSample& sample) override {
    lines.push_back("metric " + std::string(sample.metric.name) + " " +
                    std::to_string(sample.value));
  }
  void OnLog(state::Changes&, const Resource& resource, const Scope&,
             const LogRecord& record) override {
    lines.push_back("log " + std::string(AttributeText(resource.attributes, "service.name")) + " " +
                    std::string(record.event_name));
  }
  void OnSpan(state::Changes&, const Resource&, const Scope& scope, const Span& span) override {
    lines.push_back("span " + std::string(scope.name) + " " + std::string(span.name));
  }
  void OnRequestEnd(state::Changes&) override { lines.emplace_back("end"); }

  std::vector<std::string> lines;
};

struct Rig {
  explicit Rig(OtlpOptions options = {}, AccessOptions access = {}, std::string folder = "",
               OtlpConsumer* consumer = nullptr) {
    state::StoreOptions store_options;
    store_options.path = std::move(folder);
    store = std::move(
        *state::Store::Open(std::move(store_options), memory.sections(), clock, Logger::Silent()));
    otlp = std::move(*Otlp::Create(std::move(options), std::move(access), memory, *store, consumer,
                                   clock, Logger::Silent()));
    collector = otlp->MakeCollector();
  }

  static net::HttpRequest Request(std::string_view type, std::string body) {
    net::HttpRequest request;
    request.method = "POST";
    request.headers = {{"Content-Type", std::string(type)}};
    request.body = std::move(body);
    request.remote_address = "192.0.2.1";
    return request;
  }
  net::HttpResponse PostJson(std::string body) {
    return otlp->HandleMetrics(Request("application/json", std::move(body)));
  }
  net::HttpResponse PostProtobuf(std::string body) {
    return otlp->HandleMetrics(Request("application/x-protobuf", std::move(body)));
  }

  // What a scrape does before the store's page is read.
  void Scrape() {
    std::string own;
    exposition::PageWriter writer(exposition::Format::kText, own);
    exporter::CollectContext context{writer, {}};
    (void)collector->Collect(context);
  }

  // The sample lines of all families that begin with `prefix`.
  std::string Page(std::string_view prefix = "") {
    std::string page;
    exposition::PageWriter writer(exposition::Format::kText, page);
    store->WritePage(writer);
    std::string out;
    for (std::size_t at = 0; at < page.size();) {
      const std::size_t end = page.find('\n', at);
      const std::string_view line = std::string_view(page).substr(at, end - at);
      at = end + 1;
      const bool is_own = line.starts_with("swarm_") && !prefix.starts_with("swarm_");
      if (line.starts_with('#') || is_own || !line.starts_with(prefix)) continue;
      out.append(line).push_back('\n');
    }
    return out;
  }

  SteppingClock clock;
  OtlpMemory memory;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<Otlp> otlp;
  std::unique_ptr<exporter::Collector> collector;
};

// A page's lines in order of their text, since the order of series is the store's affair.
inline std::string Sorted(const std::string& page) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = page.find('\n', at);
    lines.push_back(page.substr(at, end - at + 1));
    at = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const std::string& line : lines) out += line;
  return out;
}

inline std::string Data(std::string_view name) {
  return *ReadFile(SKEP_SOURCE_DIR "/tests/data/otlp/" + std::string(name));
}

// `{"resourceMetrics":[...]}` around metrics, with a resource that has service.name "svc".
inline std::string Envelope(std::string_view metrics) {
  return R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"svc"}}]},)"
         R"("scopeMetrics":[{"scope":{"name":"s"},"metrics":[)" +
         std::string(metrics) + "]}]}]}";
}

// `"attributes":[...]` of pairs "key=value".
inline std::string AttributesOf(const std::vector<std::string>& pairs) {
  std::string out = "\"attributes\":[";
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (out.back() == '}') out += ",";
    out += R"({"key":")" + pair.substr(0, equals) + R"(","value":{"stringValue":")" +
           pair.substr(equals + 1) + "\"}}";
  }
  return out + "]";
}

// One sum with one point; times in seconds.
struct SumPoint {
  std::string name = "requests";
  int temporality = 2;
  bool monotonic = true;
  std::vector<std::string> attributes = {};
  int start = 100;
  int time = 200;
  double value = 1;

  std::string Json() const {
    return Envelope(R"({"name":")" + name + R"(","sum":{"aggregationTemporality":)" +
                    std::to_string(temporality) + R"(,"isMonotonic":)" +
                    (monotonic ? "true" : "false") + R"(,"dataPoints":[{)" +
                    AttributesOf(attributes) + R"(,"startTimeUnixNano":")" + Nanos(start) +
                    R"(","timeUnixNano":")" + Nanos(time) + R"(","asDouble":)" +
                    std::to_string(value) + "}]}}");
  }
  static std::string Nanos(int seconds) {
    return seconds == 0 ? "0" : std::to_string(1'800'000'000 + seconds) + "000000000";
  }
};

}  // namespace skep::ingest::test
