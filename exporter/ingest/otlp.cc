#include "exporter/ingest/otlp.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/fair_shared_mutex.h"
#include "exporter/ingest/otlp_answer.h"
#include "exporter/ingest/otlp_decode.h"
#include "exporter/ingest/otlp_families.h"
#include "exporter/ingest/otlp_labels.h"
#include "exporter/ingest/otlp_metrics.h"
#include "exporter/ingest/otlp_replays.h"
#include "exporter/ingest/otlp_streams.h"

namespace skep::ingest {
namespace {

using exposition::MetricType;

constexpr std::uint64_t kDigestSeed = 0x736b65702d726571ULL;
constexpr std::size_t kIdleWorkers = 2;
constexpr std::size_t kLargeBody = 2UL << 20;  // a worker that had one is not kept
constexpr std::chrono::minutes kLogEvery{1};

std::string_view SignalName(OtlpSignal signal) {
  constexpr std::array<std::string_view, 3> kNames = {"metrics", "logs", "traces"};
  return kNames[static_cast<std::size_t>(signal)];
}

std::string_view EncodingName(std::optional<OtlpEncoding> encoding) {
  if (!encoding) return "unknown";
  return *encoding == OtlpEncoding::kJson ? "json" : "protobuf";
}

// Memory for one request at a time.
struct Worker {
  explicit Worker(const OtlpOptions& options) : labels(options) {}

  OtlpBatch batch;
  json::Document document;
  LabelMaker labels;
  PreparedMetrics prepared;

  void Clear() {
    batch.Clear();
    labels.Clear();
  }
};

bool HasTimes(const OtlpBatch& batch) {
  const auto any = [](const auto& list, auto time) {
    return std::any_of(list.begin(), list.end(), [&](const auto& one) { return one.*time != 0; });
  };
  return any(batch.points, &Point::time) || any(batch.logs, &LogRecord::time) ||
         any(batch.spans, &Span::end);
}

std::uint64_t ItemsOf(const OtlpBatch& batch) {
  return batch.points.size() + batch.logs.size() + batch.spans.size();
}

}  // namespace

struct OtlpMemory::Impl {
  StreamTable streams;
  OtlpFamilies families;
  RequestDigests digests;
};

OtlpMemory::OtlpMemory() : impl_(std::make_unique<Impl>()) {}
OtlpMemory::~OtlpMemory() = default;

std::vector<state::Section*> OtlpMemory::sections() {
  return {&impl_->families, &impl_->streams, &impl_->digests};
}

struct Otlp::Impl {
  Impl(OtlpMemory::Impl& m, state::Store& s, OtlpConsumer* c, const Clock& k, Logger l)
      : memory(m),
        store(s),
        consumer(c),
        clock(k),
        log(std::move(l)),
        metrics(m.families, m.streams) {}

  OtlpMemory::Impl& memory;
  state::Store& store;
  OtlpConsumer* const consumer;
  const Clock& clock;
  const Logger log;
  OtlpMetrics metrics;

  state::FamilyId requests_family = 0;
  state::FamilyId points_family = 0;
  state::FamilyId last_receive_family = 0;
  state::FamilyId http2_family = 0;
  state::FamilyId forgotten_family = 0;
  state::FamilyId forgotten_metrics_family = 0;

  // Held shared by each request from begin to end, so that Apply has the options for itself.
  FairSharedMutex apply_mutex;
  OtlpOptions options;   // guarded by apply_mutex
  AccessOptions access;  // guarded by apply_mutex
  std::atomic<std::size_t> at_work{0};

  std::mutex mutex;
  std::vector<std::unique_ptr<Worker>> idle;  // guarded by mutex
  // Requests that were refused, by labels, until a unit takes them along: a flood of them must not
  // write to the state file one by one.
  struct Refused {
    std::string_view signal;
    std::string_view encoding;
    int code;
    bool operator<(const Refused& other) const {
      return std::tie(signal, encoding, code) < std::tie(other.signal, other.encoding, other.code);
    }
  };
  std::map<Refused, std::uint64_t> refused;     // guarded by mutex
  std::uint64_t http2 = 0;                      // guarded by mutex
  std::uint64_t told_forgotten = 0;             // guarded by the store's lock
  std::uint64_t told_metrics = 0;               // guarded by the store's lock
  std::map<std::string, Clock::Steady> logged;  // guarded by mutex; by what was wrong

