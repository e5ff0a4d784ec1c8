// Numbers of series, rising, in little more memory than four bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace skep::tsdb {

// A list that somebody works with.
using Postings = std::vector<std::uint32_t>;

// A list that is kept. 12 bytes, of which 8 hold the numbers while there are at most two: most
// values of a label with many of them belong to one series. Longer ones have at most an eighth of
// their room free. Thread-compatible.
class NumberList {
 public:
  NumberList() = default;
  NumberList(const NumberList&) = delete;
  NumberList& operator=(const NumberList&) = delete;
  ~NumberList();

  // Requires: above all that are there.
  void Append(std::uint32_t number);
  // Takes out what is in `gone`, which rises.
  void Subtract(std::span<const std::uint32_t> gone);

  std::span<const std::uint32_t> view() const { return {data(), size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Of the heap.
  std::size_t heap_bytes() const;

 private:
  static constexpr std::uint32_t kInline = 2;

  // How many numbers there is room for where there are `size`.
  static std::uint32_t Capacity(std::uint32_t size);
  const std::uint32_t* data() const { return size_ <= kInline ? words_ : heap(); }
  std::uint32_t* data() { return size_ <= kInline ? words_ : heap(); }
  std::uint32_t* heap() const;
  void SetHeap(std::uint32_t* heap);
  // Moves the first `keep` numbers to where a list of `size` has them.
  void Resize(std::uint32_t keep, std::uint32_t size);

  std::uint32_t size_ = 0;
  std::uint32_t words_[kInline] = {};  // the numbers, or where they are
};

}  // namespace skep::tsdb
