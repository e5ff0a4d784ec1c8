#include "evaluator/api/encode_expr.h"

#include "common/base/number.h"

namespace skep::api {
namespace {

using json::JsonWriter;

void WriteExprOrNull(JsonWriter& json, const promql::Expr* expr) {
  if (expr == nullptr) {
    json.Null();
  } else {
    WriteExpr(json, *expr);
  }
}

void WriteList(JsonWriter& json, const std::vector<std::string>& list) {
  json.BeginArray();
  for (const std::string& each : list) json.String(each);
  json.EndArray();
}

void WriteNumberOrNull(JsonWriter& json, const std::optional<double>& number) {
  if (number) {
    json.Double(*number);
  } else {
    json.Null();
  }
}

void WriteModifiers(JsonWriter& json, const promql::TimeModifiers& modifiers) {
  json.Key("offset").Int(modifiers.offset.count());
  json.Key("timestamp");
  if (modifiers.at == promql::AtKind::kTime) {
    json.Int(ToMillis(modifiers.at_time));
  } else {
    json.Null();
  }
  json.Key("startOrEnd");
  switch (modifiers.at) {
    case promql::AtKind::kNone:
    case promql::AtKind::kTime:
      json.Null();
      break;
    case promql::AtKind::kStart:
      json.String("start");
      break;
    case promql::AtKind::kEnd:
      json.String("end");
      break;
  }
}

void WriteSelector(JsonWriter& json, const promql::VectorSelector& selector) {
  json.Field("name", selector.name);
  WriteModifiers(json, selector.modifiers);
  json.Key("matchers").BeginArray();
  for (const Matcher& matcher : selector.matchers) {
    json.BeginObject().Field("name", matcher.name()).Field("value", matcher.value());
    json.Field("type", MatchTypeName(matcher.type())).EndObject();
  }
  json.EndArray();
  json.Key("anchored").Bool(selector.anchored).Key("smoothed").Bool(selector.smoothed);
}

void WriteAggregate(JsonWriter& json, const promql::Aggregate& aggregate) {
  json.Field("type", "aggregation").Field("op", promql::AggregateOpName(aggregate.op));
  WriteExpr(json.Key("expr"), *aggregate.expr);
  WriteExprOrNull(json.Key("param"), aggregate.parameter.get());
  WriteList(json.Key("grouping"), aggregate.grouping);
  json.Key("without").Bool(aggregate.without);
}

void WriteMatching(JsonWriter& json, const promql::VectorMatching& matching) {
  json.BeginObject().Field("card", promql::CardinalityName(matching.cardinality));
  WriteList(json.Key("labels"), matching.labels);
  json.Key("on").Bool(matching.on);
  WriteList(json.Key("include"), matching.include);
  json.Key("fillValues").BeginObject();
  WriteNumberOrNull(json.Key("lhs"), matching.fill_left);
  WriteNumberOrNull(json.Key("rhs"), matching.fill_right);
  json.EndObject().EndObject();
}

void WriteBinary(JsonWriter& json, const promql::Binary& binary) {
  json.Field("type", "binaryExpr").Field("op", promql::BinaryOpName(binary.op));
  WriteExpr(json.Key("lhs"), *binary.left);
  WriteExpr(json.Key("rhs"), *binary.right);
  json.Key("matching");
  if (binary.matching) {
    WriteMatching(json, *binary.matching);
  } else {
    json.Null();
  }
  json.Key("bool").Bool(binary.return_bool);
}

void WriteCall(JsonWriter& json, const promql::Call& call) {
  const promql::Function& function = *call.function;
  json.Field("type", "call").Key("func").BeginObject();
  json.Field("name", function.name).Key("argTypes").BeginArray();
  for (const promql::ValueType type : function.arguments) json.String(promql::ValueTypeName(type));
  json.EndArray().Key("variadic").Int(function.variadic);
  json.Field("returnType", promql::ValueTypeName(function.result)).EndObject();
  json.Key("args").BeginArray();
  for (const promql::ExprPtr& argument : call.arguments) WriteExpr(json, *argument);
  json.EndArray();
}

void WriteSubquery(JsonWriter& json, const promql::Subquery& subquery) {
  json.Field("type", "subquery");
  WriteExpr(json.Key("expr"), *subquery.expr);
  json.Key("range").Int(subquery.range.count());
  WriteModifiers(json, subquery.modifiers);
  json.Key("step").Int(subquery.step.count());
}

void WriteFields(JsonWriter& json, const promql::Expr& expr) {
  switch (expr.kind) {
    case promql::NodeKind::kNumberLiteral:
      json.Field("type", "numberLiteral");
      json.Field("val", FormatPlainDouble(promql::As<promql::NumberLiteral>(expr)->value));
      return;
    case promql::NodeKind::kStringLiteral:
      json.Field("type", "stringLiteral");
      json.Field("val", promql::As<promql::StringLiteral>(expr)->value);
      return;
    case promql::NodeKind::kVectorSelector:
      json.Field("type", "vectorSelector");
      return WriteSelector(json, *promql::As<promql::VectorSelector>(expr));
    case promql::NodeKind::kMatrixSelector: {
      const auto& matrix = *promql::As<promql::MatrixSelector>(expr);
      json.Field("type", "matrixSelector").Key("range").Int(matrix.range.count());
      return WriteSelector(json, *matrix.vector);
    }
    case promql::NodeKind::kSubquery:
      return WriteSubquery(json, *promql::As<promql::Subquery>(expr));
    case promql::NodeKind::kParen:
      json.Field("type", "parenExpr");
      return WriteExpr(json.Key("expr"), *promql::As<promql::Paren>(expr)->expr);
    case promql::NodeKind::kUnary: {
      const auto& unary = *promql::As<promql::Unary>(expr);
      json.Field("type", "unaryExpr").Field("op", unary.negative ? "-" : "+");
      return WriteExpr(json.Key("expr"), *unary.expr);
    }
    case promql::NodeKind::kBinary:
      return WriteBinary(json, *promql::As<promql::Binary>(expr));
    case promql::NodeKind::kAggregate:
      return WriteAggregate(json, *promql::As<promql::Aggregate>(expr));
    case promql::NodeKind::kCall:
      return WriteCall(json, *promql::As<promql::Call>(expr));
  }
}

}  // namespace

void WriteExpr(json::JsonWriter& json, const promql::Expr& expr) {
  json.BeginObject();
  WriteFields(json, expr);
  json.EndObject();
}

}  // namespace skep::api
