#include "evaluator/promql/parser.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "evaluator/promql/lexer.h"
#include "evaluator/promql/type_check.h"

namespace skep::promql {
namespace {

// Positions are 32 bits wide, and no query comes near.
constexpr std::size_t kMaxTextBytes = 256UL << 20;
// A Prometheus duration is nanoseconds in 64 bits.
constexpr double kMaxDurationSeconds = 9223372036.854775807;

struct OperatorRow {
  BinaryOp op;
  int precedence;  // higher binds tighter
};

constexpr int kUnaryPrecedence = 5;
constexpr int kPowPrecedence = 6;

std::optional<OperatorRow> FindOperator(const Token& token) {
  switch (token.kind) {
    case TokenKind::kAdd:
      return OperatorRow{BinaryOp::kAdd, 4};
    case TokenKind::kSub:
      return OperatorRow{BinaryOp::kSub, 4};
    case TokenKind::kMul:
      return OperatorRow{BinaryOp::kMul, 5};
    case TokenKind::kDiv:
      return OperatorRow{BinaryOp::kDiv, 5};
    case TokenKind::kMod:
      return OperatorRow{BinaryOp::kMod, 5};
    case TokenKind::kPow:
      return OperatorRow{BinaryOp::kPow, kPowPrecedence};
    case TokenKind::kTrimUpper:
      return OperatorRow{BinaryOp::kTrimUpper, 3};
    case TokenKind::kTrimLower:
      return OperatorRow{BinaryOp::kTrimLower, 3};
    case TokenKind::kEqual:
      return OperatorRow{BinaryOp::kEqual, 3};
    case TokenKind::kNotEqual:
      return OperatorRow{BinaryOp::kNotEqual, 3};
    case TokenKind::kLess:
      return OperatorRow{BinaryOp::kLess, 3};
    case TokenKind::kLessEqual:
      return OperatorRow{BinaryOp::kLessEqual, 3};
    case TokenKind::kGreater:
      return OperatorRow{BinaryOp::kGreater, 3};
    case TokenKind::kGreaterEqual:
      return OperatorRow{BinaryOp::kGreaterEqual, 3};
    default:
      break;
  }
  switch (token.keyword) {
    case Keyword::kAtan2:
      return OperatorRow{BinaryOp::kAtan2, 5};
    case Keyword::kAnd:
      return OperatorRow{BinaryOp::kAnd, 2};
    case Keyword::kUnless:
      return OperatorRow{BinaryOp::kUnless, 2};
    case Keyword::kOr:
      return OperatorRow{BinaryOp::kOr, 1};
    default:
      return std::nullopt;
  }
}

std::optional<DurationOp> FindDurationOperator(const Token& token, int& precedence) {
  const std::optional<OperatorRow> row = FindOperator(token);
  if (!row || row->op > BinaryOp::kPow) return std::nullopt;
  precedence = row->precedence;
  switch (row->op) {
    case BinaryOp::kAdd:
      return DurationOp::kAdd;
    case BinaryOp::kSub:
      return DurationOp::kSub;
    case BinaryOp::kMul:
      return DurationOp::kMul;
    case BinaryOp::kDiv:
      return DurationOp::kDiv;
    case BinaryOp::kMod:
      return DurationOp::kMod;
    default:
      return DurationOp::kPow;
  }
}

bool IsAggregation(Keyword keyword) {
  return keyword >= Keyword::kSum && keyword <= Keyword::kLimitRatio;
}

// Words that can only be a label, never the name of a metric.
bool IsReserved(Keyword keyword) {
  return keyword == Keyword::kAtan2 || keyword == Keyword::kBool || keyword == Keyword::kOn ||
         keyword == Keyword::kIgnoring || keyword == Keyword::kGroupLeft ||
         keyword == Keyword::kGroupRight;
}

// Words that name a function as well.
bool MayBeFunction(Keyword keyword) {
  return keyword == Keyword::kNone || keyword >= Keyword::kStart;
}

bool AllOctal(std::string_view digits) {
  return digits.size() > 1 && digits.front() == '0' &&
         digits.find_first_not_of("01234567") == std::string_view::npos;
}

// As Go reads a number: 0x1f, 0755 (octal), 1_000, 1e3, Inf.
std::optional<double> ReadNumber(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  const bool hex = digits.size() > 1 && (digits[1] == 'x' || digits[1] == 'X');
  if (hex || AllOctal(digits)) {
    double value = 0;
    for (const char c : std::string_view(digits).substr(hex ? 2 : 1)) {
      const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      value = value * (hex ? 16 : 8) + digit;
    }
    if (value > static_cast<double>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return value;
  }
  const std::optional<double> value = ParseDouble(digits);
  const bool overflow = value && std::isinf(*value) && digits.back() >= '0' && digits.back() <= '9';
  return overflow ? std::nullopt : value;
}

class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options) : text_(text), options_(options) {
    if (text.size() > kMaxTextBytes) {
      Fail({}, "query of " + std::to_string(text.size()) + " bytes is too long");
      tokens_.list.emplace_back();
      return;
    }
    tokens_ = Tokenize(text);
  }

