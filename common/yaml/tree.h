// The parsed document behind Node: flat arrays, filled from yaml-cpp's events. Private to the
// folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/yaml/node.h"

namespace skep::yaml {

constexpr int kMaxDepth = 100;
constexpr std::uint64_t kMaxNodes = 1'000'000;

// Immutable once parsed. An alias is the index of the node it names, so nodes form a graph without
// cycles.
struct Tree {
  struct Item {
    NodeKind kind = NodeKind::kNull;
    bool quoted = false;
    std::uint16_t height = 1;  // of the tree below, aliases followed
    int line = 1;
    int column = 1;
    std::uint32_t first = 0;  // into `children`
    std::uint32_t count = 0;  // a map has key and value in turn
    std::uint64_t size = 1;   // nodes of the tree below, aliases followed
    std::string text;
  };

  std::string file;
  std::vector<Item> items;
  std::vector<std::uint32_t> children;
  std::uint32_t root = 0;

  Error Complain(int line, int column, std::string_view message) const;
};

// See Node::Parse.
Result<Tree> ParseTree(std::string_view text, std::string_view file);
// See Node::ParseAll.
Result<std::vector<Tree>> ParseTrees(std::string_view text, std::string_view file);

}  // namespace skep::yaml
