#include "evaluator/template/executor.h"

#include <optional>
#include <utility>

#include "common/base/quote.h"
#include "evaluator/template/format.h"
#include "evaluator/template/methods.h"

namespace skep::templates {
namespace {

enum class Flow : std::uint8_t { kNext, kBreak, kContinue };

// The value that a pipeline hands to its next command: absent for the first one.
using Piped = const Value*;

// One run of one template; templates it calls get executors of their own.
class Executor {
 public:
  struct Shared {
    const TemplateMap& templates;
    const Context* context;
    const Limits& limits;
    std::string out;
    std::size_t iterations = 0;
    std::size_t nesting = 0;
  };

  Executor(Shared& shared, const NamedTemplate& tmpl, std::string_view name, const Value& data,
           std::size_t depth)
      : shared_(shared), template_(tmpl), name_(name), depth_(depth) {
    variables_.emplace_back("$", data);
  }

  Result<Flow> WalkList(const Node& list, const Value& dot) {
    const Nesting nesting(shared_);
    if (nesting.TooDeep()) return Fail(list, "nested too deep");
    for (const auto& child : list.children) {
      Result<Flow> flow = Walk(*child, dot);
      if (!flow || *flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

 private:
  // Counts what is on the stack while it lives: our own stack is what ends otherwise.
  struct Nesting {
    explicit Nesting(Shared& s) : shared(s) { ++shared.nesting; }
    ~Nesting() { --shared.nesting; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool TooDeep() const { return shared.nesting > shared.limits.max_nesting; }
    Shared& shared;
  };

  Error Fail(const Node& at, const std::string& message) const {
    return Invalid("template: " + template_.source->Place(at.position, 0) + ": executing " +
                   Quote(name_) + " at <" + ToString(at) + ">: " + message);
  }

  Error TooLong(const Node& at) const {
    return Fail(
        at, "output is longer than " + std::to_string(shared_.limits.max_output_bytes) + " bytes");
  }
  Status CheckSize(const Node& at, const Value& text) const {
    if (text.AsString().size() > shared_.limits.max_output_bytes) return TooLong(at);
    return {};
  }

  Status Write(const Node& at, std::string_view text) {
    if (text.size() > shared_.limits.max_output_bytes - shared_.out.size()) return TooLong(at);
    shared_.out += text;
    return {};
  }

  Result<Flow> Walk(const Node& node, const Value& dot) {
    switch (node.kind) {
      case NodeKind::kText:
        RETURN_IF_ERROR(Write(node, node.text));
        return Flow::kNext;
      case NodeKind::kAction: {
        Result<Value> value = Pipe(*node.pipe, dot);
        if (!value) return value.error();
        if (node.pipe->names.empty()) RETURN_IF_ERROR(Print(node, *value));
        return Flow::kNext;
      }
      case NodeKind::kIf:
      case NodeKind::kWith:
        return Branch(node, dot);
      case NodeKind::kRange:
        return Range(node, dot);
      case NodeKind::kTemplate:
        return CallTemplate(node, dot);
      case NodeKind::kBreak:
        return Flow::kBreak;
      case NodeKind::kContinue:
        return Flow::kContinue;
      case NodeKind::kList:
        return WalkList(node, dot);
      case NodeKind::kPipe:
      case NodeKind::kCommand:
      case NodeKind::kField:
      case NodeKind::kVariable:
      case NodeKind::kChain:
      case NodeKind::kFunction:
      case NodeKind::kDot:
      case NodeKind::kNil:
      case NodeKind::kConstant:
        break;  // stand in actions only
    }
    return Fail(node, "unknown node");
  }

  Status Print(const Node& node, const Value& value) {
    if (value.IsNil()) return Write(node, "<no value>");
    if (value.kind() == Value::Kind::kString) return Write(node, value.AsString());
    return Write(node, FormatValue(value));
  }

  Result<Flow> Branch(const Node& node, const Value& dot) {
    const std::size_t scope = variables_.size();
    Result<Value> value = Pipe(*node.pipe, dot);
    if (!value) return value.error();
    Result<Flow> flow = Flow::kNext;
    if (value->Truth()) {
      flow = WalkList(*node.body, node.kind == NodeKind::kWith ? *value : dot);
    } else if (node.otherwise) {
      flow = WalkList(*node.otherwise, dot);
    }
    variables_.resize(scope);
    return flow;
  }

  Result<Flow> Range(const Node& node, const Value& dot) {
    const std::size_t scope = variables_.size();
    Result<Value> over = Pipe(*node.pipe, dot);
    if (!over) return over.error();
    std::size_t passes = 0;
    Result<Flow> flow = RangeOver(node, *over, passes);
    if (flow && passes == 0 && node.otherwise) {
      variables_.resize(scope);
      flow = WalkList(*node.otherwise, dot);
    } else if (flow) {
      flow = Flow::kNext;  // break and continue are spent here
    }
    variables_.resize(scope);
    return flow;
  }

  Result<Flow> RangeOver(const Node& node, const Value& over, std::size_t& passes) {
    using Kind = Value::Kind;
    Result<Flow> flow = Flow::kNext;
    const auto pass = [&](Value index, const Value& element) {
      ++passes;
      flow = Pass(node, std::move(index), element);
      return flow && *flow != Flow::kBreak;
    };
    if (over.kind() == Kind::kList) {
      std::int64_t index = 0;
      for (const Value& element : over.AsList()) {
        if (!pass(Value(index++), element)) break;
      }
    } else if (over.kind() == Kind::kMap && over.map_kind() != MapKind::kStruct) {
      for (const auto& [key, element] : over.AsMap()) {
        if (!pass(Value(key), element)) break;
      }
    } else if (over.kind() == Kind::kInt && node.pipe->names.size() < 2) {
      for (std::int64_t i = 0; i < over.AsInt(); ++i) {
        if (!pass(Value(i), Value(i))) break;
      }
    } else if (over.kind() == Kind::kInt) {
      return Fail(*node.pipe, "range over int permits only one iteration variable");
    } else if (!over.IsNil()) {
      return Fail(*node.pipe, "range can't iterate over " + FormatValue(over));
    }
    return flow;
  }

  Result<Flow> Pass(const Node& node, Value index, const Value& element) {
    if (++shared_.iterations > shared_.limits.max_iterations) {
      return Fail(
          node, "more than " + std::to_string(shared_.limits.max_iterations) + " passes of range");
    }
    const auto& names = node.pipe->names;
    const std::size_t scope = variables_.size();
    // Declared variables stand on top of the stack since the pipeline was evaluated.
    if (names.size() == 1) SetVariable(node, 0, element);
    if (names.size() == 2) {
      SetVariable(node, 0, std::move(index));
      SetVariable(node, 1, element);
    }
    Result<Flow> flow = WalkList(*node.body, element);
    variables_.resize(scope);
    return flow;
  }

  void SetVariable(const Node& range, std::size_t which, Value value) {
    const auto& names = range.pipe->names;
    for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
      if (variable->first != names[which]) continue;
      variable->second = std::move(value);
      return;
    }
  }

  Result<Flow> CallTemplate(const Node& node, const Value& dot) {
    Value data;
    if (node.pipe) {
      Result<Value> value = Pipe(*node.pipe, dot);
      if (!value) return value.error();
      data = std::move(*value);
      if (!node.pipe->names.empty()) variables_.pop_back();
    }
    RETURN_IF_ERROR(RunTemplate(node, node.text, data));
    return Flow::kNext;
  }

  Status RunTemplate(const Node& at, std::string_view name, const Value& data) {
    const auto found = shared_.templates.find(name);
    if (found == shared_.templates.end()) {
      return Fail(at, "template " + Quote(name) + " not defined");
    }
    if (depth_ + 1 >= shared_.limits.max_depth) {
      return Fail(
          at, "exceeded maximum template depth (" + std::to_string(shared_.limits.max_depth) + ")");
    }
    Executor callee(shared_, *found->second, found->first, data, depth_ + 1);
    Result<Flow> flow = callee.WalkList(*found->second->root, data);
    return flow ? Status() : Status(flow.error());
  }

  // `tmpl NAME DATA`: as `template`, but the name may be computed and the text is a value.
  Result<Value> TextOfTemplate(const Node& call, std::span<const Value> arguments) {
    if (arguments[0].kind() != Value::Kind::kString) {
      return Fail(call, "wrong type for value; expected string; got " +
                            std::string(arguments[0].TypeName()));
    }
    std::string before = std::exchange(shared_.out, std::string());
    const Status run = RunTemplate(call, arguments[0].AsString(), arguments[1]);
    std::string text = std::exchange(shared_.out, std::move(before));
    if (!run) return run.error();
    return Value(std::move(text));
  }

  Result<Value> Pipe(const Node& pipe, const Value& dot) {
    const Nesting nesting(shared_);
    if (nesting.TooDeep()) return Fail(pipe, "nested too deep");
    Value value;
    Piped piped = nullptr;
    for (const auto& command : pipe.children) {
      Result<Value> next = Command(*command, dot, piped);
      if (!next) return next;
      value = std::move(*next);
      piped = &value;
    }
    for (const std::string& name : pipe.names) {
      if (pipe.assign) {
        RETURN_IF_ERROR(Assign(pipe, name, value));
      } else {
        variables_.emplace_back(name, value);
      }
    }
    return value;
  }

  Status Assign(const Node& at, const std::string& name, const Value& value) {
    for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
      if (variable->first != name) continue;
      variable->second = value;
      return {};
    }
    return Fail(at, "undefined variable: " + name);
  }

  Result<Value> Command(const Node& command, const Value& dot, Piped piped) {
    const Node& first = *command.children.front();
    const std::span<const std::unique_ptr<Node>> arguments(command.children.data() + 1,
                                                           command.children.size() - 1);
    switch (first.kind) {
      case NodeKind::kField:
        return FieldChain(dot, dot, first, first.names, 0, arguments, piped);
      case NodeKind::kChain: {
        Result<Value> inner = Operand(*first.children.front(), dot);
        if (!inner) return inner;
        return FieldChain(dot, *inner, first, first.names, 0, arguments, piped);
      }
      case NodeKind::kVariable: {
        Result<Value> value = Variable(first);
        if (!value) return value;
        if (first.names.size() > 1) {
          return FieldChain(dot, *value, first, first.names, 1, arguments, piped);
        }
        RETURN_IF_ERROR(NoArguments(first, arguments, piped));
        return value;
      }
      case NodeKind::kFunction:
        return CallFunction(command, first, dot, arguments, piped);
      case NodeKind::kNil:
        return Fail(first, "nil is not a command");
      case NodeKind::kPipe:
      case NodeKind::kDot:
      case NodeKind::kConstant:
        break;
      case NodeKind::kText:
      case NodeKind::kAction:
      case NodeKind::kIf:
      case NodeKind::kWith:
      case NodeKind::kRange:
      case NodeKind::kTemplate:
      case NodeKind::kBreak:
      case NodeKind::kContinue:
      case NodeKind::kList:
      case NodeKind::kCommand:
        return Fail(first, "can't evaluate " + ToString(first));
    }
    RETURN_IF_ERROR(NoArguments(first, arguments, piped));
    return Operand(first, dot);
  }

  Status NoArguments(const Node& node, std::span<const std::unique_ptr<Node>> arguments,
                     Piped piped) const {
    if (arguments.empty() && piped == nullptr) return {};
    return Fail(node, "can't give argument to non-function " + ToString(node));
  }

  Result<Value> Variable(const Node& node) const {
    for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
      if (variable->first == node.names.front()) return variable->second;
    }
    return Fail(node, "undefined variable: " + node.names.front());
  }

  // A node as an argument, or alone.
  Result<Value> Operand(const Node& node, const Value& dot) {
    switch (node.kind) {
      case NodeKind::kDot:
        return dot;
      case NodeKind::kNil:
        return Value();
      case NodeKind::kConstant:
        return node.constant;
      case NodeKind::kField:
        return FieldChain(dot, dot, node, node.names, 0, {}, nullptr);
      case NodeKind::kVariable: {
        Result<Value> value = Variable(node);
        if (!value || node.names.size() == 1) return value;
        return FieldChain(dot, *value, node, node.names, 1, {}, nullptr);
      }
      case NodeKind::kChain: {
        Result<Value> inner = Operand(*node.children.front(), dot);
        if (!inner) return inner;
        return FieldChain(dot, *inner, node, node.names, 0, {}, nullptr);
      }
      case NodeKind::kPipe:
        return Pipe(node, dot);
      case NodeKind::kFunction:
        return CallFunction(node, node, dot, {}, nullptr);
      case NodeKind::kText:
      case NodeKind::kAction:
      case NodeKind::kIf:
      case NodeKind::kWith:
      case NodeKind::kRange:
      case NodeKind::kTemplate:
      case NodeKind::kBreak:
      case NodeKind::kContinue:
      case NodeKind::kList:
      case NodeKind::kCommand:
        break;  // are no operands
    }
    return Fail(node, "can't evaluate " + ToString(node));
  }

  Result<Value> FieldChain(const Value& dot, Value value, const Node& node,
                           const std::vector<std::string>& names, std::size_t from,
                           std::span<const std::unique_ptr<Node>> arguments, Piped piped) {
    for (std::size_t i = from; i < names.size(); ++i) {
      const bool last = i + 1 == names.size();
      Result<Value> next = last ? Field(dot, value, node, names[i], arguments, piped)
                                : Field(dot, value, node, names[i], {}, nullptr);
      if (!next) return next;
      value = std::move(*next);
    }
    return value;
  }

  Result<Value> Field(const Value& dot, const Value& receiver, const Node& node,
                      const std::string& name, std::span<const std::unique_ptr<Node>> arguments,
                      Piped piped) {
    if (receiver.IsNil()) return Value();
    if (const Methods::Method* method = FindMethod(receiver, name)) {
      Result<std::vector<Value>> values = Arguments(dot, arguments, piped);
      if (!values) return values.error();
      Result<Value> result = (*method)(receiver, *values);
      if (!result) return Fail(node, "error calling " + name + ": " + result.error().message());
      return result;
    }
    if (receiver.kind() == Value::Kind::kMap) {
      const Entries& entries = receiver.AsMap();
      const auto found = entries.find(name);
      const bool absent = found == entries.end();
      if (!absent || receiver.map_kind() != MapKind::kStruct) {
        if (!arguments.empty() || piped != nullptr) {
          return Fail(node, name + " is not a method but has arguments");
        }
        if (!absent) return found->second;
        return receiver.map_kind() == MapKind::kStrings ? Value("") : Value();
      }
    }
    return Fail(node,
                "can't evaluate field " + name + " in type " + std::string(receiver.TypeName()));
  }

  Result<std::vector<Value>> Arguments(const Value& dot,
                                       std::span<const std::unique_ptr<Node>> nodes, Piped piped) {
    std::vector<Value> values;
    values.reserve(nodes.size() + 1);
    for (const auto& node : nodes) {
      Result<Value> value = Operand(*node, dot);
      if (!value) return value.error();
      values.push_back(std::move(*value));
    }
    if (piped != nullptr) values.push_back(*piped);
    return values;
  }

  Result<Value> CallFunction(const Node& call, const Node& name, const Value& dot,
                             std::span<const std::unique_ptr<Node>> arguments, Piped piped) {
    const Function& function = *name.function;
    const std::size_t count = arguments.size() + (piped != nullptr ? 1 : 0);
    if (count < function.min_arguments || count > function.max_arguments) {
      const bool fixed = function.min_arguments == function.max_arguments;
      return Fail(name, "wrong number of args for " + name.text + ": want " +
                            (fixed ? "" : "at least ") + std::to_string(function.min_arguments) +
                            " got " + std::to_string(count));
    }
    if (name.text == "and" || name.text == "or") {
      return ShortCircuit(name.text == "and", dot, arguments, piped);
    }
    Result<std::vector<Value>> values = Arguments(dot, arguments, piped);
    if (!values) return values.error();
    if (function.runs_template) return TextOfTemplate(call, *values);
    Result<Value> result = function.call(shared_.context, *values);
    if (!result) {
      return Fail(call, "error calling " + name.text + ": " + result.error().message());
    }
    // A text that doubles with every assignment would take all memory before it is written.
    if (result->kind() == Value::Kind::kString) RETURN_IF_ERROR(CheckSize(call, *result));
    return result;
  }

  // Operands behind the one that decides are not evaluated.
  Result<Value> ShortCircuit(bool is_and, const Value& dot,
                             std::span<const std::unique_ptr<Node>> arguments, Piped piped) {
    Result<Value> value = Value();
    for (const auto& argument : arguments) {
      value = Operand(*argument, dot);
      if (!value || value->Truth() != is_and) return value;
    }
    if (piped != nullptr) return *piped;
    return value;
  }

  Shared& shared_;
  const NamedTemplate& template_;
  const std::string name_;
  const std::size_t depth_;
  std::vector<std::pair<std::string, Value>> variables_;  // innermost last
};

}  // namespace

Result<std::string> Execute(const TemplateMap& templates, std::string_view name, const Value& data,
                            const Context* context, const Limits& limits) {
  const auto found = templates.find(name);
  if (found == templates.end()) {
    return Invalid("template: " + std::string(name) + ": " + Quote(name) +
                   " is an incomplete or empty template");
  }
  Executor::Shared shared{templates, context, limits, {}, 0};
  Executor executor(shared, *found->second, name, data, 0);
  Result<Flow> flow = executor.WalkList(*found->second->root, data);
  if (!flow) return flow.error();
  return std::move(shared.out);
}

}  // namespace skep::templates
