#include "evaluator/template/parser.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "evaluator/template/format.h"
#include "evaluator/template/lexer.h"

namespace skep::templates {
namespace {

constexpr int kMaxDepth = 200;

using NodePtr = std::unique_ptr<Node>;

NodePtr MakeNode(NodeKind kind, const Token& token) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->position = token.position;
  return node;
}

bool IsEmptyTree(const Node& list) {
  return std::all_of(list.children.begin(), list.children.end(), [](const NodePtr& child) {
    return child->kind == NodeKind::kText &&
           child->text.find_first_not_of(" \t\r\n") == std::string::npos;
  });
}

// How a list of text and actions ended.
enum class ListEnd : std::uint8_t { kEof, kEnd, kElse };
struct ParsedList {
  NodePtr list;
  ListEnd end = ListEnd::kEof;
};

class Parser {
 public:
  Parser(std::shared_ptr<const Source> source, const FunctionTable& functions, TemplateMap& out)
      : source_(std::move(source)), functions_(functions), out_(out), lexer_(source_->text) {}

  Status Run() {
    Advance();
    Result<ParsedList> top = ParseList(/*top=*/true);
    if (!top) return top.error();
    return Add(source_->name, std::move(top->list), 0);
  }

 private:
  // Counts nesting while it lives.
  struct Depth {
    explicit Depth(int& d) : depth(d) { ++depth; }
    ~Depth() { --depth; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    int& depth;
  };

  void Advance() { token_ = lexer_.Next(); }
  void SkipSpace() {
    while (token_.kind == TokenKind::kSpace) Advance();
  }
  bool IsKeyword(std::string_view word) const {
    return token_.kind == TokenKind::kKeyword && token_.text == word;
  }

  Error FailAt(std::size_t position, const std::string& message) const {
    return Invalid("template: " + source_->Place(position, 1) + ": " + message);
  }
  Error Fail(const std::string& message) const { return FailAt(token_.position, message); }
  Error Unexpected(std::string_view context) const {
    if (token_.kind == TokenKind::kError) return Fail(lexer_.error());
    if (token_.kind == TokenKind::kEnd) return Fail("unexpected EOF in " + std::string(context));
    std::string_view text = token_.text.substr(0, 40);
    return Fail("unexpected " +
                (token_.kind == TokenKind::kKeyword || token_.kind == TokenKind::kDot
                     ? "<" + std::string(text) + ">"
                     : Quote(text)) +
                " in " + std::string(context));
  }

  Status Add(const std::string& name, NodePtr root, std::size_t position) {
    const bool empty = IsEmptyTree(*root);
    if (const auto old = out_.find(name); old != out_.end()) {
      if (empty && !IsEmptyTree(*old->second->root)) return {};
      if (!empty && defined_.contains(name)) {
        return FailAt(position, "multiple definition of template " + Quote(name));
      }
    }
    if (!empty) defined_.insert(name);
    out_[name] = std::make_shared<const NamedTemplate>(NamedTemplate{source_, std::move(root)});
    return {};
  }

  // Text and actions up to {{end}}, {{else or, at the top, the end of the text. Behind `{{else` the
  // rest of that action is still to be read.
  Result<ParsedList> ParseList(bool top) {
    const Depth depth(depth_);
    if (depth_ > kMaxDepth) return Fail("nested too deep");
    ParsedList parsed{MakeNode(NodeKind::kList, token_), ListEnd::kEof};
    while (token_.kind != TokenKind::kEnd) {
      if (token_.kind == TokenKind::kText) {
        NodePtr text = MakeNode(NodeKind::kText, token_);
        text->text = token_.text;
        parsed.list->children.push_back(std::move(text));
        Advance();
        continue;
      }
      if (token_.kind != TokenKind::kLeftDelim) return Unexpected("input");
      Advance();
      SkipSpace();
      if (IsKeyword("end") || IsKeyword("else")) {
        if (top) return Fail("unexpected {{" + std::string(token_.text) + "}}");
        parsed.end = IsKeyword("end") ? ListEnd::kEnd : ListEnd::kElse;
        Advance();
        if (parsed.end == ListEnd::kEnd) RETURN_IF_ERROR(ExpectRightDelim("end"));
        return parsed;
      }
      RETURN_IF_ERROR(ParseAction(*parsed.list, top));
    }
    if (!top) return Fail("unexpected EOF");
    return parsed;
  }

