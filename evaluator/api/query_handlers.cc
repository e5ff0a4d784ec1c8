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

// Answers that are larger as text are sent while they are encoded.
constexpr std::size_t kLargeBytes = 512UL << 10;

void WriteStats(json::JsonWriter& json, const engine::QueryStats& stats) {
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

// The series of an answer, whichever kind it is, to be written one after the other.
class SeriesSource {
 public:
  explicit SeriesSource(promql::Value value) : content_(std::move(value)) {}
  explicit SeriesSource(engine::RangeAnswer answer) : content_(std::move(answer)) {}

  std::string_view type() const {
    const auto* value = std::get_if<promql::Value>(&content_);
    return promql::ValueTypeName(value != nullptr ? promql::TypeOf(*value)
                                                  : promql::ValueType::kMatrix);
  }
  // Cuts the list of series; false where it was not longer.
  bool Truncate(std::size_t limit);
  // As text, more or less.
  std::size_t SizeBytes() const;
  // Writes "result"; `flush` is called behind each series, and false from it ends the writing.
  template <typename Flush>
  bool Write(json::JsonWriter& json, const Flush& flush) const;

 private:
  std::variant<promql::Value, engine::RangeAnswer> content_;
};

bool SeriesSource::Truncate(std::size_t limit) {
  const auto cut = [limit](auto& list) {
    if (list.size() <= limit) return false;
    list.resize(limit);
    return true;
  };
  if (auto* answer = std::get_if<engine::RangeAnswer>(&content_)) {
    const bool longer = answer->size() > limit;
    answer->Truncate(limit);
    return longer;
  }
  auto& value = std::get<promql::Value>(content_);
  if (auto* vector = std::get_if<promql::InstantVector>(&value)) return cut(*vector);
  if (auto* matrix = std::get_if<promql::Matrix>(&value)) return cut(*matrix);
  return false;
}

std::size_t SeriesSource::SizeBytes() const {
  constexpr std::size_t kOfValue = 30;
  constexpr std::size_t kOfHistogram = 600;
  if (const auto* answer = std::get_if<engine::RangeAnswer>(&content_)) {
    return answer->values() * kOfValue;
  }
  const auto& value = std::get<promql::Value>(content_);
  std::size_t size = 0;
  if (const auto* vector = std::get_if<promql::InstantVector>(&value)) {
    for (const promql::VectorSample& series : *vector) {
      size += series.labels.size_bytes() + (series.histogram ? kOfHistogram : kOfValue);
    }
  }
  if (const auto* matrix = std::get_if<promql::Matrix>(&value)) {
    for (const promql::MatrixSeries& series : *matrix) {
      size += series.samples.size() * kOfValue + series.histograms.size() * kOfHistogram;
    }
  }
  return size;
}

template <typename Flush>
bool SeriesSource::Write(json::JsonWriter& json, const Flush& flush) const {
  const auto write_all = [&](const auto& list) {
    json.BeginArray();
    for (const auto& series : list) {
      WriteSeries(json, series);
      if (!flush()) return false;
    }
    json.EndArray();
    return true;
  };
  if (const auto* answer = std::get_if<engine::RangeAnswer>(&content_)) {
    promql::MatrixSeries series;
    json.BeginArray();
    for (std::size_t i = 0; i < answer->size(); ++i) {
      answer->Read(i, series);
      WriteSeries(json, series);
      if (!flush()) return false;
    }
    json.EndArray();
    return true;
  }
  const auto& value = std::get<promql::Value>(content_);
  if (const auto* vector = std::get_if<promql::InstantVector>(&value)) return write_all(*vector);
  if (const auto* matrix = std::get_if<promql::Matrix>(&value)) return write_all(*matrix);
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    WriteSample(json, {scalar->time, scalar->value});
  } else if (const auto* text = std::get_if<promql::StringValue>(&value)) {
    json.BeginArray();
    WriteTime(json, text->time);
    json.String(text->text).EndArray();
  }
  return true;
}

struct Answer {
  SeriesSource series;
  engine::QueryRemarks remarks;
  bool with_stats = false;
};

// Encodes an answer series by series, in pieces: text of 100 MB is never in memory at once.
void WriteAnswer(const Answer& answer, const std::function<bool(std::string_view)>& write) {
  std::string buffer;
  json::JsonWriter json(buffer);
  const auto flush = [&](std::size_t at_least) {
    if (buffer.size() < at_least) return true;
    const bool there = write(buffer);
    buffer.clear();
    return there;
  };
  OpenEnvelope(json);
  json.BeginObject().Field("resultType", answer.series.type()).Key("result");
  if (!answer.series.Write(json, [&] { return flush(kPieceBytes); })) return;
  if (answer.with_stats) WriteStats(json, answer.remarks.stats);
  json.EndObject();
  CloseEnvelope(json, {answer.remarks.warnings, answer.remarks.infos});
  flush(1);
}

}  // namespace

net::HttpResponse Api::RunQuery(const net::HttpRequest& request, engine::RecentQueries::Lease query,
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
  when.plan = query.plan();
  Result<Answer> answer = [&]() -> Result<Answer> {
    if (when.step.count() == 0) {
      Result<engine::QueryResult> result =
          sources_.engine.Run(query.query(), sources_.storage, when);
      if (!result) return result.error();
      return Answer{SeriesSource(std::move(result->value)), std::move(*result)};
    }
    Result<engine::RangeResult> result =
        sources_.engine.RunRange(query.query(), sources_.storage, when);
    if (!result) return result.error();
    return Answer{SeriesSource(std::move(result->answer)), std::move(*result)};
  }();
  if (!answer) return ExecutionError(answer.error());
  query.Note(answer->remarks.stats);
  if (limit != 0 && answer->series.Truncate(limit)) {
    answer->remarks.warnings.emplace_back(kTruncated);
  }
  answer->with_stats = !request.Parameter("stats").value_or("").empty();

  net::HttpResponse response = net::HttpResponse::Json(200, "");
  if (answer->series.SizeBytes() > kLargeBytes) {
    response.stream = [shared = std::make_shared<const Answer>(*std::move(answer))](
                          const std::function<bool(std::string_view)>& write) {
      WriteAnswer(*shared, write);
    };
  } else {
    WriteAnswer(*answer, [&response](std::string_view piece) {
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
  Result<engine::RecentQueries::Lease> query = queries_.Take(parameters.Text("query"));
  if (!query) return BadParameter("query", query.error().message());
  return RunQuery(request, *std::move(query), engine::QueryOptions::At(time));
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
  Result<engine::RecentQueries::Lease> query = queries_.Take(parameters.Text("query"));
  if (!query) return BadParameter("query", query.error().message());
  const promql::ValueType type = query->query().expr().type();
  if (type != promql::ValueType::kScalar && type != promql::ValueType::kVector) {
    return BadParameter("query", "invalid expression type \"" +
                                     std::string(promql::DocumentedType(type)) +
                                     "\" for range query, must be Scalar or instant Vector");
  }
  return RunQuery(request, *std::move(query), engine::QueryOptions::Over(start, end, step));
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
