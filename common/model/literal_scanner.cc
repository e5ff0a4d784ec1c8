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
  for (std::uint32_t literal = 0; literal < literals_.size(); ++literal) {
    for (std::uint32_t offset = 0; offset < stride_; ++offset) {
      entries_.push_back({BlockOf(literals_[literal].data() + offset), literal, offset});
    }
  }
  const auto bucket_of = [](const Entry& entry) {
    return Hash(entry.block) >> (kHashBits - kBucketBits);
  };
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) { return bucket_of(a) < bucket_of(b); });
  for (const Entry& entry : entries_) {
    const std::uint32_t hash = Hash(entry.block);
    bits_[hash / 64] |= 1ULL << (hash % 64);
    ++first_[bucket_of(entry) + 1];
  }
  for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
}

std::uint32_t LiteralScanner::BlockOf(const char* at) const {
  return block_ == 3 ? BlockAt<3>(at) : block_ == 2 ? BlockAt<2>(at) : BlockAt<1>(at);
}

bool LiteralScanner::Matches(std::string_view text, std::size_t at, const Entry& entry) const {
  const std::string& literal = literals_[entry.literal];
  if (at < entry.offset || at - entry.offset + literal.size() > text.size()) return false;
  const char* begin = text.data() + (at - entry.offset);
  // What follows the block tells them apart soonest; its own bytes come last.
  std::size_t i = entry.offset + block_;
  for (std::size_t left = literal.size(); left > 0; --left, ++i) {
    if (i >= literal.size()) i = 0;
    if (literal[i] != Lower(begin[i])) return false;
  }
  return true;
}

}  // namespace skep
