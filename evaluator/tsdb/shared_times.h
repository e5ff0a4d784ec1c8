// The times of a run of samples, once for all series that have the same.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "common/base/time.h"

namespace skep::tsdb {

// A column of times (times_column.h), and what is asked of it most. Immutable; copies are users of
// one piece of the heap. Thread-safe as a shared_ptr is, in 8 bytes.
class SharedTimes {
 public:
  struct Span {
    Timestamp first, last;
    std::uint16_t samples = 0;

    bool operator==(const Span&) const = default;
  };

  SharedTimes() = default;  // of nothing: only to be assigned to
  // `column` has at most 2^16 - 1 bytes.
  SharedTimes(const Span& span, std::string_view column);
  SharedTimes(const SharedTimes& other) : column_(other.column_) {
    if (column_ != nullptr) column_->users.fetch_add(1, std::memory_order_relaxed);
  }
  SharedTimes(SharedTimes&& other) noexcept : column_(std::exchange(other.column_, nullptr)) {}
  SharedTimes& operator=(SharedTimes other) noexcept {
    std::swap(column_, other.column_);
    return *this;
  }
  ~SharedTimes();

  bool empty() const { return column_ == nullptr; }
  // The others require: not empty.
  const Span& span() const { return column_->span; }
  std::string_view column() const {
    return {reinterpret_cast<const char*>(column_ + 1), column_->bytes};
  }
  // Of the heap, this user's part.
  std::size_t heap_bytes() const;

 private:
  // The bytes stand behind it.
  struct Column {
    std::atomic<std::uint32_t> users{1};
    std::uint16_t bytes = 0;
    Span span;
  };

  Column* column_ = nullptr;
};

}  // namespace skep::tsdb
