#include "evaluator/promql/parser.h"

#include <utility>

#include "evaluator/promql/expression_parser.h"
#include "evaluator/promql/selector_parser.h"
#include "evaluator/promql/token_reader.h"
#include "evaluator/promql/type_check.h"

namespace skep::promql {
namespace {

void ExpectEnd(TokenReader& tokens) {
  if (!tokens.failed() && tokens.Now().kind != TokenKind::kEnd) tokens.Unexpected();
}

// `expr` may be null where failed.
void ExpectTypes(TokenReader& tokens, Expr* expr) {
  if (tokens.failed()) return;
  if (std::optional<Complaint> wrong = CheckTypes(*expr, tokens.text())) {
    tokens.Fail(wrong->position, std::move(wrong->message));
  }
}

}  // namespace

Result<ExprPtr> ParseExpr(std::string_view text, const ParseOptions& options) {
  TokenReader tokens(text, options);
  if (!tokens.failed() && tokens.Now().kind == TokenKind::kEnd) {
    tokens.Fail({}, "no expression found in input");
  }
  ExprPtr expr = tokens.failed() ? nullptr : ParseExpression(tokens);
  ExpectEnd(tokens);
  ExpectTypes(tokens, expr.get());
  if (tokens.failed()) return tokens.error();
  return expr;
}

Result<std::vector<Matcher>> ParseMetricSelector(std::string_view text) {
  const ParseOptions options;
  TokenReader tokens(text, options);
  std::unique_ptr<VectorSelector> selector =
      tokens.failed() ? nullptr : ParseVectorSelector(tokens);
  ExpectEnd(tokens);
  ExpectTypes(tokens, selector.get());
  if (tokens.failed()) return tokens.error();
  return std::move(selector->matchers);
}

Result<Labels> ParseMetric(std::string_view text) {
  const ParseOptions options;
  TokenReader tokens(text, options);
  LabelsBuilder labels;
  if (!tokens.failed() && IsMetricName(tokens.Now())) {
    labels.Set(kMetricName, tokens.Text(tokens.Take()));
  }
  if (!tokens.failed() && tokens.Now().kind == TokenKind::kLeftBrace) {
    ParseLabelSet(tokens, labels);
  }
  ExpectEnd(tokens);
  if (tokens.failed()) return tokens.error();
  return labels.Build();
}

}  // namespace skep::promql
