// Go's predefined functions.
#include <array>
#include <compare>

#include "common/base/html.h"
#include "evaluator/template/format.h"
#include "evaluator/template/template.h"

namespace skep::templates {
namespace {

using Arguments = std::span<const Value>;
using Kind = Value::Kind;

enum class Basic : std::uint8_t { kBool, kInt, kFloat, kString, kNone };

// Go compares a duration as the integer it is.
Basic BasicKind(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool:
      return Basic::kBool;
    case Kind::kInt:
    case Kind::kDuration:
      return Basic::kInt;
    case Kind::kFloat:
      return Basic::kFloat;
    case Kind::kString:
      return Basic::kString;
    case Kind::kNil:
    case Kind::kTime:
    case Kind::kList:
    case Kind::kMap:
      break;
  }
  return Basic::kNone;
}

std::int64_t IntOf(const Value& value) {
  return value.kind() == Kind::kDuration ? value.AsDuration().count() : value.AsInt();
}

Result<bool> Equal(const Value& a, const Value& b) {
  const Basic kind = BasicKind(a);
  if (a.IsNil() || b.IsNil()) return a.IsNil() == b.IsNil();
  if (kind != BasicKind(b)) return Invalid("incompatible types for comparison");
  switch (kind) {
    case Basic::kBool:
      return a.AsBool() == b.AsBool();
    case Basic::kInt:
      return IntOf(a) == IntOf(b);
    case Basic::kFloat:
      return a.AsFloat() == b.AsFloat();
    case Basic::kString:
      return a.AsString() == b.AsString();
    case Basic::kNone:
      if (a.kind() == Kind::kTime && b.kind() == Kind::kTime) return a.AsTime() == b.AsTime();
      break;
  }
  return Invalid("non-comparable types " + FormatValue(a) + ": " + std::string(a.TypeName()) +
                 ", " + FormatValue(b) + ": " + std::string(b.TypeName()));
}

Result<bool> Less(const Value& a, const Value& b) {
  const Basic kind = BasicKind(a);
  if (kind == Basic::kNone || BasicKind(b) == Basic::kNone) {
    return Invalid("invalid type for comparison");
  }
  if (kind != BasicKind(b)) return Invalid("incompatible types for comparison");
  switch (kind) {
    case Basic::kInt:
      return IntOf(a) < IntOf(b);
    case Basic::kFloat:
      return a.AsFloat() < b.AsFloat();
    case Basic::kString:
      return a.AsString() < b.AsString();
    case Basic::kBool:
    case Basic::kNone:
      break;
  }
  return Invalid("invalid type for comparison");
}

Result<bool> LessOrEqual(const Value& a, const Value& b) {
  Result<bool> less = Less(a, b);
  return !less || *less ? less : Equal(a, b);
}

Result<Value> ToValue(const Result<bool>& truth) {
  if (!truth) return truth.error();
  return Value(*truth);
}

// Go turns these round, so a NaN is greater than everything.
Result<Value> ToOpposite(const Result<bool>& truth) {
  if (!truth) return truth.error();
  return Value(!*truth);
}

// eq a b c: whether a is any of the others.
Result<Value> EqualToAny(const Context*, Arguments arguments) {
  if (arguments.size() < 2) return Invalid("missing argument for comparison");
  for (const Value& other : arguments.subspan(1)) {
    Result<bool> equal = Equal(arguments[0], other);
    if (!equal) return equal.error();
    if (*equal) return Value(true);
  }
  return Value(false);
}

Result<Value> Length(const Context*, Arguments arguments) {
  const Value& value = arguments[0];
  switch (value.kind()) {
    case Kind::kString:
      return Value(static_cast<std::int64_t>(value.AsString().size()));
    case Kind::kList:
      return Value(static_cast<std::int64_t>(value.AsList().size()));
    case Kind::kMap:
      if (value.map_kind() != MapKind::kStruct) {
        return Value(static_cast<std::int64_t>(value.AsMap().size()));
      }
      break;
    case Kind::kNil:
      return Invalid("len of nil pointer");
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kTime:
    case Kind::kDuration:
      break;
  }
  return Invalid("len of type " + std::string(value.TypeName()));
}

Result<std::size_t> Position(const Value& index, std::size_t limit) {
  if (index.IsNil()) return Invalid("cannot index slice/array with nil");
  if (index.kind() != Kind::kInt) {
    return Invalid("cannot index slice/array with type " + std::string(index.TypeName()));
  }
  const std::int64_t at = index.AsInt();
  if (at < 0 || static_cast<std::uint64_t>(at) > limit) {
    return Invalid("index out of range: " + std::to_string(at));
  }
  return static_cast<std::size_t>(at);
}

Result<Value> IndexOnce(const Value& value, const Value& index) {
  if (value.kind() == Kind::kMap && value.map_kind() != MapKind::kStruct) {
    if (index.kind() != Kind::kString) {
      return Invalid("value has type " + std::string(index.TypeName()) + "; should be string");
    }
    const auto found = value.AsMap().find(index.AsString());
    if (found != value.AsMap().end()) return found->second;
    return value.map_kind() == MapKind::kStrings ? Value("") : Value();
  }
  if (value.kind() == Kind::kList || value.kind() == Kind::kString) {
    const bool list = value.kind() == Kind::kList;
    const std::size_t size = list ? value.AsList().size() : value.AsString().size();
    Result<std::size_t> at = Position(index, size);
    if (!at) return at.error();
    if (*at == size) return Invalid("index out of range: " + std::to_string(size));
    if (list) return value.AsList()[*at];
    return Value(static_cast<int>(static_cast<unsigned char>(value.AsString()[*at])));
  }
  if (value.IsNil()) return Invalid("index of untyped nil");
  return Invalid("can't index item of type " + std::string(value.TypeName()));
}

Result<Value> Index(const Context*, Arguments arguments) {
  Value value = arguments[0];
  for (const Value& index : arguments.subspan(1)) {
    Result<Value> next = IndexOnce(value, index);
    if (!next) return next;
    value = std::move(*next);
  }
  return value;
}

Result<Value> Slice(const Context*, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.kind() != Kind::kString && value.kind() != Kind::kList) {
    return Invalid(value.IsNil() ? "slice of untyped nil"
                                 : "can't slice item of type " + std::string(value.TypeName()));
  }
  const bool text = value.kind() == Kind::kString;
  if (text && arguments.size() == 4) return Invalid("cannot 3-index slice a string");
  const std::size_t size = text ? value.AsString().size() : value.AsList().size();
  std::array<std::size_t, 3> bounds = {0, size, size};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    Result<std::size_t> at = Position(arguments[i], size);
    if (!at) return at.error();
    bounds[i - 1] = *at;
  }
  const auto [from, to, capacity] = bounds;
  if (from > to) {
    return Invalid("invalid slice index: " + std::to_string(from) + " > " + std::to_string(to));
  }
  if (to > capacity) {
    return Invalid("invalid slice index: " + std::to_string(to) + " > " + std::to_string(capacity));
  }
  if (text) return Value(value.AsString().substr(from, to - from));
  const auto begin = value.AsList().begin();
  return Value::Of(
      List(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to)));
}

