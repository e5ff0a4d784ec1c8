#include "evaluator/promql/printer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

#include "common/base/number.h"
#include "common/base/quote.h"

namespace skep::promql {
namespace {

constexpr std::size_t kLineBytes = 100;  // longer expressions are split by Prettify

void Append(std::string& out, const Expr& expr);
void Append(std::string& out, const DurationExpr& expr);

// Digits without exponent, the shortest that read back; "+Inf", "-Inf", "NaN".
void AppendNumber(std::string& out, double value) {
  if (!std::isfinite(value)) return AppendDouble(out, value);
  char digits[400];  // the longest double has 309 digits before or 324 and some after the point
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed);
  out.append(digits, end.ptr);
}

void AppendSeconds(std::string& out, double seconds, bool written_as_duration) {
  if (!written_as_duration) return AppendNumber(out, seconds);
  out += FormatDuration(Duration{std::llround(seconds * 1000)});
}

void AppendNames(std::string& out, const std::vector<std::string>& names) {
  out += "(";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ", ";
    out += IsLegacyLabelName(names[i]) ? names[i] : Quote(names[i]);
  }
  out += ")";
}

void AppendAt(std::string& out, const TimeModifiers& modifiers) {
  switch (modifiers.at) {
    case AtKind::kNone:
      return;
    case AtKind::kStart:
      out += " @ start()";
      return;
    case AtKind::kEnd:
      out += " @ end()";
      return;
    case AtKind::kTime:
      break;
  }
  const std::int64_t millis = ToMillis(modifiers.at_time);
  const std::int64_t magnitude = millis < 0 ? -millis : millis;
  std::string fraction = std::to_string(magnitude % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  out += millis < 0 ? " @ -" : " @ ";
  out.append(std::to_string(magnitude / 1000)).append(".").append(fraction);
}

void AppendOffset(std::string& out, const TimeModifiers& modifiers) {
  if (modifiers.offset_expr) {
    out += " offset ";
    Append(out, *modifiers.offset_expr);
  } else if (modifiers.offset != Duration{0}) {
    out += " offset " + FormatDuration(modifiers.offset);
  }
}

void AppendExtendedRange(std::string& out, const VectorSelector& selector) {
  if (selector.anchored) out += " anchored";
  if (selector.smoothed) out += " smoothed";
}

void AppendRange(std::string& out, Duration range, const DurationExprPtr& expr) {
  if (expr) {
    Append(out, *expr);
  } else {
    out += FormatDuration(range);
  }
}

// Name and matchers, the latter sorted as text.
void AppendSeries(std::string& out, const VectorSelector& selector) {
  std::vector<std::string> matchers;
  for (const Matcher& matcher : selector.matchers) {
    const bool is_name = matcher.name() == kMetricName && matcher.type() == MatchType::kEqual &&
                         !selector.name.empty() && matcher.value() == selector.name;
    if (!is_name) matchers.push_back(matcher.ToString());
  }
  std::sort(matchers.begin(), matchers.end());
  out += selector.name;
  if (matchers.empty() && !selector.name.empty()) return;
  out += "{";
  for (std::size_t i = 0; i < matchers.size(); ++i) {
    if (i > 0) out += ",";
    out += matchers[i];
  }
  out += "}";
}

void AppendSelector(std::string& out, const VectorSelector& selector) {
  AppendSeries(out, selector);
  AppendAt(out, selector.modifiers);
  AppendExtendedRange(out, selector);
  AppendOffset(out, selector.modifiers);
}

void AppendMatrix(std::string& out, const MatrixSelector& matrix) {
  AppendSeries(out, *matrix.vector);
  out += "[";
  AppendRange(out, matrix.range, matrix.range_expr);
  out += "]";
  AppendExtendedRange(out, *matrix.vector);
  AppendAt(out, matrix.vector->modifiers);
  AppendOffset(out, matrix.vector->modifiers);
}

void AppendSubqueryTimes(std::string& out, const Subquery& subquery) {
  out += "[";
  AppendRange(out, subquery.range, subquery.range_expr);
  out += ":";
  if (subquery.step_expr || subquery.step != Duration{0}) {
    AppendRange(out, subquery.step, subquery.step_expr);
  }
  out += "]";
  AppendAt(out, subquery.modifiers);
  AppendOffset(out, subquery.modifiers);
}

void AppendFill(std::string& out, const VectorMatching& matching) {
  const auto one = [&out](std::string_view word, const std::optional<double>& value) {
    if (!value) return;
    out.append(" ").append(word).append(" (");
    AppendPlainDouble(out, *value);
    out += ")";
  };
  if (matching.fill_left && matching.fill_left == matching.fill_right) {
    one("fill", matching.fill_left);
    return;
  }
  one("fill_left", matching.fill_left);
  one("fill_right", matching.fill_right);
}

// " bool on (a) group_left (b)"
void AppendBinaryModifiers(std::string& out, const Binary& binary) {
  if (binary.return_bool) out += " bool";
  if (!binary.matching) return;
  const VectorMatching& matching = *binary.matching;
  const bool grouped = matching.cardinality == Cardinality::kManyToOne ||
                       matching.cardinality == Cardinality::kOneToMany;
  if (matching.on || grouped || !matching.labels.empty()) {
    out += matching.on ? " on " : " ignoring ";
    AppendNames(out, matching.labels);
  }
  if (grouped) {
    out += matching.cardinality == Cardinality::kManyToOne ? " group_left " : " group_right ";
    AppendNames(out, matching.include);
  }
  AppendFill(out, matching);
}

// "sum by (a) "
void AppendAggregateHead(std::string& out, const Aggregate& aggregate) {
  out += AggregateOpName(aggregate.op);
  if (!aggregate.without && aggregate.grouping.empty()) return;
  out += aggregate.without ? " without " : " by ";
  AppendNames(out, aggregate.grouping);
  out += " ";
}

void AppendAggregate(std::string& out, const Aggregate& aggregate) {
  AppendAggregateHead(out, aggregate);
  out += "(";
  if (aggregate.parameter) {
    Append(out, *aggregate.parameter);
    out += ", ";
  }
  Append(out, *aggregate.expr);
  out += ")";
}

void AppendBinary(std::string& out, const Binary& binary) {
  Append(out, *binary.left);
  out.append(" ").append(BinaryOpName(binary.op));
  AppendBinaryModifiers(out, binary);
  out += " ";
  Append(out, *binary.right);
}

void AppendCall(std::string& out, const Call& call) {
  out.append(call.function->name).append("(");
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (i > 0) out += ", ";
    Append(out, *call.arguments[i]);
  }
  out += ")";
}

