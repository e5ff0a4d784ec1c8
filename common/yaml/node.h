// YAML as a tree whose nodes know where they stand, with strict reading: whatever the reader did
// not ask for is an error that names file, line and column. The only user of yaml-cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace skep::yaml {

enum class NodeKind : std::uint8_t { kNull, kScalar, kSequence, kMap };

// A cheap handle that shares the document. Immutable, thread-safe.
class Node {
 public:
  // Parses one document. `file` is for messages only. A duplicate key, an anchor bomb (more than
  // 1,000,000 nodes when aliases are followed) or nesting over 100 deep is kInvalid. An empty text
  // is a null node.
  static Result<Node> Parse(std::string_view text, std::string_view file);
  // Parses all documents of a text (`---` between them), none left out: an empty one is a null
  // node, and a text without any is one such. The limits hold for each. The first error is that of
  // the whole.
  static Result<std::vector<Node>> ParseAll(std::string_view text, std::string_view file);

  NodeKind kind() const;
  bool IsNull() const { return kind() == NodeKind::kNull; }
  bool IsScalar() const { return kind() == NodeKind::kScalar; }
  bool IsSequence() const { return kind() == NodeKind::kSequence; }
  bool IsMap() const { return kind() == NodeKind::kMap; }

  const std::string& file() const;
  int line() const;    // from 1
  int column() const;  // from 1

  std::string place() const;  // "FILE:LINE:COLUMN"

  // An error that begins with "FILE:LINE:COLUMN: ".
  Error Complain(std::string_view message) const;

  // The scalar's text as written (quotes and folding resolved); "" for null. Requires: scalar or
  // null.
  const std::string& text() const;
  bool quoted() const;  // '5' and "5" are text, never a number or a boolean

  // Typed reading of a scalar; errors are Complain()s saying what was expected.
  Result<std::string> AsString() const;  // any scalar; null is ""
  Result<bool> AsBool() const;           // true, false (and YAML 1.1's yes, no, y, n, on, off)
  // As Go's reader has them: also "0x10", "0o17", "017", "0b1", "1_000", and "1e3" as an integer.
  Result<std::int64_t> AsInt() const;
  Result<double> AsDouble() const;
  Result<Duration> AsDuration() const;  // Prometheus form, "5m"
  Result<std::uint64_t> AsSizeBytes()
      const;  // "10MB", "1GiB", "512"; units of 1024 as Prometheus has them
  Result<std::vector<std::string>> AsStrings() const;  // a sequence of scalars

  std::vector<Node> items() const;                     // of a sequence, else none
  std::vector<std::pair<Node, Node>> entries() const;  // of a map in file order, else none
  // Child of a map; a null node standing at the map's place where absent.
  Node Get(std::string_view key) const;
  bool Has(std::string_view key) const;

 private:
  struct Document;
  Node(std::shared_ptr<const Document> document, std::uint32_t index)
      : document_(std::move(document)), index_(index) {}

  std::shared_ptr<const Document> document_;
  std::uint32_t index_;
};

// Reads the fields of one map and complains of those nobody asked for.
//
//   MapReader map(node);
//   map.Read("interval", options.interval);          // optional: untouched where absent or null
//   map.Require("name", options.name);               // absent is an error
//   for (const Node& rule : map.Take("rules").items()) ...
//   RETURN_IF_ERROR(map.Finish());                   // first error of the above, or the unknown
//   field
//
// Thread-compatible.
class MapReader {
 public:
  // A null node counts as an empty map; anything else that is no map is an error at Finish.
  explicit MapReader(Node node);

  void Read(std::string_view key, std::string& out);
  void Read(std::string_view key, bool& out);
  void Read(std::string_view key, int& out);
  void Read(std::string_view key, std::int64_t& out);
  void Read(std::string_view key, double& out);
  void Read(std::string_view key, Duration& out);
  void Read(std::string_view key, std::vector<std::string>& out);
  void ReadSizeBytes(std::string_view key, std::uint64_t& out);
  template <typename T>
  void Require(std::string_view key, T& out) {
    if (!node_.Has(key)) Fail(node_.Complain("field " + std::string(key) + " is required"));
    Read(key, out);
  }

  // The child for reading by hand; null where absent. Counts as asked for.
  Node Take(std::string_view key);
  // Asked for, but not read here: another reader takes care of it.
  void Ignore(std::string_view key);

  // Keeps the first error; for checks of the caller's own.
  void Fail(Error error);
  bool failed() const { return error_.has_value(); }

  // The first error; else the first field that was never asked for: "field NAME not found in WHAT".
  Status Finish(std::string_view what = "map");

 private:
  Node node_;
  std::vector<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace skep::yaml
