#include "common/yaml/tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <unordered_map>

#include "common/base/quote.h"

namespace skep::yaml {
namespace {

// Leaves yaml-cpp's recursion; caught in ParseTree.
struct Refusal {
  Error error;
};

struct Position {
  int line = 1;
  int column = 1;
};

Position PositionOf(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// Where byte `at` of `text` stands; columns count code points, as yaml-cpp's do.
Position PositionAt(std::string_view text, std::size_t at) {
  Position position;
  for (std::size_t i = 0; i < at; ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

// Length of the valid UTF-8 sequence at the front of `text`, or 0.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool beyond = lead == 0xf4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

// The first byte that YAML does not allow in a stream: not UTF-8, or a control byte. npos: none.
std::size_t FindForbidden(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    const std::size_t length = control || byte == 0x7f ? 0 : SequenceLength(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

// Builds the tree. Throws Refusal, which unwinds yaml-cpp before it recurses any deeper.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(Tree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    anchors_.clear();
    document_start_ = PositionOf(mark);
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(NewItem(NodeKind::kNull, mark, anchor));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    const Position at = PositionOf(mark);
    if (found == anchors_.end()) Refuse(at, "alias of an unknown anchor");
    const auto is_open = [&](const Open& open) { return open.index == found->second; };
    if (std::any_of(open_.begin(), open_.end(), is_open)) {
      Refuse(at, "alias stands inside of what it names");
    }
    alias_at_ = at;
    Add(found->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const std::uint32_t index = NewItem(NodeKind::kScalar, mark, anchor);
    // "?" is yaml-cpp's tag for a plain scalar, "!" for a quoted or block one.
    tree_.items[index].quoted = tag != "?";
    tree_.items[index].text = value;
    Add(index);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(NodeKind::kSequence, mark, anchor);
  }
  void OnSequenceEnd() override { End(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Begin(NodeKind::kMap, mark, anchor);
  }
  void OnMapEnd() override {
    CheckKeys(open_.back());
    Merge(open_.back());
    End();
  }

  bool has_root() const { return has_root_; }
  Position document_start() const { return document_start_; }
  const Tree::Item& last_root() const { return tree_.items[last_root_]; }

 private:
  // A sequence or map whose end has not come yet.
  struct Open {
    std::uint32_t index;
    std::vector<std::uint32_t> children;
  };

  [[noreturn]] void Refuse(Position at, std::string_view message) const {
    throw Refusal{tree_.Complain(at.line, at.column, message)};
  }
  [[noreturn]] void Refuse(const Tree::Item& at, std::string_view message) const {
    Refuse(Position{at.line, at.column}, message);
  }

  std::uint32_t NewItem(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    const auto index = static_cast<std::uint32_t>(tree_.items.size());
    const Position at = PositionOf(mark);
    if (tree_.items.size() >= kMaxNodes) Refuse(at, "more than 1000000 nodes");
    Tree::Item& item = tree_.items.emplace_back();
    item.kind = kind;
    item.line = at.line;
    item.column = at.column;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = index;
    return index;
  }

  void Begin(NodeKind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= kMaxDepth) Refuse(PositionOf(mark), "nested more than 100 deep");
    const std::uint32_t index = NewItem(kind, mark, anchor);
    open_.push_back({index, {}});
  }

  void End() {
    const Open done = std::move(open_.back());
    open_.pop_back();
    Tree::Item& item = tree_.items[done.index];
    item.first = static_cast<std::uint32_t>(tree_.children.size());
    item.count = static_cast<std::uint32_t>(done.children.size());
    tree_.children.insert(tree_.children.end(), done.children.begin(), done.children.end());
    for (const std::uint32_t child : done.children) {
      item.size += tree_.items[child].size;
      item.height = std::max<std::uint16_t>(
          item.height, static_cast<std::uint16_t>(tree_.items[child].height + 1));
    }
    if (item.size > kMaxNodes || tree_.children.size() > 2 * kMaxNodes) {
      Refuse(item, "more than 1000000 nodes when aliases are followed");
    }
    Add(done.index);
  }

  // A finished node takes its place: below the innermost open one, or as root.
  void Add(std::uint32_t index) {
    if (open_.size() + tree_.items[index].height > kMaxDepth + 1) {
      Refuse(alias_at_, "nested more than 100 deep when aliases are followed");
    }
    if (!open_.empty()) {
      open_.back().children.push_back(index);
      return;
    }
    last_root_ = index;
    if (!has_root_) tree_.root = index;
    has_root_ = true;
  }

  const Tree::Item& item(std::uint32_t index) const { return tree_.items[index]; }

  void CheckKeys(const Open& map) const {
    std::unordered_map<std::string_view, std::uint32_t> seen;
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
      const Tree::Item& key = item(map.children[i]);
      if (key.kind != NodeKind::kScalar) Refuse(key, "expected a scalar as key of a map");
      const auto [first, added] = seen.emplace(key.text, map.children[i]);
      if (added) continue;
      Refuse(key, "key " + Quote(key.text) + " stands already at line " +
                      std::to_string(item(first->second).line));
    }
  }

  // YAML 1.1's `<<: *base`: entries of the named map (or maps, the first wins) that the map itself
  // does not have, as go-yaml does it.
  void Merge(Open& map) const {
    std::vector<std::uint32_t> own;
    std::vector<std::uint32_t> sources;
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2) {
      const Tree::Item& key = item(map.children[i]);
      if (key.text == "<<" && !key.quoted) {
        AddMergeSources(map.children[i + 1], sources);
      } else {
        own.insert(own.end(), {map.children[i], map.children[i + 1]});
      }
    }
    if (own.size() == map.children.size()) return;
    std::unordered_map<std::string_view, bool> present;
    for (std::size_t i = 0; i < own.size(); i += 2) present.emplace(item(own[i]).text, true);
    for (const std::uint32_t source : sources) {
      for (std::uint32_t i = 0; i < item(source).count; i += 2) {
        const std::uint32_t key = tree_.children[item(source).first + i];
        if (!present.emplace(item(key).text, true).second) continue;
        own.insert(own.end(), {key, tree_.children[item(source).first + i + 1]});
      }
    }
    map.children = std::move(own);
  }

  void AddMergeSources(std::uint32_t value, std::vector<std::uint32_t>& sources) const {
    const Tree::Item& node = item(value);
    if (node.kind == NodeKind::kMap) {
      sources.push_back(value);
      return;
    }
    if (node.kind != NodeKind::kSequence) Refuse(node, "expected a map after <<");
    for (std::uint32_t i = 0; i < node.count; ++i) {
      const std::uint32_t child = tree_.children[node.first + i];
      if (item(child).kind != NodeKind::kMap) Refuse(item(child), "expected a map after <<");
      sources.push_back(child);
    }
  }

  Tree& tree_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, std::uint32_t> anchors_;
  Position alias_at_;
  Position document_start_;
  std::uint32_t last_root_ = 0;
  bool has_root_ = false;
};

// `text` with a mark behind its last line. yaml-cpp takes the end of the file for that of a quoted
// text, so that half a file would pass for a whole one; a mark within such a text it refuses.
std::string Marked(std::string_view text) {
  std::string marked(text);
  const std::size_t last = text.find_last_not_of(" \t");
  if (last == std::string_view::npos) return marked;
  if (text.ends_with('\n')) return marked + "...\n";
  return text[last] == '\n' ? marked + "\n...\n" : marked;
}

// yaml-cpp ends a document where it understands no more and would take the rest for another one, so
// anything but an empty further document is refused.
Status ParseInto(Tree& tree, std::string_view text) {
  std::istringstream stream(Marked(text));
  YAML::Parser parser(stream);
  Builder builder(tree);
  parser.HandleNextDocument(builder);
  if (!builder.has_root()) tree.items.emplace_back();
  if (!parser.HandleNextDocument(builder)) return {};
  const Tree::Item& extra = builder.last_root();
  if (extra.kind == NodeKind::kNull && !parser) return {};
  const Position at = builder.document_start();
  return tree.Complain(at.line, at.column, "expected the end of the document");
}

// Whether `at` is where a `---` begins a document. yaml-cpp also begins one where it understands no
// more of the one before.
bool IsDocumentMark(std::string_view text, Position at) {
  for (int line = 1; line < at.line; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return at.column == 1 && text.starts_with("---");
}

// Appends every document to `trees`, at least one.
Status ParseAllInto(std::vector<Tree>& trees, std::string_view text, const Tree& empty) {
  std::istringstream stream(Marked(text));
  YAML::Parser parser(stream);
  while (parser || trees.empty()) {
    Tree tree = empty;
    Builder builder(tree);
    if (!parser.HandleNextDocument(builder) && !trees.empty()) return {};
    const Position at = builder.document_start();
    if (!trees.empty() && !IsDocumentMark(text, at)) {
      return tree.Complain(at.line, at.column, "expected the end of the document or ---");
    }
    if (!builder.has_root()) tree.items.emplace_back();
    trees.push_back(std::move(tree));
  }
  return {};
}

// What a reader of the file understands of yaml-cpp's words.
std::string Worded(const std::string& message) {
  const bool cut =
      message == YAML::ErrorMsg::DOC_IN_SCALAR || message == YAML::ErrorMsg::EOF_IN_SCALAR;
  return cut ? "quoted text has no end" : message;
}

// Checks the bytes, then calls `parse(text)`, whose exceptions become errors.
template <typename Parse>
Status Guarded(std::string_view text, const Tree& tree, Parse parse) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  if (const std::size_t at = FindForbidden(text); at != std::string_view::npos) {
    const Position position = PositionAt(text, at);
    return tree.Complain(position.line, position.column, "control byte or invalid UTF-8");
  }
  try {
    return parse(text);
  } catch (const Refusal& refusal) {
    return refusal.error;
  } catch (const YAML::Exception& problem) {
    const Position at = PositionOf(problem.mark);
    return tree.Complain(at.line, at.column, Worded(problem.msg));
  } catch (const std::exception& problem) {
    return tree.Complain(1, 1, problem.what());
  }
}

}  // namespace

Error Tree::Complain(int line, int column, std::string_view message) const {
  return Invalid(file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                 std::string(message));
}

Result<Tree> ParseTree(std::string_view text, std::string_view file) {
  Tree tree;
  tree.file = file;
  RETURN_IF_ERROR(
      Guarded(text, tree, [&](std::string_view checked) { return ParseInto(tree, checked); }));
  return tree;
}

Result<std::vector<Tree>> ParseTrees(std::string_view text, std::string_view file) {
  std::vector<Tree> trees;
  Tree empty;
  empty.file = file;
  RETURN_IF_ERROR(Guarded(
      text, empty, [&](std::string_view checked) { return ParseAllInto(trees, checked, empty); }));
  return trees;
}

}  // namespace skep::yaml
