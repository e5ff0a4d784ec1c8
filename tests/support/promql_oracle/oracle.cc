#include "tests/support/promql_oracle/oracle.h"

#include <map>

namespace skep::oracle {
namespace {

using promql::ValueType;

HistogramPtr Shown(const NativePtr& native) {
  return native == nullptr ? nullptr : std::make_shared<const Histogram>(ToModel(*native));
}

promql::MatrixSeries Shown(const Series& series) {
  promql::MatrixSeries out{series.labels, series.samples};
  for (const NativeSample& sample : series.natives) {
    out.histograms.push_back({sample.time, Shown(sample.native)});
  }
  return out;
}

promql::Value ToValue(const Elements& elements, Timestamp time) {
  promql::InstantVector out;
  for (const Element& element : elements) {
    out.push_back({element.labels, {time, element.value}, Shown(element.native)});
  }
  return out;
}

promql::Value ToValue(const RangeVector& range) {
  promql::Matrix out;
  for (const Series& series : range.series) out.push_back(Shown(series));
  return out;
}

Result<Elements> AtStep(Evaluation& evaluation, const promql::Expr& expr, Timestamp at) {
  if (expr.type() == ValueType::kVector) return evaluation.Vector(expr, at);
  const Result<double> value = evaluation.Scalar(expr, at);
  if (!value) return value.error();
  return Elements{{Labels(), *value}};
}

}  // namespace

Result<promql::Value> At(const DataSet& data, const promql::Expr& expr, Timestamp time,
                         const Settings& settings) {
  Evaluation evaluation(data, settings, {time, time, Duration(0)});
  RETURN_IF_ERROR(evaluation.CheckSubqueries(expr, time, time));
  if (expr.type() == ValueType::kMatrix) {
    const Result<RangeVector> range = evaluation.Range(expr, time);
    if (!range) return range.error();
    return ToValue(*range);
  }
  const Result<Elements> elements = AtStep(evaluation, expr, time);
  if (!elements) return elements.error();
  if (expr.type() == ValueType::kVector) return ToValue(*elements, time);
  return promql::Value(promql::Scalar{time, elements->front().value});
}

Result<promql::Value> Over(const DataSet& data, const promql::Expr& expr, const Span& span,
                           const Settings& settings) {
  Evaluation evaluation(data, settings, span);
  RETURN_IF_ERROR(evaluation.CheckSubqueries(expr, span.start, span.end));
  std::map<Labels, Series> series;
  for (Timestamp at = span.start; at <= span.end; at += span.step) {
    const Result<Elements> elements = AtStep(evaluation, expr, at);
    if (!elements) return elements.error();
    for (const Element& element : *elements) {
      Series& one = series[element.labels];
      if (element.native != nullptr) one.natives.push_back({at, element.native});
      if (element.native == nullptr) one.samples.push_back({at, element.value});
    }
  }
  promql::Matrix out;
  for (auto& [labels, one] : series) {
    one.labels = labels;
    out.push_back(Shown(one));
  }
  return promql::Value(std::move(out));
}

}  // namespace skep::oracle