  Status ExpectRightDelim(std::string_view context) {
    SkipSpace();
    if (token_.kind != TokenKind::kRightDelim) return Unexpected(context);
    Advance();
    return {};
  }

  Status Append(Node& list, Result<NodePtr> node) {
    if (!node) return node.error();
    if (*node) list.children.push_back(std::move(*node));
    return {};
  }

  // What follows "{{".
  Status ParseAction(Node& list, bool top) {
    if (IsKeyword("if")) return Append(list, ParseControl(NodeKind::kIf, "if"));
    if (IsKeyword("with")) return Append(list, ParseControl(NodeKind::kWith, "with"));
    if (IsKeyword("range")) return Append(list, ParseControl(NodeKind::kRange, "range"));
    if (IsKeyword("template")) return Append(list, ParseTemplateCall());
    if (IsKeyword("block")) return Append(list, ParseBlock());
    if (IsKeyword("break")) return Append(list, ParseJump(NodeKind::kBreak));
    if (IsKeyword("continue")) return Append(list, ParseJump(NodeKind::kContinue));
    if (IsKeyword("define")) {
      if (!top) return Unexpected("command");
      return ParseDefine();
    }
    NodePtr action = MakeNode(NodeKind::kAction, token_);
    Result<NodePtr> pipe = ParsePipe("command", TokenKind::kRightDelim);
    if (!pipe) return pipe.error();
    action->pipe = std::move(*pipe);
    list.children.push_back(std::move(action));
    return {};
  }

  Result<NodePtr> ParseJump(NodeKind kind) {
    const std::string word(token_.text);
    if (ranges_ == 0) return Fail("{{" + word + "}} outside {{range}}");
    NodePtr node = MakeNode(kind, token_);
    Advance();
    RETURN_IF_ERROR(ExpectRightDelim("{{" + word + "}}"));
    return node;
  }

  Result<NodePtr> ParseControl(NodeKind kind, const std::string& word) {
    const std::size_t scope = variables_.size();
    NodePtr node = MakeNode(kind, token_);
    Advance();
    Result<NodePtr> pipe = ParsePipe(word, TokenKind::kRightDelim);
    if (!pipe) return pipe.error();
    node->pipe = std::move(*pipe);
    if (kind == NodeKind::kRange) ++ranges_;
    Result<ParsedList> body = ParseList(/*top=*/false);
    if (kind == NodeKind::kRange) --ranges_;
    if (!body) return body.error();
    node->body = std::move(body->list);
    if (body->end == ListEnd::kElse) RETURN_IF_ERROR(ParseElse(*node, kind, word));
    variables_.resize(scope);
    return node;
  }

  // Behind "{{else": "}}", or "if ..." and "with ..." which then end with the same {{end}}.
  Status ParseElse(Node& node, NodeKind kind, const std::string& word) {
    SkipSpace();
    if ((kind == NodeKind::kIf && IsKeyword("if")) ||
        (kind == NodeKind::kWith && IsKeyword("with"))) {
      const Depth depth(depth_);
      if (depth_ > kMaxDepth) return Fail("nested too deep");
      node.otherwise = MakeNode(NodeKind::kList, token_);
      return Append(*node.otherwise, ParseControl(kind, word));
    }
    RETURN_IF_ERROR(ExpectRightDelim("else"));
    Result<ParsedList> otherwise = ParseList(/*top=*/false);
    if (!otherwise) return otherwise.error();
    if (otherwise->end == ListEnd::kElse) return Fail("expected end; found {{else}}");
    node.otherwise = std::move(otherwise->list);
    return {};
  }

  Result<std::string> ParseName(std::string_view context) {
    SkipSpace();
    if (token_.kind != TokenKind::kString) return Unexpected(context);
    Result<std::string> name = Unquote(token_);
    Advance();
    return name;
  }

