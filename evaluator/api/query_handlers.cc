// Queries: instant, range, and what stands around them.
#include <algorithm>

#include "evaluator/api/api.h"
#include "evaluator/api/client_watch.h"
#include "evaluator/api/encode.h"
#include "evaluator/api/encode_expr.h"
#include "evaluator/api/envelope.h"
#include "evaluator/api/parameters.h"
#include "evaluator/promql/printer.h"

namespace skep::api {
namespace {

constexpr std::int64_t kMaxPoints = 11'000;
// Encoded bytes that go out at a time.
constexpr std::size_t kPieceBytes = 256UL << 10;

// The answer's value, encoded series by series into pieces: 100 MB of result are never in memory as
// text.
class ResultStream {
 public:
  explicit ResultStream(engine::QueryResult result) : result_(std::move(result)) {}

  void WriteStats(bool wanted) { with_stats_ = wanted; }

  void Write(const std::function<bool(std::string_view)>& write) {
    json::JsonWriter json(buffer_);
    const auto flush = [&](std::size_t at_least) {
      if (buffer_.size() < at_least) return true;
      const bool there = write(buffer_);
      buffer_.clear();
      return there;
    };
    OpenEnvelope(json);
    json.BeginObject()
        .Field("resultType", promql::ValueTypeName(promql::TypeOf(result_.value)))
        .Key("result");
    if (const auto* scalar = std::get_if<promql::Scalar>(&result_.value)) {
      WriteSample(json, {scalar->time, scalar->value});
    } else if (const auto* text = std::get_if<promql::StringValue>(&result_.value)) {
      json.BeginArray();
      WriteTime(json, text->time);
      json.String(text->text).EndArray();
    } else if (const auto* vector = std::get_if<promql::InstantVector>(&result_.value)) {
      if (!WriteAll(json, *vector, flush)) return;
    } else {
      if (!WriteAll(json, std::get<promql::Matrix>(result_.value), flush)) return;
    }
    if (with_stats_) Stats(json);
    json.EndObject();
    CloseEnvelope(json, {result_.warnings, result_.infos});
    flush(1);
  }

 private:
  template <typename List, typename Flush>
  bool WriteAll(json::JsonWriter& json, const List& list, const Flush& flush) {
    json.BeginArray();
    for (const auto& series : list) {
      WriteSeries(json, series);
      if (!flush(kPieceBytes)) return false;
    }
    json.EndArray();
    return true;
  }

  void Stats(json::JsonWriter& json) const {
    const engine::QueryStats& stats = result_.stats;
    const auto seconds = [](std::chrono::nanoseconds time) {
      return std::chrono::duration<double>(time).count();
    };
    json.Key("stats").BeginObject().Key("timings").BeginObject();
    json.Key("evalTotalTime").Double(seconds(stats.eval_time));
    json.Key("execQueueTime").Double(seconds(stats.queue_time));
    json.Key("execTotalTime").Double(seconds(stats.eval_time + stats.queue_time));
    json.EndObject().Key("samples").BeginObject();
    json.Key("totalQueryableSamples").Uint(stats.samples_read);
    json.Key("peakSamples").Uint(stats.peak_samples);
    json.EndObject().EndObject();
  }