void Append(std::string& out, const Expr& expr) {
  switch (expr.kind) {
    case NodeKind::kNumberLiteral:
      AppendSeconds(out, As<NumberLiteral>(expr)->value,
                    As<NumberLiteral>(expr)->written_as_duration);
      return;
    case NodeKind::kStringLiteral:
      out += Quote(As<StringLiteral>(expr)->value);
      return;
    case NodeKind::kVectorSelector:
      return AppendSelector(out, *As<VectorSelector>(expr));
    case NodeKind::kMatrixSelector:
      return AppendMatrix(out, *As<MatrixSelector>(expr));
    case NodeKind::kSubquery:
      Append(out, *As<Subquery>(expr)->expr);
      return AppendSubqueryTimes(out, *As<Subquery>(expr));
    case NodeKind::kParen:
      out += "(";
      Append(out, *As<Paren>(expr)->expr);
      out += ")";
      return;
    case NodeKind::kUnary:
      out += As<Unary>(expr)->negative ? "-" : "+";
      return Append(out, *As<Unary>(expr)->expr);
    case NodeKind::kBinary:
      return AppendBinary(out, *As<Binary>(expr));
    case NodeKind::kAggregate:
      return AppendAggregate(out, *As<Aggregate>(expr));
    case NodeKind::kCall:
      return AppendCall(out, *As<Call>(expr));
  }
}