  Result<NodePtr> ParseTemplateCall() {
    NodePtr node = MakeNode(NodeKind::kTemplate, token_);
    Advance();
    SkipSpace();
    node->position = token_.position;
    Result<std::string> name = ParseName("template clause");
    if (!name) return name.error();
    node->text = std::move(*name);
    SkipSpace();
    if (token_.kind == TokenKind::kRightDelim) {
      Advance();
      return node;
    }
    Result<NodePtr> pipe = ParsePipe("template clause", TokenKind::kRightDelim);
    if (!pipe) return pipe.error();
    node->pipe = std::move(*pipe);
    return node;
  }

  // Body of a template of its own: it sees none of the variables around it.
  Status ParseBody(const std::string& name, std::size_t position) {
    std::vector<std::string> outer = std::exchange(variables_, {"$"});
    const int ranges = std::exchange(ranges_, 0);
    Result<ParsedList> body = ParseList(/*top=*/false);
    variables_ = std::move(outer);
    ranges_ = ranges;
    if (!body) return body.error();
    if (body->end == ListEnd::kElse)
      return FailAt(position, "unexpected {{else}} in define clause");
    return Add(name, std::move(body->list), position);
  }

  Status ParseDefine() {
    const std::size_t position = token_.position;
    Advance();
    Result<std::string> name = ParseName("define clause");
    if (!name) return name.error();
    RETURN_IF_ERROR(ExpectRightDelim("define clause"));
    return ParseBody(*name, position);
  }

  Result<NodePtr> ParseBlock() {
    NodePtr node = MakeNode(NodeKind::kTemplate, token_);
    Advance();
    Result<std::string> name = ParseName("block clause");
    if (!name) return name.error();
    node->text = *name;
    Result<NodePtr> pipe = ParsePipe("block clause", TokenKind::kRightDelim);
    if (!pipe) return pipe.error();
    node->pipe = std::move(*pipe);
    RETURN_IF_ERROR(ParseBody(*name, node->position));
    return node;
  }

  // [declarations] command {"|" command} up to `end`, which is read.
  Result<NodePtr> ParsePipe(std::string_view context, TokenKind end) {
    const Depth depth(depth_);
    if (depth_ > kMaxDepth) return Fail("nested too deep");
    SkipSpace();
    NodePtr pipe = MakeNode(NodeKind::kPipe, token_);
    Result<NodePtr> first = ParseDeclarations(*pipe, context);
    if (!first) return first.error();
    if (token_.kind == TokenKind::kSpace) spaced_ = true;
    while (true) {
      SkipSpace();
      if (!*first && token_.kind == end) break;
      Result<NodePtr> command = ParseCommand(context, std::move(*first), end);
      first = NodePtr();
      if (!command) return command.error();
      pipe->children.push_back(std::move(*command));
      if (token_.kind == TokenKind::kPipe) {
        Advance();
        SkipSpace();
        if (token_.kind == end) break;  // Go allows `{{ . | }}`
        continue;
      }
      break;
    }
    if (token_.kind != end) return Unexpected(context);
    RETURN_IF_ERROR(CheckPipe(*pipe, context));
    Advance();
    return pipe;
  }

  Status CheckPipe(const Node& pipe, std::string_view context) const {
    if (pipe.children.empty()) {
      return FailAt(token_.position, "missing value for " + std::string(context));
    }
    for (std::size_t i = 1; i < pipe.children.size(); ++i) {
      const NodeKind kind = pipe.children[i]->children.front()->kind;
      if (kind == NodeKind::kDot || kind == NodeKind::kNil || kind == NodeKind::kConstant) {
        return FailAt(pipe.children[i]->position,
                      "non executable command in pipeline stage " + std::to_string(i + 1));
      }
    }
    return {};
  }