  engine::QueryResult result_;
  std::string buffer_;
  bool with_stats_ = false;
};

std::size_t CountValues(const promql::Value& value) {
  const auto* matrix = std::get_if<promql::Matrix>(&value);
  if (matrix == nullptr) return 0;
  std::size_t count = 0;
  constexpr std::size_t kOfHistogram = 20;  // numbers in one, more or less
  for (const promql::MatrixSeries& series : *matrix) {
    count += series.samples.size() + series.histograms.size() * kOfHistogram;
  }
  return count;
}

// Cuts the list of series to `limit`; 0: no limit.
void Truncate(engine::QueryResult& result, std::size_t limit) {
  if (limit == 0) return;
  const auto cut = [&](auto& list) {
    if (list.size() <= limit) return;
    list.resize(limit);
    result.warnings.emplace_back(kTruncated);
  };
  if (auto* vector = std::get_if<promql::InstantVector>(&result.value)) cut(*vector);
  if (auto* matrix = std::get_if<promql::Matrix>(&result.value)) cut(*matrix);
}

}  // namespace

net::HttpResponse Api::RunQuery(const net::HttpRequest& request, const engine::Query& query,
                                engine::QueryOptions when) {
  Parameters parameters(request);
  if (!request.Parameter("timeout").value_or("").empty()) {
    when.timeout = parameters.Span("timeout", Duration{0});
  }
  when.lookback_delta = parameters.Span("lookback_delta", Duration{0});
  const std::size_t limit = parameters.Limit();
  if (parameters.failed()) return parameters.refusal();

  const ClientWatch::Guard guard(*watch_, request.client_gone);
  when.cancel = &guard.cancel();
  Result<engine::QueryResult> result = sources_.engine.Run(query, sources_.storage, when);
  if (!result) return ExecutionError(result.error());
  Truncate(*result, limit);

  const bool large = CountValues(result->value) > 20'000;
  auto stream = std::make_shared<ResultStream>(*std::move(result));
  stream->WriteStats(request.Parameter("stats").value_or("") != "");
  net::HttpResponse response = net::HttpResponse::Json(200, "");
  if (large) {
    response.stream = [stream](const std::function<bool(std::string_view)>& write) {
      stream->Write(write);
    };
  } else {
    stream->Write([&response](std::string_view piece) {
      response.body.append(piece);
      return true;
    });
  }
  return response;
}

net::HttpResponse Api::Query(const net::HttpRequest& request) {
  Parameters parameters(request);
  const Timestamp time = parameters.Time("time", sources_.clock.Now());
  if (parameters.failed()) return parameters.refusal();
  Result<engine::Query> query = engine::Query::Parse(parameters.Text("query"), options_.promql);
  if (!query) return BadParameter("query", query.error().message());
  return RunQuery(request, *query, engine::QueryOptions::At(time));
}

net::HttpResponse Api::QueryRange(const net::HttpRequest& request) {
  Parameters parameters(request);
  const Timestamp start = parameters.RequiredTime("start");
  const Timestamp end = parameters.RequiredTime("end");
  if (!parameters.failed() && end < start)
    parameters.Refuse("end", "end timestamp must not be before start time");
  const Duration step = parameters.Span("step", Duration{-1});
  if (!request.Parameter("step") || request.Parameter("step")->empty()) {
    parameters.Refuse("step", "cannot parse \"\" to a valid duration");
  }
  if (parameters.failed()) return parameters.refusal();
  if (step <= Duration{0}) {
    return BadParameter(
        "step",
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if ((end - start) / step > kMaxPoints) {
    return ErrorResponse(
        ErrorType::kBadData,
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
        "resolution (?step=XX)");
  }
  Result<engine::Query> query = engine::Query::Parse(parameters.Text("query"), options_.promql);
  if (!query) return BadParameter("query", query.error().message());
  const promql::ValueType type = query->expr().type();
  if (type != promql::ValueType::kScalar && type != promql::ValueType::kVector) {
    return BadParameter("query", "invalid expression type \"" +
                                     std::string(promql::DocumentedType(type)) +
                                     "\" for range query, must be Scalar or instant Vector");
  }
  return RunQuery(request, *query, engine::QueryOptions::Over(start, end, step));
}

net::HttpResponse Api::QueryExemplars(const net::HttpRequest& request) const {
  Parameters parameters(request);
  const Timestamp start = parameters.Time("start", kMinTimestamp);
  const Timestamp end = parameters.Time("end", kMaxTimestamp);
  if (parameters.failed()) return parameters.refusal();
  if (end < start) return BadParameter("end", "end timestamp must not be before start timestamp");
  Result<engine::Query> query = engine::Query::Parse(parameters.Text("query"), options_.promql);
  if (!query) return BadParameter("query", query.error().message());
  return Success([](json::JsonWriter& json) { json.BeginArray().EndArray(); });
}

net::HttpResponse Api::FormatQuery(const net::HttpRequest& request) const {
  Parameters parameters(request);
  Result<engine::Query> query = engine::Query::Parse(parameters.Text("query"), options_.promql);
  if (!query) return BadParameter("query", query.error().message());
  return Success([&](json::JsonWriter& json) { json.String(promql::Prettify(query->expr())); });
}

net::HttpResponse Api::ParseQuery(const net::HttpRequest& request) const {
  Parameters parameters(request);
  Result<engine::Query> query = engine::Query::Parse(parameters.Text("query"), options_.promql);
  if (!query) return BadParameter("query", query.error().message());
  return Success([&](json::JsonWriter& json) { WriteExpr(json, query->expr()); });
}

}  // namespace skep::api