  Result<ExprPtr> ParseWholeExpr() {
    if (!failed() && Now().kind == TokenKind::kEnd) Fail({}, "no expression found in input");
    ExprPtr expr = failed() ? nullptr : ParseBinary(0);
    if (!failed() && Now().kind != TokenKind::kEnd) Unexpected();
    if (!failed()) {
      if (std::optional<Complaint> wrong = CheckTypes(*expr, text_)) {
        Fail(wrong->position, std::move(wrong->message));
      }
    }
    if (failed()) return *error_;
    return expr;
  }

  Result<std::vector<Matcher>> ParseWholeSelector() {
    std::unique_ptr<VectorSelector> selector;
    if (!failed()) selector = ParseVectorSelector();
    if (!failed() && Now().kind != TokenKind::kEnd) Unexpected();
    if (!failed()) {
      if (std::optional<Complaint> wrong = CheckTypes(*selector, text_)) {
        Fail(wrong->position, std::move(wrong->message));
      }
    }
    if (failed()) return *error_;
    return std::move(selector->matchers);
  }

  Result<Labels> ParseWholeMetric() {
    LabelsBuilder labels;
    if (!failed() && IsMetricName(Now())) labels.Set(kMetricName, Text(Take()));
    if (!failed() && Now().kind == TokenKind::kLeftBrace) ParseLabelSet(labels);
    if (!failed() && Now().kind != TokenKind::kEnd) Unexpected();
    if (failed()) return *error_;
    return labels.Build();
  }

 private:
  // ---- tokens and errors

  bool failed() const { return error_.has_value(); }
  const Token& Now() const { return tokens_.list[at_]; }
  const Token& Ahead() const { return tokens_.list[std::min(at_ + 1, tokens_.list.size() - 1)]; }
  std::string_view Text(const Token& token) const {
    return text_.substr(token.start, token.end - token.start);
  }
  static PosRange Place(const Token& token) { return {token.start, token.end}; }

  const Token& Take() {
    const Token& token = Now();
    last_end_ = token.end;
    if (at_ + 1 < tokens_.list.size()) ++at_;
    return token;
  }
  bool TakeIf(TokenKind kind) {
    if (Now().kind != kind) return false;
    Take();
    return true;
  }
  bool IsWord(Keyword keyword) const { return Now().keyword == keyword; }

  // Only the first error counts, as Prometheus shows only that one.
  void Fail(PosRange place, std::string message) {
    if (failed()) return;
    error_ = Invalid(FormatPosition(text_, place.start) + ": parse error: " + message);
  }

  // Complains of the present token. `context` and `expected` may be "".
  void Unexpected(std::string_view context, std::string_view expected) {
    if (Now().kind == TokenKind::kError) return Fail(Place(Now()), tokens_.error);
    std::string message = "unexpected " + DescribeToken(Now(), text_);
    if (!context.empty()) message.append(" in ").append(context);
    if (!expected.empty()) message.append(", expected ").append(expected);
    Fail(Place(Now()), std::move(message));
  }
  void Unexpected() { Unexpected(in_aggregation_ ? "aggregation" : "", ""); }

  bool Enter(std::size_t depth) {
    if (depth <= options_.max_depth) return true;
    Fail(Place(Now()),
         "expression is nested more than " + std::to_string(options_.max_depth) + " levels deep");
    return false;
  }

  // Completes a node from `start` to the last token taken.
  template <typename T>
  std::unique_ptr<T> Finish(std::unique_ptr<T> node, std::uint32_t start, std::uint32_t below = 0) {
    node->position = {start, last_end_};
    node->height = below + 1;
    if (!Enter(node->height)) return nullptr;
    return node;
  }

  // ---- expressions; each returns null exactly when failed()

  ExprPtr ParseBinary(int least) {
    ++depth_;
    ExprPtr left = Enter(depth_) ? ParseUnary() : nullptr;
    while (left) {
      const std::optional<OperatorRow> row = FindOperator(Now());
      if (!row || row->precedence < least) break;
      Take();
      auto binary = std::make_unique<Binary>();
      binary->op = row->op;
      binary->left = std::move(left);
      if (!ParseBinaryModifiers(*binary)) break;
      // All operators lean left, only ^ leans right.
      binary->right = ParseBinary(row->precedence + (row->op == BinaryOp::kPow ? 0 : 1));
      if (!binary->right) break;
      const std::uint32_t start = binary->left->position.start;
      const std::uint32_t below = std::max(binary->left->height, binary->right->height);
      const std::uint32_t end = binary->right->position.end;
      left = Finish(std::move(binary), start, below);
      if (left) left->position.end = end;
    }
    --depth_;
    return failed() ? nullptr : std::move(left);
  }