// The arguments as one text, as html, js and urlquery take them.
std::string TextOf(Arguments arguments) {
  if (arguments.size() == 1 && arguments[0].IsNil()) return "<no value>";
  return Sprint(arguments);
}

std::string EscapeJs(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\' || c == '\'' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '<' || c == '>' || c == '&' || c == '=' || byte < 0x20) {
      out += Sprintf("\\u%04X", std::array{Value(static_cast<int>(byte))});
    } else {
      out += c;
    }
  }
  return out;
}

std::string EscapeQuery(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Result<Value> Format(const Context*, Arguments arguments) {
  if (arguments[0].kind() != Kind::kString) {
    return Invalid("wrong type for value; expected string; got " +
                   std::string(arguments[0].TypeName()));
  }
  return Value(Sprintf(arguments[0].AsString(), arguments.subspan(1)));
}

FunctionTable MakeBuiltins() {
  FunctionTable table;
  constexpr std::size_t kAny = Function::kAnyNumber;
  const auto add = [&](std::string_view name, std::size_t min, std::size_t max,
                       Function::Call call) {
    table.emplace(name, std::make_shared<const Function>(Function{std::move(call), min, max}));
  };
  // The executor knows `and` and `or` by name, for what it leaves unevaluated.
  const Function::Call last = [](const Context*, Arguments a) -> Result<Value> { return a.back(); };
  add("and", 1, kAny, last);
  add("or", 1, kAny, last);
  add("not", 1, 1,
      [](const Context*, Arguments a) -> Result<Value> { return Value(!a[0].Truth()); });
  add("eq", 1, kAny, EqualToAny);
  add("ne", 2, 2, [](const Context*, Arguments a) { return ToOpposite(Equal(a[0], a[1])); });
  add("lt", 2, 2, [](const Context*, Arguments a) { return ToValue(Less(a[0], a[1])); });
  add("le", 2, 2, [](const Context*, Arguments a) { return ToValue(LessOrEqual(a[0], a[1])); });
  add("gt", 2, 2, [](const Context*, Arguments a) { return ToOpposite(LessOrEqual(a[0], a[1])); });
  add("ge", 2, 2, [](const Context*, Arguments a) { return ToOpposite(Less(a[0], a[1])); });
  add("len", 1, 1, Length);
  add("index", 1, kAny, Index);
  add("slice", 1, 4, Slice);
  add("print", 0, kAny,
      [](const Context*, Arguments a) -> Result<Value> { return Value(Sprint(a)); });
  add("println", 0, kAny,
      [](const Context*, Arguments a) -> Result<Value> { return Value(Sprintln(a)); });
  add("printf", 1, kAny, Format);
  add("html", 0, kAny,
      [](const Context*, Arguments a) -> Result<Value> { return Value(EscapeHtml(TextOf(a))); });
  add("js", 0, kAny,
      [](const Context*, Arguments a) -> Result<Value> { return Value(EscapeJs(TextOf(a))); });
  add("urlquery", 0, kAny,
      [](const Context*, Arguments a) -> Result<Value> { return Value(EscapeQuery(TextOf(a))); });
  // No value of ours is a function.
  add("call", 1, kAny, [](const Context*, Arguments a) -> Result<Value> {
    return Invalid("non-function of type " + std::string(a[0].TypeName()));
  });
  return table;
}

}  // namespace

const FunctionTable& BuiltinFunctions() {
  static const FunctionTable kTable = MakeBuiltins();
  return kTable;
}

}  // namespace skep::templates