  // "$x :=", "$x =" and, of range, "$i, $x :=". Where what was read was no declaration, the operand
  // that begins the first command.
  Result<NodePtr> ParseDeclarations(Node& pipe, std::string_view context) {
    if (token_.kind != TokenKind::kVariable) return NodePtr();
    const Token variable = token_;
    Advance();
    const bool space = token_.kind == TokenKind::kSpace;
    SkipSpace();
    if (token_.kind == TokenKind::kDeclare || token_.kind == TokenKind::kAssign) {
      pipe.assign = token_.kind == TokenKind::kAssign;
      Advance();
      RETURN_IF_ERROR(Declare(pipe, variable));
      return NodePtr();
    }
    if (token_.kind == TokenKind::kComma && context == "range" && pipe.names.empty()) {
      Advance();
      SkipSpace();
      const Token second = token_;
      if (second.kind != TokenKind::kVariable) {
        return Fail("range can only initialize variables");
      }
      Advance();
      SkipSpace();
      if (token_.kind == TokenKind::kComma) return Fail("too many declarations in range");
      if (token_.kind != TokenKind::kDeclare && token_.kind != TokenKind::kAssign) {
        return Unexpected("range");
      }
      pipe.assign = token_.kind == TokenKind::kAssign;
      Advance();
      RETURN_IF_ERROR(Declare(pipe, variable));
      RETURN_IF_ERROR(Declare(pipe, second));
      return NodePtr();
    }
    Result<NodePtr> operand = UseVariable(variable);
    if (!operand) return operand.error();
    spaced_ = space;
    return WithFields(std::move(*operand), space);
  }

  Status Declare(Node& pipe, const Token& variable) {
    if (pipe.assign) {
      Result<NodePtr> known = UseVariable(variable);
      if (!known) return known.error();
    } else {
      variables_.emplace_back(variable.text);
    }
    pipe.names.emplace_back(variable.text);
    return {};
  }

  Result<NodePtr> UseVariable(const Token& variable) {
    if (std::find(variables_.begin(), variables_.end(), variable.text) == variables_.end()) {
      return FailAt(variable.position, "undefined variable " + Quote(variable.text));
    }
    NodePtr node = MakeNode(NodeKind::kVariable, variable);
    node->names.emplace_back(variable.text);
    return node;
  }

  // Operands up to "|", ")" or "}}", which are not read. `first` may be read already.
  Result<NodePtr> ParseCommand(std::string_view context, NodePtr first, TokenKind end) {
    NodePtr command = MakeNode(NodeKind::kCommand, token_);
    bool spaced = true;
    if (first) {
      command->position = first->position;
      command->children.push_back(std::move(first));
      spaced = spaced_;
    }
    while (true) {
      if (token_.kind == TokenKind::kSpace) {
        SkipSpace();
        spaced = true;
      }
      if (token_.kind == end || token_.kind == TokenKind::kPipe) break;
      if (!spaced) return Unexpected("operand");
      Result<NodePtr> operand = ParseOperand(context);
      if (!operand) return operand.error();
      command->children.push_back(std::move(*operand));
      spaced = false;
    }
    if (command->children.empty()) return Fail("missing value for " + std::string(context));
    return command;
  }

  Result<NodePtr> ParseOperand(std::string_view context) {
    Result<NodePtr> term = ParseTerm(context);
    if (!term) return term.error();
    return WithFields(std::move(*term), /*spaced=*/false);
  }

  // ".a.b" right behind a term.
  Result<NodePtr> WithFields(NodePtr term, bool spaced) {
    if (spaced || token_.kind != TokenKind::kField) return term;
    const std::size_t position = token_.position;
    const bool merge = term->kind == NodeKind::kField || term->kind == NodeKind::kVariable;
    if (term->kind == NodeKind::kConstant || term->kind == NodeKind::kNil ||
        term->kind == NodeKind::kDot) {
      return Fail("unexpected . after term " + Quote(ToString(*term)));
    }
    if (!merge) {
      NodePtr chain = MakeNode(NodeKind::kChain, token_);
      chain->children.push_back(std::move(term));
      term = std::move(chain);
    }
    term->position = position;  // as Go: messages point at the first field behind the term
    for (; token_.kind == TokenKind::kField; Advance()) {
      term->names.emplace_back(token_.text.substr(1));
    }
    return term;
  }