  bool ParseBinaryModifiers(Binary& binary) {
    VectorMatching matching;
    if (IsWord(Keyword::kBool)) {
      Take();
      binary.return_bool = true;
    }
    if (IsWord(Keyword::kOn) || IsWord(Keyword::kIgnoring)) {
      matching.on = Take().keyword == Keyword::kOn;
      if (!ParseGroupingLabels(matching.labels)) return false;
      if (IsWord(Keyword::kGroupLeft) || IsWord(Keyword::kGroupRight)) {
        matching.cardinality = Take().keyword == Keyword::kGroupLeft ? Cardinality::kManyToOne
                                                                     : Cardinality::kOneToMany;
        if (Now().kind == TokenKind::kLeftParen && !ParseGroupingLabels(matching.include)) {
          return false;
        }
      }
    }
    if (!ParseFill(matching)) return false;
    binary.matching = std::move(matching);
    return true;
  }

  bool ParseFill(VectorMatching& matching) {
    const Keyword first = Now().keyword;
    if (first < Keyword::kFill || first > Keyword::kFillRight) return true;
    if (!options_.binop_fill_modifiers) {
      Fail(Place(Now()), "binop fill modifiers are experimental and not enabled");
      return false;
    }
    Take();
    const std::optional<double> value = ParseFillValue();
    if (!value) return false;
    if (first != Keyword::kFillRight) matching.fill_left = value;
    if (first != Keyword::kFillLeft) matching.fill_right = value;
    const Keyword other = first == Keyword::kFillLeft ? Keyword::kFillRight : Keyword::kFillLeft;
    if (first == Keyword::kFill || !IsWord(other)) return true;
    Take();
    (other == Keyword::kFillLeft ? matching.fill_left : matching.fill_right) = ParseFillValue();
    return !failed();
  }

  std::optional<double> ParseFillValue() {
    Take();  // the parenthesis: without it the lexer sees a name
    const std::optional<double> value = ParseSignedNumber();
    if (!value || !TakeIf(TokenKind::kRightParen)) Unexpected("fill", value ? "\")\"" : "number");
    return failed() ? std::nullopt : value;
  }

  ExprPtr ParseUnary() {
    const Token op = Now();
    if (op.kind != TokenKind::kAdd && op.kind != TokenKind::kSub) return ParsePostfix();
    Take();
    ExprPtr expr = ParseBinary(kUnaryPrecedence + 1);
    if (!expr) return nullptr;
    if (auto* number = As<NumberLiteral>(*expr)) {
      if (op.kind == TokenKind::kSub) number->value = -number->value;
      number->position.start = op.start;
      return expr;
    }
    auto unary = std::make_unique<Unary>();
    unary->negative = op.kind == TokenKind::kSub;
    const std::uint32_t below = expr->height;
    const std::uint32_t end = expr->position.end;
    unary->expr = std::move(expr);
    unary = Finish(std::move(unary), op.start, below);
    if (unary) unary->position.end = end;
    return unary;
  }

  ExprPtr ParsePostfix() {
    ExprPtr expr = ParsePrimary();
    while (expr && !failed()) {
      if (Now().kind == TokenKind::kLeftBracket) {
        expr = ParseBrackets(std::move(expr));
      } else if (Now().kind == TokenKind::kAt) {
        ParseAt(*expr);
      } else if (IsWord(Keyword::kOffset)) {
        ParseOffset(*expr);
      } else if (IsWord(Keyword::kAnchored) || IsWord(Keyword::kSmoothed)) {
        ParseExtendedRange(*expr);
      } else {
        break;
      }
    }
    return failed() ? nullptr : std::move(expr);
  }

  ExprPtr ParsePrimary() {
    const Token& token = Now();
    switch (token.kind) {
      case TokenKind::kNumber:
      case TokenKind::kDuration:
        return ParseNumberLiteral();
      case TokenKind::kString:
        return ParseStringLiteral();
      case TokenKind::kLeftParen:
        return ParseParen();
      case TokenKind::kIdentifier: {
        const bool called = Ahead().kind == TokenKind::kLeftParen;
        if (IsAggregation(token.keyword) &&
            (called || Ahead().keyword == Keyword::kBy || Ahead().keyword == Keyword::kWithout)) {
          return ParseAggregate();
        }
        if (called && MayBeFunction(token.keyword)) return ParseCall();
        return ParseVectorSelector();
      }
      default:
        return ParseVectorSelector();
    }
  }

  std::optional<double> ParseNumber() {
    const Token token = Now();
    if (token.kind != TokenKind::kNumber && token.kind != TokenKind::kDuration) return std::nullopt;
    Take();
    if (token.kind == TokenKind::kNumber) {
      const std::optional<double> value = ReadNumber(Text(token));
      if (!value) {
        Fail(Place(token), "error parsing number: " + Quote(Text(token)) + " is out of range");
      }
      return value;
    }
    const Result<Duration> duration = ParseDuration(Text(token));
    if (duration) return ToSeconds(*duration);
    Fail(Place(token), duration.error().message());
    return std::nullopt;
  }