  Status DefineFamilies();
  net::HttpResponse Handle(OtlpSignal signal, const net::HttpRequest& request);
  net::HttpResponse HandleAllowed(OtlpSignal signal, OtlpEncoding encoding,
                                  const net::HttpRequest& request, Worker& worker);
  Status Decode(OtlpSignal signal, OtlpEncoding encoding, std::string_view body, Worker& worker);
  Status Apply(OtlpSignal signal, OtlpEncoding encoding, std::string_view body, Worker& worker,
               ItemCounts& counts);
  void ApplyItems(const Worker& worker, state::Changes& changes, ItemCounts& counts);
  void CountRequest(OtlpSignal signal, OtlpEncoding encoding, const ItemCounts& counts,
                    state::Changes& changes);
  void CountPending(state::Changes& changes);
  net::HttpResponse Refuse(OtlpSignal signal, std::optional<OtlpEncoding> encoding, int status,
                           std::string_view message, std::string_view peer);
  bool MayLog(const std::string& what);
  std::unique_ptr<Worker> TakeWorker();
  void ReturnWorker(std::unique_ptr<Worker> worker, std::size_t body_bytes);
  void MakeRoom();
  Status Collect(exporter::CollectContext& context);
};

Status Otlp::Impl::DefineFamilies() {
  const auto define = [this](std::string name, std::string help, MetricType type,
                             state::FamilyId& id) -> Status {
    state::FamilySpec spec;
    spec.name = std::move(name);
    spec.help = std::move(help);
    spec.type = type;
    const Result<state::FamilyId> defined = store.Define(std::move(spec));
    if (!defined) return defined.error();
    id = *defined;
    return {};
  };
  RETURN_IF_ERROR(define("swarm_otlp_requests_total",
                         "OTLP requests by what was sent and the HTTP status of the answer.",
                         MetricType::kCounter, requests_family));
  RETURN_IF_ERROR(define("swarm_otlp_points_total",
                         "Points, log records and spans of answered OTLP requests by what became "
                         "of them.",
                         MetricType::kCounter, points_family));
  RETURN_IF_ERROR(define("swarm_otlp_last_receive_timestamp_seconds",
                         "When an OTLP request was last accepted.", MetricType::kGauge,
                         last_receive_family));
  RETURN_IF_ERROR(define("swarm_otlp_http2_connections_total",
                         "Connections that began to speak HTTP/2, as OTLP over gRPC does: their "
                         "data are lost.",
                         MetricType::kCounter, http2_family));
  RETURN_IF_ERROR(define("swarm_otlp_metrics_forgotten_total",
                         "OTLP metrics without points that made room for new ones.",
                         MetricType::kCounter, forgotten_metrics_family));
  return define("swarm_otlp_streams_forgotten_total",
                "OTLP streams whose last value was given up for newer ones.", MetricType::kCounter,
                forgotten_family);
}

// ---- one request ----

net::HttpResponse Otlp::Impl::Handle(OtlpSignal signal, const net::HttpRequest& request) {
  const std::shared_lock lock(apply_mutex);
  if (!options.enabled) return net::HttpResponse::Text(404, "404 page not found\n");
  const std::string_view peer = request.remote_address;
  const std::optional<OtlpEncoding> encoding = EncodingOf(request.Header("Content-Type"));
  if (const std::optional<Refusal> refusal = CheckAccess(access, request)) {
    return Refuse(signal, encoding, refusal->status, refusal->message, peer);
  }
  if (!encoding) {
    return Refuse(signal, encoding, 415,
                  "Content-Type is none of application/x-protobuf and application/json", peer);
  }
  struct AtWork {
    std::atomic<std::size_t>& count;
    ~AtWork() { count.fetch_sub(1); }
  };
  const bool is_free = at_work.fetch_add(1) < options.max_concurrent;
  const AtWork at_work_guard{at_work};
  if (!is_free) return Refuse(signal, encoding, 429, "too many requests at once", peer);
  std::unique_ptr<Worker> worker = TakeWorker();
  net::HttpResponse response = HandleAllowed(signal, *encoding, request, *worker);
  ReturnWorker(std::move(worker), request.body.size());
  return response;
}

net::HttpResponse Otlp::Impl::HandleAllowed(OtlpSignal signal, OtlpEncoding encoding,
                                            const net::HttpRequest& request, Worker& worker) {
  const std::string_view peer = request.remote_address;
  if (const Status decoded = Decode(signal, encoding, request.body, worker); !decoded) {
    return Refuse(signal, encoding, 400, decoded.error().message(), peer);
  }
  metrics.Prepare(worker.batch, options, worker.labels, worker.prepared);
  ItemCounts counts;
  if (const Status applied = Apply(signal, encoding, request.body, worker, counts); !applied) {
    return Refuse(signal, encoding, 503, "the state file cannot be written", peer);
  }
  return SuccessAnswer(signal, encoding, counts.refused(), counts.reason);
}

Status Otlp::Impl::Decode(OtlpSignal signal, OtlpEncoding encoding, std::string_view body,
                          Worker& worker) {
  DecodeLimits limits;
  limits.max_items = options.max_points;
  limits.max_attributes = options.max_attributes;
  return encoding == OtlpEncoding::kJson
             ? DecodeJson(signal, body, limits, worker.document, worker.batch)
             : DecodeProtobuf(signal, body, limits, worker.batch);
}

Status Otlp::Impl::Apply(OtlpSignal signal, OtlpEncoding encoding, std::string_view body,
                         Worker& worker, ItemCounts& counts) {
  const StreamKey digest = DigestOf(body, kDigestSeed + static_cast<std::uint64_t>(signal));
  const bool may_be_replay = HasTimes(worker.batch);
  return store.Update([&](state::Changes& changes) -> Status {
    if (may_be_replay && memory.digests.Has(digest)) {
      counts.Count(ItemResult::kDuplicate, ItemsOf(worker.batch));
    } else {
      ApplyItems(worker, changes, counts);
      if (may_be_replay) memory.digests.Add(digest, changes);
    }
    CountRequest(signal, encoding, counts, changes);
    CountPending(changes);
    return {};
  });
}

void Otlp::Impl::ApplyItems(const Worker& worker, state::Changes& changes, ItemCounts& counts) {
  const OtlpBatch& batch = worker.batch;
  memory.families.Record(changes);
  if (consumer != nullptr) consumer->OnRequestBegin();
  if (!batch.points.empty()) {
    metrics.Apply(batch, worker.prepared, options, ToMillis(clock.Now()), changes, consumer,
                  counts);
  }
  counts.Count(ItemResult::kAccepted, batch.logs.size() + batch.spans.size());
  if (batch.dropped > 0) {
    counts.Refuse(ItemResult::kDroppedLimit, "", batch.dropped_reason);
    counts.Count(ItemResult::kDroppedLimit, batch.dropped - 1);
  }
  if (consumer == nullptr) return;
  for (const LogRecord& record : batch.logs) {
    consumer->OnLog(changes, batch.resources[record.resource], batch.scopes[record.scope], record);
  }
  for (const Span& span : batch.spans) {
    consumer->OnSpan(changes, batch.resources[span.resource], batch.scopes[span.scope], span);
  }
  consumer->OnRequestEnd(changes);
}

// ---- counts ----

void Otlp::Impl::CountRequest(OtlpSignal signal, OtlpEncoding encoding, const ItemCounts& counts,
                              state::Changes& changes) {
  const std::string_view name = SignalName(signal);
  const std::array<state::LabelView, 3> request = {
      {{"code", "200"}, {"encoding", EncodingName(encoding)}, {"signal", name}}};
  changes.Add(requests_family, request, 1);
  for (std::size_t i = 0; i < kItemResults; ++i) {
    if (counts.of[i] == 0) continue;
    const std::array<state::LabelView, 2> labels = {
        {{"result", ItemResultName(static_cast<ItemResult>(i))}, {"signal", name}}};
    changes.Add(points_family, labels, static_cast<double>(counts.of[i]));
  }
  const std::array<state::LabelView, 1> of_signal = {{{"signal", name}}};
  changes.Set(last_receive_family, of_signal, ToSeconds(clock.Now()));
}

// Takes along what was refused since the last unit.
void Otlp::Impl::CountPending(state::Changes& changes) {
  const std::uint64_t forgotten = memory.streams.evictions();
  if (forgotten > told_forgotten) {
    changes.Add(forgotten_family, {}, static_cast<double>(forgotten - told_forgotten));
    changes.OnCommitted([this, forgotten] { told_forgotten = forgotten; });
  }
  const std::uint64_t metrics_forgotten = memory.families.forgotten();
  if (metrics_forgotten > told_metrics) {
    changes.Add(forgotten_metrics_family, {},
                static_cast<double>(metrics_forgotten - told_metrics));
    changes.OnCommitted([this, metrics_forgotten] { told_metrics = metrics_forgotten; });
  }
  const std::lock_guard lock(mutex);
  if (refused.empty() && http2 == 0) return;
  for (const auto& [what, times] : refused) {
    const std::string code = std::to_string(what.code);
    const std::array<state::LabelView, 3> labels = {
        {{"code", code}, {"encoding", what.encoding}, {"signal", what.signal}}};
    changes.Add(requests_family, labels, static_cast<double>(times));
  }
  if (http2 > 0) changes.Add(http2_family, {}, static_cast<double>(http2));
  changes.OnCommitted([this, taken = refused, taken_http2 = http2] {
    const std::lock_guard again(mutex);
    for (const auto& [what, times] : taken) {
      if ((refused[what] -= times) == 0) refused.erase(what);
    }
    http2 -= taken_http2;
  });
}

net::HttpResponse Otlp::Impl::Refuse(OtlpSignal signal, std::optional<OtlpEncoding> encoding,
                                     int status, std::string_view message, std::string_view peer) {
  {
    const std::lock_guard lock(mutex);
    ++refused[{SignalName(signal), EncodingName(encoding), status}];
  }
  if (MayLog(std::string(SignalName(signal)) + std::to_string(status) + std::string(peer))) {
    log.Warn("OTLP request refused", {{"signal", SignalName(signal)},
                                      {"encoding", EncodingName(encoding)},
                                      {"status", status},
                                      {"peer", peer},
                                      {"err", message}});
  }
  if (encoding) return ErrorAnswer(*encoding, status, message);
  return PlainRefusal({status, std::string(message)});
}

// Once per source and minute.
bool Otlp::Impl::MayLog(const std::string& what) {
  const Clock::Steady now = clock.SteadyNow();
  const std::lock_guard lock(mutex);
  std::erase_if(logged, [&](const auto& one) { return now - one.second >= kLogEvery; });
  return logged.size() < 1000 && logged.emplace(what, now).second;
}

// ---- workers ----

std::unique_ptr<Worker> Otlp::Impl::TakeWorker() {
  const std::lock_guard lock(mutex);
  if (idle.empty()) return std::make_unique<Worker>(options);
  std::unique_ptr<Worker> worker = std::move(idle.back());
  idle.pop_back();
  return worker;
}

void Otlp::Impl::ReturnWorker(std::unique_ptr<Worker> worker, std::size_t body_bytes) {
  worker->Clear();
  if (body_bytes > kLargeBody) return;
  const std::lock_guard lock(mutex);
  if (idle.size() < kIdleWorkers) idle.push_back(std::move(worker));
}

// ---- scrapes ----

// Waits for requests at work, which use what is forgotten.
void Otlp::Impl::MakeRoom() {
  {
    const std::shared_lock lock(apply_mutex);
    if (!memory.families.IsFull()) return;
  }
  const std::unique_lock lock(apply_mutex);
  memory.families.ForgetSilent();
}

Status Otlp::Impl::Collect(exporter::CollectContext& context) {
  MakeRoom();
  const std::shared_lock lock(apply_mutex);
  std::size_t streams = 0;
  const Status kept = store.Update([&](state::Changes& changes) -> Status {
    metrics.Expire(options, ToMillis(clock.Now()), changes);
    memory.families.Record(changes);
    CountPending(changes);
    streams = memory.streams.size();
    return {};
  });
  context.page.Family("swarm_otlp_streams", "OTLP streams whose last value is remembered.",
                      MetricType::kGauge);
  context.page.Sample(static_cast<double>(streams));
  return kept;
}

namespace {

class OtlpCollector final : public exporter::Collector {
 public:
  explicit OtlpCollector(std::function<Status(exporter::CollectContext&)> collect)
      : collect_(std::move(collect)) {}
  std::string_view name() const override { return "otlp"; }
  Status Collect(exporter::CollectContext& context) override { return collect_(context); }

