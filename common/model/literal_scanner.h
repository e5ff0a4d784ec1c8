// Finds which of many short texts occur in a longer one, whatever the case of their ASCII letters.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skep {

// Immutable, thread-safe. Aho-Corasick looks at every byte with one dependent load each; this looks
// at three bytes at every second place (at fixed places, hence without waiting for the last look)
// and compares only where their hash is one of the literals'.
class LiteralScanner {
 public:
  // Requires: no literal is empty.
  explicit LiteralScanner(std::vector<std::string> literals);

  // Calls found(index) for literals that occur in `text`, for some more than once.
  template <typename Found>
  void Scan(std::string_view text, Found&& found) const;

  const std::vector<std::string>& literals() const { return literals_; }

 private:
  static constexpr std::size_t kBuckets = 4096;

  struct Entry {
    std::uint32_t literal;
    std::uint32_t offset;  // of the block within the literal
  };

  std::uint32_t BucketAt(const char* at) const;
  bool Matches(std::string_view text, std::size_t block, const Entry& entry) const;
  void AddBlocks(std::uint32_t literal, std::vector<std::vector<Entry>>& buckets);

  std::vector<std::string> literals_;  // with ASCII letters lowered
  std::size_t block_ = 3;              // bytes looked at together: 1 to 3
  std::size_t stride_ = 1;
  std::array<std::uint8_t, kBuckets> occupied_{};
  std::array<std::uint32_t, kBuckets + 1> first_{};  // entries of a bucket begin here
  std::vector<Entry> entries_;
};

inline std::uint32_t LiteralScanner::BucketAt(const char* at) const {
  std::uint32_t word = static_cast<unsigned char>(at[0]);
  if (block_ > 1) word |= static_cast<std::uint32_t>(static_cast<unsigned char>(at[1])) << 8;
  if (block_ > 2) word |= static_cast<std::uint32_t>(static_cast<unsigned char>(at[2])) << 16;
  // Setting the bit of lower case joins letters of both cases, and some other bytes, which the
  // comparison tells apart.
  return ((word | 0x202020U) * 0x9e3779b1U) >> 20;
}

template <typename Found>
void LiteralScanner::Scan(std::string_view text, Found&& found) const {
  if (literals_.empty() || text.size() < block_) return;
  const std::size_t last = text.size() - block_;
  const auto look = [&](std::size_t at) {
    const std::uint32_t bucket = BucketAt(text.data() + at);
    for (std::uint32_t i = first_[bucket]; i < first_[bucket + 1]; ++i) {
      if (Matches(text, at, entries_[i])) found(entries_[i].literal);
    }
  };
  std::size_t at = 0;
  // Four looks for one branch.
  for (; at + 3 * stride_ <= last; at += 4 * stride_) {
    const char* p = text.data() + at;
    if ((occupied_[BucketAt(p)] | occupied_[BucketAt(p + stride_)] |
         occupied_[BucketAt(p + 2 * stride_)] | occupied_[BucketAt(p + 3 * stride_)]) == 0) {
      continue;
    }
    for (std::size_t i = 0; i < 4; ++i) look(at + i * stride_);
  }
  for (; at <= last; at += stride_) look(at);
}

}  // namespace skep