  std::optional<double> ParseSignedNumber() {
    const bool negative = Now().kind == TokenKind::kSub;
    if (negative || Now().kind == TokenKind::kAdd) Take();
    const std::optional<double> value = ParseNumber();
    return value && negative ? -*value : value;
  }

  ExprPtr ParseNumberLiteral() {
    const Token token = Now();
    const std::optional<double> value = ParseNumber();
    if (!value) return nullptr;
    auto literal = std::make_unique<NumberLiteral>();
    literal->value = *value;
    literal->written_as_duration = token.kind == TokenKind::kDuration;
    return Finish(std::move(literal), token.start);
  }

  // The content of a string token.
  std::string Unquoted(const Token& token) {
    const std::string_view quoted = Text(token);
    const std::string_view inside = quoted.substr(1, quoted.size() - 2);
    if (quoted.front() == '`') return std::string(inside);
    Result<std::string> content = Unescape(inside);
    if (content) return *std::move(content);
    Fail(Place(token), content.error().message());
    return {};
  }

  ExprPtr ParseStringLiteral() {
    const Token token = Take();
    auto literal = std::make_unique<StringLiteral>();
    literal->value = Unquoted(token);
    if (failed()) return nullptr;
    return Finish(std::move(literal), token.start);
  }

  ExprPtr ParseParen() {
    const std::uint32_t start = Take().start;
    auto paren = std::make_unique<Paren>();
    paren->expr = ParseBinary(0);
    if (!paren->expr) return nullptr;
    if (!TakeIf(TokenKind::kRightParen)) {
      Unexpected();
      return nullptr;
    }
    const std::uint32_t below = paren->expr->height;
    return Finish(std::move(paren), start, below);
  }

  static bool BeginsExpr(const Token& token) {
    switch (token.kind) {
      case TokenKind::kNumber:
      case TokenKind::kDuration:
      case TokenKind::kString:
      case TokenKind::kLeftParen:
      case TokenKind::kLeftBrace:
      case TokenKind::kAdd:
      case TokenKind::kSub:
        return true;
      default:
        return IsMetricName(token);
    }
  }

  // ( expr, expr ): false where failed.
  bool ParseArguments(std::vector<ExprPtr>& arguments) {
    if (!TakeIf(TokenKind::kLeftParen)) {
      Unexpected();
      return false;
    }
    if (TakeIf(TokenKind::kRightParen)) return true;
    while (true) {
      arguments.push_back(ParseBinary(0));
      if (failed()) return false;
      if (TakeIf(TokenKind::kRightParen)) return true;
      const Token comma = Now();
      if (!TakeIf(TokenKind::kComma)) {
        Unexpected();
        return false;
      }
      if (Now().kind != TokenKind::kError && !BeginsExpr(Now())) {
        Fail(Place(comma), "trailing commas not allowed in function call args");
        return false;
      }
    }
  }

  static std::uint32_t Highest(const std::vector<ExprPtr>& list) {
    std::uint32_t height = 0;
    for (const ExprPtr& expr : list) height = std::max(height, expr->height);
    return height;
  }

  ExprPtr ParseCall() {
    const Token name = Take();
    auto call = std::make_unique<Call>();
    if (!ParseArguments(call->arguments)) return nullptr;
    // A function's name is not folded: RATE() is unknown, as in Prometheus.
    call->function = FindFunction(Text(name));
    if (!call->function) {
      Fail(Place(name), "unknown function with name " + Quote(Text(name)));
      return nullptr;
    }
    if (call->function->experimental && !options_.experimental_functions) {
      Fail(Place(name), "function " + Quote(Text(name)) + " is not enabled");
      return nullptr;
    }
    const std::uint32_t below = Highest(call->arguments);
    return Finish(std::move(call), name.start, below);
  }

  ExprPtr ParseAggregate() {
    const Token name = Take();
    const bool outer = std::exchange(in_aggregation_, true);
    auto aggregate = std::make_unique<Aggregate>();
    aggregate->op =
        static_cast<AggregateOp>(static_cast<int>(name.keyword) - static_cast<int>(Keyword::kSum));
    std::vector<ExprPtr> arguments;
    const bool before = AtAggregateModifier();
    const bool good = (!before || ParseAggregateModifier(*aggregate)) &&
                      ParseArguments(arguments) &&
                      (before || !AtAggregateModifier() || ParseAggregateModifier(*aggregate));
    // Prometheus has looked one token ahead for `by` when it counts the arguments.
    if (good && Now().kind == TokenKind::kError) Unexpected();
    in_aggregation_ = outer;
    if (failed() || !TakeAggregateArguments(*aggregate, arguments, name)) return nullptr;
    const std::uint32_t below =
        std::max(aggregate->expr->height, aggregate->parameter ? aggregate->parameter->height : 0U);
    return Finish(std::move(aggregate), name.start, below);
  }

  bool AtAggregateModifier() const { return IsWord(Keyword::kBy) || IsWord(Keyword::kWithout); }

