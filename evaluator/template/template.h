// The Go text/template language: parse once, execute many times.
//
//   FunctionTable functions = BuiltinFunctions();
//   Result<Template> hello = Template::Parse("hello", "Hello {{ .Name }}", functions);
//   Result<std::string> text = hello->Execute(data);
//
// Errors are kInvalid and read as Go's, with a column where Go has none:
//   template: NAME:LINE:COLUMN: unexpected "}" in operand
//   template: NAME:LINE:COLUMN: executing "NAME" at <.Foo>: can't evaluate field Foo in type string
// Columns of parse errors count from 1 in bytes; those of execution errors from 0, as Go has them.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "evaluator/template/value.h"

namespace skep::templates {

// What functions may need of the one who executes (a query, the time, a URL). Functions that want
// one cast it to the class that their table's owner passes to Execute.
class Context {
 public:
  virtual ~Context() = default;
};

// A function templates may call. In a pipeline the piped value is the last argument.
struct Function {
  using Call =
      std::function<Result<Value>(const Context* context, std::span<const Value> arguments)>;
  static constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

  Call call;
  std::size_t min_arguments = 0;
  std::size_t max_arguments = kAnyNumber;
  // Runs the template that its first argument names with its second one as `.`; `call` is not used.
  bool runs_template = false;
};
using FunctionTable = std::map<std::string, std::shared_ptr<const Function>, std::less<>>;

// and or not eq ne lt le gt ge len index slice print printf println html js urlquery call.
const FunctionTable& BuiltinFunctions();

// What one execution may take. Reaching a limit is an error of kind kInvalid.
struct Limits {
  std::size_t max_output_bytes = 1 << 20;  // of the whole, and of any text on the way
  std::size_t max_iterations = 1'000'000;  // passes of all `range`s together
  std::size_t max_depth = 100;             // templates within templates
  std::size_t max_nesting = 400;           // blocks and parentheses of all of them together
};

struct Node;
struct NamedTemplate;

// A parsed template with all that `define` and `block` made. Immutable; copies share the tree.
// Thread-safe, as far as the functions called are.
class Template {
 public:
  // Blocks and parentheses nested deeper than 200 are an error.
  // `prelude` is parsed before `text` as if it stood there, but columns of parse errors count from
  // `text`.
  static Result<Template> Parse(std::string_view name, std::string_view text,
                                const FunctionTable& functions, std::string_view prelude = "");
  // Several texts (name, text) as one set: definitions of later ones replace those of earlier ones.
  static Result<Template> ParseSet(std::string_view name,
                                   std::span<const std::pair<std::string, std::string>> texts,
                                   const FunctionTable& functions);
  // This set with another text added, which becomes what Execute runs: for short texts that use
  // the definitions of a set.
  Result<Template> With(std::string_view name, std::string_view text) const;

  // Runs the text; `data` is `.` and `$`. `context` is handed to functions; may be null.
  Result<std::string> Execute(const Value& data, const Context* context = nullptr,
                              const Limits& limits = {}) const;

  // The text has no action but constants: it expands to itself.
  bool literal() const;
  // Whether any action calls the function of that name.
  bool Calls(std::string_view function) const;
  // Whether the set defines that name.
  bool Defines(std::string_view name) const;

 private:
  struct Set;
  explicit Template(std::shared_ptr<const Set> set, std::string name)
      : set_(std::move(set)), name_(std::move(name)) {}

  std::shared_ptr<const Set> set_;
  std::string name_;
};

}  // namespace skep::templates