std::string_view DurationOpText(DurationOp op) {
  switch (op) {
    case DurationOp::kAdd:
      return " + ";
    case DurationOp::kSub:
      return " - ";
    case DurationOp::kMul:
      return " * ";
    case DurationOp::kDiv:
      return " / ";
    case DurationOp::kMod:
      return " % ";
    case DurationOp::kPow:
      return " ^ ";
    case DurationOp::kStep:
      return "step()";
    case DurationOp::kRange:
      return "range()";
    case DurationOp::kMin:
      return "min_of(";
    case DurationOp::kMax:
      return "max_of(";
    case DurationOp::kLiteral:
      return "";
  }
  return "";
}

void Append(std::string& out, const DurationExpr& expr) {
  if (expr.parenthesised) out += "(";
  switch (expr.op) {
    case DurationOp::kLiteral:
      AppendSeconds(out, expr.seconds, expr.written_as_duration);
      break;
    case DurationOp::kStep:
    case DurationOp::kRange:
      out += DurationOpText(expr.op);
      break;
    case DurationOp::kMin:
    case DurationOp::kMax:
      out += DurationOpText(expr.op);
      Append(out, *expr.left);
      out += ", ";
      Append(out, *expr.right);
      out += ")";
      break;
    default:
      if (expr.left) {
        Append(out, *expr.left);
        out += DurationOpText(expr.op);
      } else if (expr.op == DurationOp::kSub) {
        out += "-";
      }
      Append(out, *expr.right);
  }
  if (expr.parenthesised) out += ")";
}

// Splits what is too long for a line. Every node is rendered whole once per level above it, which
// the depth limit bounds.
class Prettifier {
 public:
  std::string Run(const Expr& expr, std::size_t level) {
    std::string line = ToString(expr);
    if (line.size() <= kLineBytes) return Indent(level) + line;
    switch (expr.kind) {
      case NodeKind::kNumberLiteral:
      case NodeKind::kStringLiteral:
      case NodeKind::kVectorSelector:
      case NodeKind::kMatrixSelector:
        return Indent(level) + line;
      case NodeKind::kSubquery:
        line = Run(*As<Subquery>(expr)->expr, level);
        AppendSubqueryTimes(line, *As<Subquery>(expr));
        return line;
      case NodeKind::kParen:
        return Block(level, "(", {As<Paren>(expr)->expr.get()});
      case NodeKind::kUnary:
        line = Run(*As<Unary>(expr)->expr, level);
        return line.insert(2 * level, As<Unary>(expr)->negative ? "-" : "+");
      case NodeKind::kBinary:
        return RunBinary(*As<Binary>(expr), level);
      case NodeKind::kAggregate: {
        std::string head;
        AppendAggregateHead(head, *As<Aggregate>(expr));
        return Block(level, head + "(", Children(expr));
      }
      case NodeKind::kCall:
        return Block(level, std::string(As<Call>(expr)->function->name) + "(", Children(expr));
    }
    return line;
  }

 private:
  static std::string Indent(std::size_t level) { return std::string(2 * level, ' '); }

  std::string RunBinary(const Binary& binary, std::size_t level) {
    std::string out = Run(*binary.left, level + 1) + "\n" + Indent(level);
    out += BinaryOpName(binary.op);
    AppendBinaryModifiers(out, binary);
    return out + "\n" + Run(*binary.right, level + 1);
  }

  std::string Block(std::size_t level, std::string_view open,
                    const std::vector<const Expr*>& inner) {
    std::string out = Indent(level).append(open).append("\n");
    for (std::size_t i = 0; i < inner.size(); ++i) {
      out += Run(*inner[i], level + 1);
      out += i + 1 < inner.size() ? ",\n" : "\n";
    }
    return out + Indent(level) + ")";
  }
};

}  // namespace

std::string ToString(const Expr& expr) {
  std::string out;
  Append(out, expr);
  return out;
}

std::string ToString(const DurationExpr& expr) {
  std::string out;
  Append(out, expr);
  return out;
}

std::string Prettify(const Expr& expr) { return Prettifier().Run(expr, 0); }

}  // namespace skep::promql