  bool ParseAggregateModifier(Aggregate& aggregate) {
    aggregate.without = Take().keyword == Keyword::kWithout;
    return ParseGroupingLabels(aggregate.grouping);
  }

  bool TakeAggregateArguments(Aggregate& aggregate, std::vector<ExprPtr>& arguments,
                              const Token& name) {
    const bool experimental =
        aggregate.op == AggregateOp::kLimitk || aggregate.op == AggregateOp::kLimitRatio;
    const std::size_t want = TakesParameter(aggregate.op) ? 2 : 1;
    if (arguments.empty()) {
      Fail(Place(name), "no arguments for aggregate expression provided");
    } else if (experimental && !options_.experimental_functions) {
      Fail(Place(name), std::string(AggregateOpName(aggregate.op)) +
                            "() is experimental and must be enabled with "
                            "--enable-feature=promql-experimental-functions");
    } else if (arguments.size() != want) {
      Fail(Place(name), "wrong number of arguments for aggregate expression provided, expected " +
                            std::to_string(want) + ", got " + std::to_string(arguments.size()));
    }
    if (failed()) return false;
    aggregate.expr = std::move(arguments.back());
    if (want == 2) aggregate.parameter = std::move(arguments.front());
    return true;
  }

  // ( label, label, )
  bool ParseGroupingLabels(std::vector<std::string>& labels) {
    constexpr std::string_view kContext = "grouping opts";
    if (!TakeIf(TokenKind::kLeftParen)) {
      Unexpected(kContext, "\"(\"");
      return false;
    }
    while (!TakeIf(TokenKind::kRightParen)) {
      if (!ParseGroupingLabel(labels)) return false;
      if (Now().kind == TokenKind::kRightParen) continue;
      if (!TakeIf(TokenKind::kComma)) {
        Unexpected(kContext, "\",\" or \")\"");
        return false;
      }
    }
    return true;
  }

  bool ParseGroupingLabel(std::vector<std::string>& labels) {
    const Token token = Now();
    switch (token.kind) {
      case TokenKind::kIdentifier:
      case TokenKind::kMetricIdentifier:
        labels.emplace_back(Text(Take()));
        return true;
      case TokenKind::kString:
        labels.push_back(Unquoted(Take()));
        if (!IsUtf8Name(labels.back())) {
          Fail(Place(token), "invalid label name for grouping: " + Quote(labels.back()));
        }
        return !failed();
      default:
        Unexpected("grouping opts", "label");
        return false;
    }
  }

  // ---- selectors

  static bool IsMetricName(const Token& token) {
    return token.kind == TokenKind::kMetricIdentifier ||
           (token.kind == TokenKind::kIdentifier && !IsReserved(token.keyword));
  }

  std::unique_ptr<VectorSelector> ParseVectorSelector() {
    const std::uint32_t start = Now().start;
    auto selector = std::make_unique<VectorSelector>();
    if (IsMetricName(Now())) {
      selector->name = Text(Take());
    } else if (Now().kind != TokenKind::kLeftBrace) {
      Unexpected();
      return nullptr;
    }
    if (Now().kind == TokenKind::kLeftBrace && !ParseMatchers(selector->matchers)) return nullptr;
    if (!selector->name.empty()) {
      selector->matchers.push_back(Matcher::Equal(kMetricName, selector->name));
    }
    return Finish(std::move(selector), start);
  }

  bool ParseMatchers(std::vector<Matcher>& matchers) {
    Take();
    while (!TakeIf(TokenKind::kRightBrace)) {
      if (!ParseMatcher(matchers)) return false;
      if (Now().kind == TokenKind::kRightBrace) continue;
      if (!TakeIf(TokenKind::kComma)) {
        Unexpected("label matching", "\",\" or \"}\"");
        return false;
      }
    }
    return true;
  }

  static std::optional<MatchType> FindMatchType(TokenKind kind) {
    switch (kind) {
      case TokenKind::kAssign:
        return MatchType::kEqual;
      case TokenKind::kNotEqual:
        return MatchType::kNotEqual;
      case TokenKind::kRegexMatch:
        return MatchType::kRegex;
      case TokenKind::kRegexNotMatch:
        return MatchType::kNotRegex;
      default:
        return std::nullopt;
    }
  }

  bool ParseMatcher(std::vector<Matcher>& matchers) {
    constexpr std::string_view kContext = "label matching";
    const Token name = Now();
    if (name.kind != TokenKind::kIdentifier && name.kind != TokenKind::kString) {
      Unexpected(kContext, "identifier or \"}\"");
      return false;
    }
    Take();
    const std::string label =
        name.kind == TokenKind::kString ? Unquoted(name) : std::string(Text(name));
    if (failed()) return false;
    const std::optional<MatchType> type = FindMatchType(Now().kind);
    if (!type) {
      if (name.kind == TokenKind::kString) {  // {"my.metric"}
        matchers.push_back(Matcher::Equal(kMetricName, label));
        return true;
      }
      Unexpected(kContext, "label matching operator");
      return false;
    }
    Take();
    if (Now().kind != TokenKind::kString) {
      Unexpected(kContext, "string");
      return false;
    }
    const std::string value = Unquoted(Take());
    if (failed()) return false;
    Result<Matcher> matcher = Matcher::Create(*type, label, value);
    if (!matcher) {
      Fail(Place(name), matcher.error().message());
      return false;
    }
    matchers.push_back(*std::move(matcher));
    return true;
  }

