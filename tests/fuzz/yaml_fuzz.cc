// YAML of any bytes: read as a tree or refused, and the tree can be walked.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/yaml/node.h"

namespace {

using skep::yaml::Node;

std::size_t Walk(const Node& node) {
  std::size_t count = node.text().size() + (node.AsBool() ? 1 : 0) + (node.AsDouble() ? 1 : 0) +
                      (node.AsInt() ? 1 : 0) + (node.AsSizeBytes() ? 1 : 0) +
                      (node.AsDuration() ? 1 : 0);
  for (const Node& item : node.items()) count += Walk(item);
  for (const auto& [key, value] : node.entries()) {
    count += Walk(value) + (node.Has(key.text()) ? 1 : 0);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;  // Walk visits what aliases name again and again
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const skep::Result<Node> node = Node::Parse(text, "fuzz.yml");
  if (node) (void)Walk(*node);
  return 0;
}