  Result<NodePtr> ParseTerm(std::string_view context) {
    const Token token = token_;
    switch (token.kind) {
      case TokenKind::kIdentifier:
        Advance();
        return Word(token);
      case TokenKind::kDot:
        Advance();
        return MakeNode(NodeKind::kDot, token);
      case TokenKind::kVariable:
        Advance();
        return UseVariable(token);
      case TokenKind::kField: {
        Advance();
        NodePtr node = MakeNode(NodeKind::kField, token);
        node->names.emplace_back(token.text.substr(1));
        return node;
      }
      case TokenKind::kNumber:
        Advance();
        return Number(token);
      case TokenKind::kString: {
        Advance();
        Result<std::string> text = Unquote(token);
        if (!text) return text.error();
        return Constant(token, Value(std::move(*text)));
      }
      case TokenKind::kLeftParen:
        Advance();
        return ParsePipe("parenthesized pipeline", TokenKind::kRightParen);
      default:
        break;
    }
    if (!IsKeyword("nil")) return Unexpected(context == "command" ? "operand" : context);
    Advance();
    return MakeNode(NodeKind::kNil, token);
  }

  NodePtr Constant(const Token& token, Value value) {
    NodePtr node = MakeNode(NodeKind::kConstant, token);
    node->text = token.text;
    node->constant = std::move(value);
    return node;
  }

  Result<NodePtr> Word(const Token& token) {
    if (token.text == "true" || token.text == "false") {
      return Constant(token, Value(token.text == "true"));
    }
    const auto function = functions_.find(token.text);
    if (function == functions_.end()) {
      return FailAt(token.position, "function " + Quote(token.text) + " not defined");
    }
    NodePtr node = MakeNode(NodeKind::kFunction, token);
    node->text = token.text;
    node->function = function->second;
    return node;
  }

  Result<NodePtr> Number(const Token& token) {
    if (std::optional<Value> value = NumberOf(token.text))
      return Constant(token, std::move(*value));
    return FailAt(token.position, "bad number syntax: " + Quote(token.text));
  }

  static std::optional<Value> NumberOf(std::string_view text) {
    if (text.front() == '\'') return CharOf(text);
    std::string digits(text);
    const bool hex = digits.find_first_of("xX") != std::string::npos;
    std::erase(digits, '_');
    if (digits.starts_with('+')) digits.erase(0, 1);
    if (std::optional<Value> integer = IntegerOf(digits)) return integer;
    const bool floats = digits.find_first_of(hex ? ".pP" : ".eE") != std::string::npos;
    const bool words = !hex && digits.find_first_not_of("0123456789.eE+-") != std::string::npos;
    if (!floats || words) return std::nullopt;
    if (const auto number = ParseDouble(digits)) return Value(*number);
    return std::nullopt;
  }

  static std::optional<Value> IntegerOf(std::string_view digits) {
    const bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    int base = 10;
    if (digits.size() > 1 && digits[0] == '0') {
      const char mark = static_cast<char>(digits[1] | 0x20);
      base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
      digits.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
    }
    if (digits.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
      const int digit = c >= '0' && c <= '9' ? c - '0'
                        : (c | 0x20) >= 'a'  ? (c | 0x20) - 'a' + 10
                                             : 99;
      if (digit >= base) return std::nullopt;
      if (value > (std::uint64_t{1} << 63) / static_cast<unsigned>(base)) return std::nullopt;
      value = value * static_cast<unsigned>(base) + static_cast<unsigned>(digit);
    }
    if (value > (std::uint64_t{1} << 63) - (negative ? 0 : 1)) return std::nullopt;
    return Value(static_cast<std::int64_t>(negative ? 0 - value : value));
  }

  static std::optional<Value> CharOf(std::string_view text) {
    const Result<std::string> inside = Unescape(text.substr(1, text.size() - 2));
    if (!inside || inside->empty()) return std::nullopt;
    const Rune rune = DecodeRune(*inside);
    if (rune.size != inside->size()) return std::nullopt;
    return Value(static_cast<std::int64_t>(rune.code));
  }

