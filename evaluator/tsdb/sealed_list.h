// The sealed chunks of one series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "evaluator/tsdb/heap_size.h"
#include "evaluator/tsdb/sealed_chunk.h"

namespace skep::tsdb {

// As a vector, in 8 bytes and without room to grow: a chunk comes every sixty samples, and there
// are hundred thousands of lists. Thread-compatible.
class SealedList {
 public:
  using iterator = SealedChunk*;
  using const_iterator = const SealedChunk*;

  SealedList() = default;
  SealedList(const SealedList&) = delete;
  SealedList& operator=(const SealedList&) = delete;
  ~SealedList() { clear(); }

  std::size_t size() const { return list_ == nullptr ? 0 : list_->size; }
  bool empty() const { return list_ == nullptr; }
  iterator begin() { return list_ == nullptr ? nullptr : Chunks(list_); }
  iterator end() { return begin() + size(); }
  const_iterator begin() const { return list_ == nullptr ? nullptr : Chunks(list_); }
  const_iterator end() const { return begin() + size(); }
  // Require: not empty.
  const SealedChunk& front() const { return *begin(); }
  const SealedChunk& back() const { return *(end() - 1); }

  void push_back(SealedChunk chunk) {
    List* const grown = Allocate(size() + 1);
    SealedChunk* const end = std::uninitialized_move(begin(), this->end(), Chunks(grown));
    new (end) SealedChunk(std::move(chunk));
    Replace(grown);
  }
  void erase(const_iterator first, const_iterator last) {
    if (first == last) return;
    const std::size_t left = size() - static_cast<std::size_t>(last - first);
    if (left == 0) return clear();
    List* const shrunk = Allocate(left);
    SealedChunk* const middle =
        std::uninitialized_move(begin(), begin() + (first - begin()), Chunks(shrunk));
    std::uninitialized_move(begin() + (last - begin()), end(), middle);
    Replace(shrunk);
  }
  void clear() { Replace(nullptr); }

  // Of the heap, with what the chunks have there.
  std::size_t heap_bytes() const {
    if (list_ == nullptr) return 0;
    std::size_t bytes = HeapSize(sizeof(List) + list_->size * sizeof(SealedChunk));
    for (const SealedChunk& chunk : *this) bytes += chunk.heap_bytes();
    return bytes;
  }

 private:
  // The chunks stand behind it.
  struct alignas(SealedChunk) List {
    std::uint32_t size;
  };

  static SealedChunk* Chunks(List* list) { return reinterpret_cast<SealedChunk*>(list + 1); }
  static List* Allocate(std::size_t size) {
    void* const memory = ::operator new(sizeof(List) + size * sizeof(SealedChunk));
    return new (memory) List{static_cast<std::uint32_t>(size)};
  }
  void Replace(List* list) {
    std::destroy(begin(), end());
    ::operator delete(std::exchange(list_, list));
  }

  List* list_ = nullptr;  // null: none
};

}  // namespace skep::tsdb
