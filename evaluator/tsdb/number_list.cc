#include "evaluator/tsdb/number_list.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {

NumberList::~NumberList() {
  if (size_ > kInline) delete[] heap();
}

std::uint32_t NumberList::Capacity(std::uint32_t size) {
  if (size <= kInline) return kInline;
  const std::uint32_t step = std::max(2U, std::bit_floor(size) / 8);
  return (size + step - 1) / step * step;
}

std::uint32_t* NumberList::heap() const {
  std::uint32_t* heap = nullptr;
  static_assert(sizeof(heap) == sizeof(words_));
  std::memcpy(&heap, words_, sizeof(heap));
  return heap;
}

void NumberList::SetHeap(std::uint32_t* heap) { std::memcpy(words_, &heap, sizeof(heap)); }

void NumberList::Resize(std::uint32_t keep, std::uint32_t size) {
  const std::uint32_t capacity = Capacity(size);
  if (capacity == Capacity(size_)) {
    size_ = size;
    return;
  }
  std::uint32_t* const old = size_ > kInline ? heap() : nullptr;
  if (capacity > kInline) {
    auto* const moved = new std::uint32_t[capacity];
    std::copy_n(data(), keep, moved);
    SetHeap(moved);
  } else {
    std::copy_n(old, keep, words_);
  }
  delete[] old;
  size_ = size;
}

void NumberList::Append(std::uint32_t number) {
  Resize(size_, size_ + 1);
  data()[size_ - 1] = number;
}

void NumberList::Subtract(std::span<const std::uint32_t> gone) {
  std::uint32_t* const numbers = data();
  std::uint32_t kept = 0;
  auto from = gone.begin();
  for (std::uint32_t i = 0; i < size_; ++i) {
    while (from != gone.end() && *from < numbers[i]) ++from;
    if (from == gone.end() || *from != numbers[i]) numbers[kept++] = numbers[i];
  }
  Resize(kept, kept);
}

std::size_t NumberList::heap_bytes() const {
  return size_ <= kInline ? 0 : HeapSize(Capacity(size_) * sizeof(std::uint32_t));
}

}  // namespace skep::tsdb