  Result<std::string> Unquote(const Token& token) const {
    const std::string_view inside = token.text.substr(1, token.text.size() - 2);
    if (token.text.front() == '`') return std::string(inside);
    Result<std::string> text = Unescape(inside);
    if (!text) return FailAt(token.position, "invalid syntax in string " + std::string(token.text));
    return text;
  }

  std::shared_ptr<const Source> source_;
  const FunctionTable& functions_;
  TemplateMap& out_;
  Lexer lexer_;
  Token token_;
  std::vector<std::string> variables_ = {"$"};
  std::set<std::string> defined_;
  int ranges_ = 0;
  int depth_ = 0;
  bool spaced_ = false;  // space stood behind the variable that ParseDeclarations handed out
};

void AppendNames(std::string& out, const std::vector<std::string>& names, std::size_t from) {
  for (std::size_t i = from; i < names.size(); ++i) out += "." + names[i];
}

std::string PipeToString(const Node& pipe) {
  std::string out;
  for (std::size_t i = 0; i < pipe.names.size(); ++i) {
    out += (i > 0 ? ", " : "") + pipe.names[i];
  }
  if (!pipe.names.empty()) out += pipe.assign ? " = " : " := ";
  for (std::size_t i = 0; i < pipe.children.size(); ++i) {
    out += (i > 0 ? " | " : "") + ToString(*pipe.children[i]);
  }
  return out;
}

std::string CommandToString(const Node& command) {
  std::string out;
  for (const NodePtr& operand : command.children) {
    if (!out.empty()) out += ' ';
    const bool pipe = operand->kind == NodeKind::kPipe;
    out += pipe ? "(" + ToString(*operand) + ")" : ToString(*operand);
  }
  return out;
}

}  // namespace

std::string Source::Place(std::size_t position, std::size_t first_column) const {
  position = std::min(position, text.size());
  const std::string_view before = std::string_view(text).substr(0, position);
  const auto newlines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  std::size_t column = position - line_start;
  // Parse errors count from the user's first byte.
  if (first_column == 1 && line_start == 0) column -= std::min(column, prelude_size);
  return name + ":" + std::to_string(newlines + 1) + ":" + std::to_string(column + first_column);
}

std::string ToString(const Node& node) {
  switch (node.kind) {
    case NodeKind::kText:
    case NodeKind::kFunction:
    case NodeKind::kConstant:
      return node.text;
    case NodeKind::kAction:
      return "{{" + ToString(*node.pipe) + "}}";
    case NodeKind::kIf:
      return "{{if " + ToString(*node.pipe) + "}}";
    case NodeKind::kWith:
      return "{{with " + ToString(*node.pipe) + "}}";
    case NodeKind::kRange:
      return "{{range " + ToString(*node.pipe) + "}}";
    case NodeKind::kTemplate:
      return "{{template " + Quote(node.text) + (node.pipe ? " " + ToString(*node.pipe) : "") +
             "}}";
    case NodeKind::kBreak:
      return "{{break}}";
    case NodeKind::kContinue:
      return "{{continue}}";
    case NodeKind::kList: {
      std::string out;
      for (const NodePtr& child : node.children) out += ToString(*child);
      return out;
    }
    case NodeKind::kPipe:
      return PipeToString(node);
    case NodeKind::kCommand:
      return CommandToString(node);
    case NodeKind::kDot:
      return ".";
    case NodeKind::kNil:
      return "nil";
    case NodeKind::kField: {
      std::string out;
      AppendNames(out, node.names, 0);
      return out;
    }
    case NodeKind::kVariable: {
      std::string out = node.names.front();
      AppendNames(out, node.names, 1);
      return out;
    }
    case NodeKind::kChain: {
      const Node& inner = *node.children.front();
      std::string out =
          inner.kind == NodeKind::kPipe ? "(" + ToString(inner) + ")" : ToString(inner);
      AppendNames(out, node.names, 0);
      return out;
    }
  }
  return "";
}

Status ParseInto(std::shared_ptr<const Source> source, const FunctionTable& functions,
                 TemplateMap& templates) {
  return Parser(std::move(source), functions, templates).Run();
}

}  // namespace skep::templates
