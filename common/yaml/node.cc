#include "common/yaml/node.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/base/size.h"
#include "common/yaml/tree.h"

namespace skep::yaml {
namespace {

// Marks the index of a map as "a child of it that is not there".
constexpr std::uint32_t kAbsent = 1U << 31;

std::string_view KindName(NodeKind kind) {
  switch (kind) {
    case NodeKind::kNull:
      return "nothing";
    case NodeKind::kScalar:
      return "a scalar";
    case NodeKind::kSequence:
      return "a sequence";
    case NodeKind::kMap:
      return "a map";
  }
  return "";
}

Error Mismatch(const Node& node, std::string_view expected) {
  const std::string got = node.IsScalar() ? Quote(node.text()) : std::string(KindName(node.kind()));
  return node.Complain("expected " + std::string(expected) + ", got " + got);
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// Go's YAML reader, hence Prometheus, lets underscores stand within numbers.
std::string WithoutUnderscores(std::string_view text) {
  std::string plain;
  if (text.empty() || text[0] == '_') return plain;
  std::copy_if(text.begin(), text.end(), std::back_inserter(plain),
               [](char c) { return c != '_'; });
  return plain;
}

// 16 for "0x", 8 for "0o" and a leading zero, 2 for "0b", which are taken off; else 10.
int TakeBase(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char mark = digits[1];
  const int base = mark == 'x' || mark == 'X'   ? 16
                   : mark == 'o' || mark == 'O' ? 8
                   : mark == 'b' || mark == 'B' ? 2
                                                : 0;
  digits.remove_prefix(base == 0 ? 1 : 2);
  return base == 0 ? 8 : base;
}

std::optional<std::int64_t> ParseBased(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const int base = TakeBase(text);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (number > kMost + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - number : number);
}

// "12", "+12", "0x10", "1_000", and a decimal that comes to a whole number ("1e3", "018").
std::optional<std::int64_t> ParseYamlInt(std::string_view text) {
  const std::string plain = WithoutUnderscores(text);
  if (const std::optional<std::int64_t> number = ParseBased(plain)) return number;
  if (plain.find_first_not_of("0123456789+-.eE") != std::string::npos) return std::nullopt;
  const std::optional<double> number = ParseDouble(plain);
  if (!number || std::trunc(*number) != *number || std::fabs(*number) >= 0x1p63) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

std::optional<double> ParseYamlDouble(std::string_view text) {
  if (IsOneOf(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return INFINITY;
  if (IsOneOf(text, {"-.inf", "-.Inf", "-.INF"})) return -INFINITY;
  if (IsOneOf(text, {".nan", ".NaN", ".NAN"})) return NAN;
  const std::string plain = WithoutUnderscores(text);
  if (const std::optional<std::int64_t> number = ParseBased(plain)) {
    return static_cast<double>(*number);
  }
  // Nor are "Inf", "NaN" and hexadecimal floats numbers for Go's reader.
  if (plain.find_first_not_of("0123456789+-.eE") != std::string::npos) return std::nullopt;
  return ParseDouble(plain);
}

}  // namespace

struct Node::Document {
  Tree tree;

  const Tree::Item& at(std::uint32_t index) const { return tree.items[index & ~kAbsent]; }
};

Result<Node> Node::Parse(std::string_view text, std::string_view file) {
  Result<Tree> tree = ParseTree(text, file);
  if (!tree) return tree.error();
  const std::uint32_t root = tree->root;
  return Node(std::make_shared<const Document>(Document{std::move(*tree)}), root);
}

Result<std::vector<Node>> Node::ParseAll(std::string_view text, std::string_view file) {
  Result<std::vector<Tree>> trees = ParseTrees(text, file);
  if (!trees) return trees.error();
  std::vector<Node> nodes;
  for (Tree& tree : *trees) {
    const std::uint32_t root = tree.root;
    nodes.push_back(Node(std::make_shared<const Document>(Document{std::move(tree)}), root));
  }
  return nodes;
}

NodeKind Node::kind() const {
  return (index_ & kAbsent) != 0 ? NodeKind::kNull : document_->at(index_).kind;
}

const std::string& Node::file() const { return document_->tree.file; }
int Node::line() const { return document_->at(index_).line; }
int Node::column() const { return document_->at(index_).column; }

std::string Node::place() const {
  return file() + ":" + std::to_string(line()) + ":" + std::to_string(column());
}

Error Node::Complain(std::string_view message) const {
  return document_->tree.Complain(line(), column(), message);
}

const std::string& Node::text() const {
  static const std::string kEmpty;
  return IsScalar() ? document_->at(index_).text : kEmpty;
}

bool Node::quoted() const { return IsScalar() && document_->at(index_).quoted; }

Result<std::string> Node::AsString() const {
  if (IsNull() || IsScalar()) return text();
  return Mismatch(*this, "text");
}

Result<bool> Node::AsBool() const {
  if (IsScalar() && !quoted()) {
    if (IsOneOf(text(),
                {"true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"})) {
      return true;
    }
    if (IsOneOf(text(),
                {"false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"})) {
      return false;
    }
  }
  return Mismatch(*this, "true or false");
}

Result<std::int64_t> Node::AsInt() const {
  if (IsScalar() && !quoted()) {
    if (const std::optional<std::int64_t> value = ParseYamlInt(text())) return *value;
  }
  return Mismatch(*this, "an integer");
}

Result<double> Node::AsDouble() const {
  if (IsScalar() && !quoted()) {
    if (const std::optional<double> value = ParseYamlDouble(text())) return *value;
  }
  return Mismatch(*this, "a number");
}

Result<Duration> Node::AsDuration() const {
  if (IsScalar()) {
    Result<Duration> value = ParseDuration(text());
    if (value) return value;
    return Complain(value.error().message());
  }
  return Mismatch(*this, "a duration such as 30s or 1h30m");
}

Result<std::uint64_t> Node::AsSizeBytes() const {
  if (IsScalar()) {
    if (const std::optional<std::uint64_t> value = ParseSizeBytes(text())) return *value;
  }
  return Mismatch(*this, "a size such as 512, 10MB or 1GiB");
}

Result<std::vector<std::string>> Node::AsStrings() const {
  std::vector<std::string> texts;
  if (IsNull()) return texts;
  if (!IsSequence()) return Mismatch(*this, "a sequence of texts");
  for (const Node& item : items()) {
    Result<std::string> text = item.AsString();
    if (!text) return text.error();
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::vector<Node> Node::items() const {
  std::vector<Node> found;
  if (!IsSequence()) return found;
  const Tree::Item& self = document_->at(index_);
  found.reserve(self.count);
  for (std::uint32_t i = 0; i < self.count; ++i) {
    found.push_back(Node(document_, document_->tree.children[self.first + i]));
  }
  return found;
}

std::vector<std::pair<Node, Node>> Node::entries() const {
  std::vector<std::pair<Node, Node>> found;
  if (!IsMap()) return found;
  const Tree::Item& self = document_->at(index_);
  found.reserve(self.count / 2);
  for (std::uint32_t i = self.first; i < self.first + self.count; i += 2) {
    const auto& children = document_->tree.children;
    found.emplace_back(Node(document_, children[i]), Node(document_, children[i + 1]));
  }
  return found;
}

Node Node::Get(std::string_view key) const {
  if (IsMap()) {
    const Tree::Item& self = document_->at(index_);
    for (std::uint32_t i = self.first; i < self.first + self.count; i += 2) {
      const auto& children = document_->tree.children;
      if (document_->at(children[i]).text == key) return Node(document_, children[i + 1]);
    }
  }
  return Node(document_, index_ | kAbsent);
}

bool Node::Has(std::string_view key) const { return IsMap() && (Get(key).index_ & kAbsent) == 0; }

}  // namespace skep::yaml