  // {a="b", "c.d"="e", "my.metric"} of a series.
  void ParseLabelSet(LabelsBuilder& labels) {
    constexpr std::string_view kContext = "label set";
    Take();
    while (!failed() && !TakeIf(TokenKind::kRightBrace)) {
      const Token name = Now();
      if (name.kind != TokenKind::kIdentifier && name.kind != TokenKind::kString) {
        return Unexpected(kContext, "identifier or \"}\"");
      }
      Take();
      const std::string label =
          name.kind == TokenKind::kString ? Unquoted(name) : std::string(Text(name));
      if (Now().kind == TokenKind::kAssign) {
        Take();
        if (Now().kind != TokenKind::kString) return Unexpected(kContext, "string");
        labels.Set(label, Unquoted(Take()));
      } else if (name.kind == TokenKind::kString) {
        labels.Set(kMetricName, label);
      } else {
        return Unexpected(kContext, "\"=\"");
      }
      if (Now().kind == TokenKind::kRightBrace || TakeIf(TokenKind::kComma)) continue;
      Unexpected(kContext, "\",\" or \"}\"");
    }
  }

  // ---- modifiers

  // The vector selector that carries the modifiers of `expr`, else null.
  static VectorSelector* Carrier(Expr& expr) {
    if (auto* matrix = As<MatrixSelector>(expr)) return matrix->vector.get();
    return As<VectorSelector>(expr);
  }

  TimeModifiers* ModifiersOf(Expr& expr, std::string_view what) {
    if (auto* subquery = As<Subquery>(expr)) return &subquery->modifiers;
    if (VectorSelector* selector = Carrier(expr)) return &selector->modifiers;
    Fail(expr.position, std::string(what) +
                            " modifier must be preceded by an instant vector selector or range "
                            "vector selector or a subquery");
    return nullptr;
  }

  void ParseOffset(Expr& expr) {
    Take();
    DurationExprPtr offset = ParseOffsetDuration();
    if (!offset) return;
    TimeModifiers* const modifiers = ModifiersOf(expr, "offset");
    if (!modifiers) return;
    if (modifiers->offset != Duration{0} || modifiers->offset_expr) {
      return Fail(expr.position, "offset may not be set multiple times");
    }
    SetDuration(std::move(offset), modifiers->offset, modifiers->offset_expr);
    expr.position.end = last_end_;
  }

  void ParseAt(Expr& expr) {
    Take();
    AtKind kind = AtKind::kTime;
    double seconds = 0;
    if (IsWord(Keyword::kStart) || IsWord(Keyword::kEnd)) {
      kind = IsWord(Keyword::kStart) ? AtKind::kStart : AtKind::kEnd;
      Take();
      if (!TakeIf(TokenKind::kLeftParen) || !TakeIf(TokenKind::kRightParen)) {
        return Unexpected("@", "timestamp");
      }
    } else {
      const std::optional<double> number = ParseSignedNumber();
      if (!number) return Unexpected("@", "timestamp");
      seconds = *number;
    }
    SetAt(expr, kind, seconds);
  }

  void SetAt(Expr& expr, AtKind kind, double seconds) {
    constexpr double kMost = 9.2e15;  // seconds whose milliseconds fit 64 bits
    if (!(std::abs(seconds) < kMost)) {
      return Fail(expr.position,
                  "timestamp out of bounds for @ modifier: " + FormatPlainDouble(seconds));
    }
    TimeModifiers* const modifiers = ModifiersOf(expr, "@");
    if (!modifiers) return;
    if (modifiers->at != AtKind::kNone) {
      return Fail(expr.position, "@ <timestamp> may not be set multiple times");
    }
    modifiers->at = kind;
    modifiers->at_time = FromMillis(std::llround(seconds * 1000));
    expr.position.end = last_end_;
  }

  void ParseExtendedRange(Expr& expr) {
    const bool anchored = IsWord(Keyword::kAnchored);
    const std::string word = anchored ? "anchored" : "smoothed";
    if (!options_.extended_range_selectors) {
      return Fail(expr.position, word + " modifier is experimental and not enabled");
    }
    Take();
    if (As<Subquery>(expr)) {
      return Fail(expr.position, word + " modifier is not supported for subqueries");
    }
    VectorSelector* const selector = Carrier(expr);
    if (!selector) return Fail(expr.position, word + " modifier not implemented");
    (anchored ? selector->anchored : selector->smoothed) = true;
    if (selector->anchored && selector->smoothed) {
      return Fail(expr.position, "anchored and smoothed modifiers cannot be used together");
    }
    expr.position.end = last_end_;
  }

