#include "common/model/literal_scanner.h"

#include <algorithm>
#include <cassert>

namespace skep {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

LiteralScanner::LiteralScanner(std::vector<std::string> literals) : literals_(std::move(literals)) {
  std::size_t shortest = 8;
  for (std::string& literal : literals_) {
    assert(!literal.empty());
    for (char& c : literal) c = Lower(c);
    shortest = std::min(shortest, literal.size());
  }
  block_ = std::min<std::size_t>(3, shortest);
  // Wherever a literal stands, one of its first `stride_` blocks lies at a multiple of the stride.
  stride_ = shortest - block_ + 1;
  std::vector<std::vector<Entry>> buckets(kBuckets);
  for (std::uint32_t i = 0; i < literals_.size(); ++i) AddBlocks(i, buckets);
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    first_[bucket] = static_cast<std::uint32_t>(entries_.size());
    occupied_[bucket] = buckets[bucket].empty() ? 0 : 1;
    entries_.insert(entries_.end(), buckets[bucket].begin(), buckets[bucket].end());
  }
  first_[kBuckets] = static_cast<std::uint32_t>(entries_.size());
}

void LiteralScanner::AddBlocks(std::uint32_t literal, std::vector<std::vector<Entry>>& buckets) {
  for (std::uint32_t offset = 0; offset < stride_; ++offset) {
    buckets[BucketAt(literals_[literal].data() + offset)].push_back({literal, offset});
  }
}

bool LiteralScanner::Matches(std::string_view text, std::size_t block, const Entry& entry) const {
  const std::string& literal = literals_[entry.literal];
  if (block < entry.offset) return false;
  const std::size_t begin = block - entry.offset;
  if (begin + literal.size() > text.size()) return false;
  const auto* at = text.data() + begin;
  return std::equal(literal.begin(), literal.end(), at,
                    [](char a, char b) { return a == Lower(b); });
}

}  // namespace skep
