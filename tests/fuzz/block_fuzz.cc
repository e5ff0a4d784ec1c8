// A block file of any bytes: opened or refused, and read without a step outside. Its sums are made
// right first, so that what they guard is reached.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/evaluator/tsdb/block_damage.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep::tsdb;  // NOLINT: a small program of its own
  std::string content(reinterpret_cast<const char*>(data), size);
  MendSums(content);
  const auto block = Block::Of(std::make_shared<HeapFile>(std::move(content)), "block");
  if (block) (void)ReadAll(**block);
  return 0;
}
