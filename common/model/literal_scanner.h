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
// at blocks of three bytes at fixed places (hence without waiting for the last look), as far apart
// as the shortest literal allows, and goes on only where the block may be one of a literal's.
class LiteralScanner {
 public:
  // Requires: no literal is empty.
  explicit LiteralScanner(std::vector<std::string> literals);

  // Calls found(index) for literals that occur in `text`, for some more than once.
  template <typename Found>
  void Scan(std::string_view text, Found&& found) const;

  const std::vector<std::string>& literals() const { return literals_; }

 private:
  // One bit for each value of the hash: 8 KB, which stay in the first cache. With a few hundred
  // blocks one look in a hundred hits by accident.
  static constexpr unsigned kHashBits = 16;
  static constexpr unsigned kBucketBits = 10;

  struct Entry {
    std::uint32_t block;  // as BlockAt gives it
    std::uint32_t literal;
    std::uint32_t offset;  // of the block within the literal
  };

  template <std::size_t kBlock>
  static std::uint32_t BlockAt(const char* at);
  std::uint32_t BlockOf(const char* at) const;
  static std::uint32_t Hash(std::uint32_t block) { return block * 0x9e3779b1U >> (32 - kHashBits); }
  bool MayHold(std::uint32_t hash) const { return (bits_[hash / 64] >> (hash % 64) & 1U) != 0; }
  bool Matches(std::string_view text, std::size_t at, const Entry& entry) const;
  template <std::size_t kBlock, typename Found>
  void ScanBlocks(std::string_view text, Found& found) const;

  std::vector<std::string> literals_;  // with ASCII letters lowered
  std::size_t block_ = 3;              // bytes looked at together: 1 to 3
  std::size_t stride_ = 1;
  std::array<std::uint64_t, (1U << kHashBits) / 64> bits_{};
  std::array<std::uint32_t, (1U << kBucketBits) + 1> first_{};  // entries of a bucket begin here
  std::vector<Entry> entries_;
};

// Setting the bit of lower case joins letters of both cases, and some other bytes, which the
// comparison tells apart.
template <std::size_t kBlock>
std::uint32_t LiteralScanner::BlockAt(const char* at) {
  std::uint32_t block = static_cast<unsigned char>(at[0]);
  if constexpr (kBlock > 1) {
    block |= static_cast<std::uint32_t>(static_cast<unsigned char>(at[1])) << 8;
  }
  if constexpr (kBlock > 2) {
    block |= static_cast<std::uint32_t>(static_cast<unsigned char>(at[2])) << 16;
  }
  return block | 0x202020U;
}

template <std::size_t kBlock, typename Found>
void LiteralScanner::ScanBlocks(std::string_view text, Found& found) const {
  if (text.size() < kBlock) return;
  const std::size_t last = text.size() - kBlock;
  const char* data = text.data();
  const auto look = [&](std::size_t at) {
    const std::uint32_t block = BlockAt<kBlock>(data + at);
    const std::uint32_t hash = Hash(block);
    if (!MayHold(hash)) return;
    const std::uint32_t bucket = hash >> (kHashBits - kBucketBits);
    for (std::uint32_t i = first_[bucket]; i < first_[bucket + 1]; ++i) {
      const Entry& entry = entries_[i];
      if (entry.block == block && Matches(text, at, entry)) found(entry.literal);
    }
  };
  const std::size_t stride = stride_;
  std::size_t at = 0;
  // Four looks for one branch.
  for (; at + 3 * stride <= last; at += 4 * stride) {
    const bool hit = MayHold(Hash(BlockAt<kBlock>(data + at))) |
                     MayHold(Hash(BlockAt<kBlock>(data + at + stride))) |
                     MayHold(Hash(BlockAt<kBlock>(data + at + 2 * stride))) |
                     MayHold(Hash(BlockAt<kBlock>(data + at + 3 * stride)));
    if (!hit) continue;
    for (std::size_t i = 0; i < 4; ++i) look(at + i * stride);
  }
  for (; at <= last; at += stride) look(at);
}

template <typename Found>
void LiteralScanner::Scan(std::string_view text, Found&& found) const {
  if (literals_.empty()) return;
  if (block_ == 3) {
    ScanBlocks<3>(text, found);
  } else if (block_ == 2) {
    ScanBlocks<2>(text, found);
  } else {
    ScanBlocks<1>(text, found);
  }
}

}  // namespace skep