  // [range] or [range:step]
  ExprPtr ParseBrackets(ExprPtr expr) {
    const Token open = Take();
    DurationExprPtr range = ParseDurationInBrackets("subquery or range selector",
                                                    "number, duration, step(), or range()");
    if (!range) return nullptr;
    if (Now().kind == TokenKind::kColon) return ParseSubquery(std::move(expr), std::move(range));
    if (!TakeIf(TokenKind::kRightBracket)) {
      Unexpected("subquery or range", "\":\" or \"]\"");
      return nullptr;
    }
    return MakeMatrix(std::move(expr), std::move(range), {open.start, last_end_});
  }

  ExprPtr MakeMatrix(ExprPtr expr, DurationExprPtr range, PosRange brackets) {
    auto* const selector = As<VectorSelector>(*expr);
    if (!selector) {
      Fail(brackets, "ranges only allowed for vector selectors");
    } else if (selector->modifiers.offset != Duration{0} || selector->modifiers.offset_expr) {
      Fail(brackets, "no offset modifiers allowed before range");
    } else if (selector->modifiers.at != AtKind::kNone) {
      Fail(brackets, "no @ modifiers allowed before range");
    }
    if (failed()) return nullptr;
    auto matrix = std::make_unique<MatrixSelector>();
    matrix->vector.reset(static_cast<VectorSelector*>(expr.release()));
    SetDuration(std::move(range), matrix->range, matrix->range_expr);
    const std::uint32_t start = matrix->vector->position.start;
    return Finish(std::move(matrix), start, 1);
  }

  ExprPtr ParseSubquery(ExprPtr expr, DurationExprPtr range) {
    Take();
    auto subquery = std::make_unique<Subquery>();
    SetDuration(std::move(range), subquery->range, subquery->range_expr);
    if (Now().kind != TokenKind::kRightBracket) {
      DurationExprPtr step = ParseDurationInBrackets("subquery selector",
                                                     "number, duration, step(), range(), or \"]\"");
      if (!step) return nullptr;
      SetDuration(std::move(step), subquery->step, subquery->step_expr);
    }
    if (!TakeIf(TokenKind::kRightBracket)) {
      Unexpected("subquery selector", "\"]\"");
      return nullptr;
    }
    const std::uint32_t start = expr->position.start;
    const std::uint32_t below = expr->height;
    subquery->expr = std::move(expr);
    return Finish(std::move(subquery), start, below);
  }

  // ---- durations

  // A plain one becomes `fixed`, arithmetic stays an expression.
  static void SetDuration(DurationExprPtr from, Duration& fixed, DurationExprPtr& expr) {
    if (from->op == DurationOp::kLiteral) {
      // Prometheus rounds to nanoseconds, then cuts to milliseconds.
      const double nanos = std::round(from->seconds * 1e9);
      fixed = Duration{static_cast<std::int64_t>(nanos / 1e6)};
    } else {
      expr = std::move(from);
    }
  }

  DurationExprPtr ParseDurationInBrackets(std::string_view context, std::string_view expected) {
    if (!AtDuration()) {
      Unexpected(context, expected);
      return nullptr;
    }
    duration_nodes_ = 0;
    DurationExprPtr duration = ParseDurationBinary(0);
    if (duration && duration->op == DurationOp::kLiteral && !(duration->seconds > 0)) {
      Fail(duration->position, "duration must be greater than 0");
    }
    return failed() ? nullptr : std::move(duration);
  }

  bool AtDuration() const {
    const Token& token = Now();
    switch (token.kind) {
      case TokenKind::kNumber:
      case TokenKind::kDuration:
      case TokenKind::kAdd:
      case TokenKind::kSub:
      case TokenKind::kLeftParen:
        return true;
      default:
        return token.keyword >= Keyword::kStep;
    }
  }

  // Behind `offset` arithmetic needs parentheses: `foo offset 1m + 2` adds 2 to the vector.
  DurationExprPtr ParseOffsetDuration() {
    if (!AtDuration()) {
      Unexpected("offset", "number, duration, step(), or range()");
      return nullptr;
    }
    duration_nodes_ = 0;
    return ParseDurationUnary(/*power_binds_tighter=*/false);
  }

  bool AllowDurationExpr(PosRange place) {
    if (options_.duration_expressions) return true;
    Fail(place, "experimental duration expression is not enabled");
    return false;
  }

  DurationExprPtr MakeDuration(DurationOp op, DurationExprPtr left, DurationExprPtr right,
                               std::uint32_t start) {
    auto duration = std::make_unique<DurationExpr>();
    duration->op = op;
    duration->left = std::move(left);
    duration->right = std::move(right);
    duration->position = {start, last_end_};
    // Chains lean left and grow deep without recursion here, so nodes are counted, not levels.
    if (!Enter(++duration_nodes_)) return nullptr;
    return duration;
  }

