// The tree of a parsed template.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "evaluator/template/template.h"
#include "evaluator/template/value.h"

namespace skep::templates {

enum class NodeKind : std::uint8_t {
  // What stands in a text.
  kText,      // text
  kAction,    // pipe
  kIf,        // pipe, body, otherwise (may be null)
  kWith,      // the same
  kRange,     // the same
  kTemplate,  // text: its name; pipe (may be null)
  kBreak,
  kContinue,
  kList,  // children
  // What stands in an action.
  kPipe,      // children: commands; names: variables to declare, or to assign where `assign`
  kCommand,   // children: operands
  kField,     // names: .a.b
  kVariable,  // names: $x.a.b, the first with its $
  kChain,     // children[0] and names: (pipe).a.b
  kFunction,  // text: its name; function
  kDot,
  kNil,
  kConstant,  // constant; text: as written
};

// Immutable once parsed. Owns what is below it.
struct Node {
  NodeKind kind;
  std::size_t position = 0;  // byte in the source
  std::string text;
  std::vector<std::string> names;
  bool assign = false;
  Value constant;
  std::shared_ptr<const Function> function;
  std::vector<std::unique_ptr<Node>> children;
  std::unique_ptr<Node> pipe, body, otherwise;
};

// The text that trees were parsed from, for messages.
struct Source {
  std::string name;
  std::string text;              // prelude included
  std::size_t prelude_size = 0;  // bytes at the front that the user did not write

  // "NAME:LINE:COLUMN", the column counted from `first_column`.
  std::string Place(std::size_t position, std::size_t first_column) const;
};

struct NamedTemplate {
  std::shared_ptr<const Source> source;
  std::unique_ptr<Node> root;  // kList
};
using TemplateMap = std::map<std::string, std::shared_ptr<const NamedTemplate>, std::less<>>;

struct Template::Set {
  TemplateMap templates;
  FunctionTable functions;
};

// The node as template text, as messages quote it.
std::string ToString(const Node& node);

}  // namespace skep::templates