 private:
  std::function<Status(exporter::CollectContext&)> collect_;
};

}  // namespace

// ---- the interface ----

Otlp::Otlp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Otlp::~Otlp() = default;

Result<std::unique_ptr<Otlp>> Otlp::Create(OtlpOptions options, AccessOptions access,
                                           OtlpMemory& memory, state::Store& store,
                                           OtlpConsumer* consumer, const Clock& clock, Logger log) {
  auto impl = std::make_unique<Impl>(*memory.impl_, store, consumer, clock, std::move(log));
  impl->options = std::move(options);
  impl->access = std::move(access);
  RETURN_IF_ERROR(impl->DefineFamilies());
  memory.impl_->families.Start(impl->options, store, clock, impl->log);
  return std::unique_ptr<Otlp>(new Otlp(std::move(impl)));
}

void Otlp::Apply(OtlpOptions options, AccessOptions access) {
  const std::unique_lock lock(impl_->apply_mutex);
  impl_->options = std::move(options);
  impl_->access = std::move(access);
  impl_->memory.families.Apply(impl_->options);
  // Workers remember what attributes are called.
  const std::lock_guard again(impl_->mutex);
  impl_->idle.clear();
}

net::HttpResponse Otlp::HandleMetrics(const net::HttpRequest& request) {
  return impl_->Handle(OtlpSignal::kMetrics, request);
}

net::HttpResponse Otlp::HandleLogs(const net::HttpRequest& request) {
  return impl_->Handle(OtlpSignal::kLogs, request);
}

net::HttpResponse Otlp::HandleTraces(const net::HttpRequest& request) {
  return impl_->Handle(OtlpSignal::kTraces, request);
}

net::HttpResponse Otlp::AnswerUnreadable(const net::HttpRequest& request, net::HttpResponse plain) {
  const OtlpSignal signal = request.path == "/v1/logs"     ? OtlpSignal::kLogs
                            : request.path == "/v1/traces" ? OtlpSignal::kTraces
                                                           : OtlpSignal::kMetrics;
  const std::shared_lock lock(impl_->apply_mutex);
  if (!impl_->options.enabled) return net::HttpResponse::Text(404, "404 page not found\n");
  const Refusal refusal =
      CheckAccess(impl_->access, request).value_or(Refusal{plain.status, std::move(plain.body)});
  return impl_->Refuse(signal, EncodingOf(request.Header("Content-Type")), refusal.status,
                       Trim(refusal.message, "\n"), request.remote_address);
}

void Otlp::NoteHttp2(std::string_view peer) {
  {
    const std::lock_guard lock(impl_->mutex);
    ++impl_->http2;
  }
  if (!impl_->MayLog("http2" + std::string(peer))) return;
  impl_->log.Warn(
      "a client speaks HTTP/2 (OTLP over gRPC?), which is not served: its data are lost; set "
      "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
      {{"peer", peer}});
}

std::unique_ptr<exporter::Collector> Otlp::MakeCollector() {
  return std::make_unique<OtlpCollector>(
      [this](exporter::CollectContext& context) { return impl_->Collect(context); });
}

}  // namespace skep::ingest