  DurationExprPtr ParseDurationBinary(int least) {
    ++depth_;
    DurationExprPtr left = Enter(depth_) ? ParseDurationUnary(true) : nullptr;
    while (left) {
      int precedence = 0;
      const std::optional<DurationOp> op = FindDurationOperator(Now(), precedence);
      if (!op || precedence < least) break;
      const Token token = Now();
      if (!AllowDurationExpr(left->position)) break;
      Take();
      DurationExprPtr right = ParseDurationBinary(precedence + (*op == DurationOp::kPow ? 0 : 1));
      if (!right) break;
      if ((*op == DurationOp::kDiv || *op == DurationOp::kMod) &&
          right->op == DurationOp::kLiteral && right->seconds == 0) {
        Fail(Place(token), *op == DurationOp::kDiv ? "division by zero" : "modulo by zero");
        break;
      }
      const std::uint32_t start = left->position.start;
      left = MakeDuration(*op, std::move(left), std::move(right), start);
    }
    --depth_;
    return failed() ? nullptr : std::move(left);
  }

  DurationExprPtr ParseDurationUnary(bool power_binds_tighter) {
    const Token sign = Now();
    if (sign.kind != TokenKind::kAdd && sign.kind != TokenKind::kSub) return ParseDurationPrimary();
    Take();
    DurationExprPtr inner =
        power_binds_tighter ? ParseDurationBinary(kUnaryPrecedence + 1) : ParseDurationPrimary();
    if (!inner) return nullptr;
    if (inner->op != DurationOp::kLiteral) {
      if (sign.kind == TokenKind::kAdd) return inner;
      return MakeDuration(DurationOp::kSub, nullptr, std::move(inner), sign.start);
    }
    if (sign.kind == TokenKind::kSub) inner->seconds = -inner->seconds;
    inner->position.start = sign.start;
    return inner;
  }

  DurationExprPtr ParseDurationPrimary() {
    const Token token = Now();
    if (token.kind == TokenKind::kLeftParen) return ParseDurationParen();
    if (token.keyword >= Keyword::kStep) return ParseDurationCall();
    const std::optional<double> seconds = ParseNumber();
    if (!seconds) {
      Unexpected("duration", "number, duration, step(), or range()");
      return nullptr;
    }
    if (!(std::abs(*seconds) <= kMaxDurationSeconds)) {
      Fail(Place(token), "duration out of range");
      return nullptr;
    }
    DurationExprPtr literal = MakeDuration(DurationOp::kLiteral, nullptr, nullptr, token.start);
    if (!literal) return nullptr;
    literal->seconds = *seconds;
    literal->written_as_duration = token.kind == TokenKind::kDuration;
    return literal;
  }

  DurationExprPtr ParseDurationParen() {
    const Token open = Take();
    if (!AllowDurationExpr(Place(open))) return nullptr;
    DurationExprPtr inner = ParseDurationBinary(0);
    if (!inner) return nullptr;
    if (!TakeIf(TokenKind::kRightParen)) {
      Unexpected();
      return nullptr;
    }
    inner->parenthesised = inner->op != DurationOp::kLiteral;
    inner->position = {open.start, last_end_};
    return inner;
  }

  // step(), range(), min_of(a, b), max_of(a, b)
  DurationExprPtr ParseDurationCall() {
    const Token name = Take();
    if (!AllowDurationExpr(Place(name))) return nullptr;
    const bool two = name.keyword == Keyword::kMinOf || name.keyword == Keyword::kMaxOf;
    DurationExprPtr left, right;
    bool good = TakeIf(TokenKind::kLeftParen);
    if (good && two) {
      left = ParseDurationBinary(0);
      good = left && TakeIf(TokenKind::kComma);
      if (good) right = ParseDurationBinary(0);
      good = good && right;
    }
    if (!good || !TakeIf(TokenKind::kRightParen)) {
      Unexpected();
      return nullptr;
    }
    return MakeDuration(DurationCallOp(name.keyword), std::move(left), std::move(right),
                        name.start);
  }

  static DurationOp DurationCallOp(Keyword keyword) {
    switch (keyword) {
      case Keyword::kRange:
        return DurationOp::kRange;
      case Keyword::kMinOf:
        return DurationOp::kMin;
      case Keyword::kMaxOf:
        return DurationOp::kMax;
      default:
        return DurationOp::kStep;
    }
  }

  std::string_view text_;
  const ParseOptions& options_;
  Tokens tokens_;
  std::size_t at_ = 0;
  std::uint32_t last_end_ = 0;  // where the last token taken ends
  std::size_t depth_ = 0;
  std::size_t duration_nodes_ = 0;
  bool in_aggregation_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<ExprPtr> ParseExpr(std::string_view text, const ParseOptions& options) {
  return Parser(text, options).ParseWholeExpr();
}

Result<std::vector<Matcher>> ParseMetricSelector(std::string_view text) {
  const ParseOptions options;
  return Parser(text, options).ParseWholeSelector();
}

Result<Labels> ParseMetric(std::string_view text) {
  const ParseOptions options;
  return Parser(text, options).ParseWholeMetric();
}

}  // namespace skep::promql
