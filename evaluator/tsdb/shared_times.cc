#include "evaluator/tsdb/shared_times.h"

#include <cstring>
#include <new>

#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {

SharedTimes::SharedTimes(const Span& span, std::string_view column)
    : column_(new (::operator new(sizeof(Column) + column.size())) Column) {
  column_->bytes = static_cast<std::uint16_t>(column.size());
  column_->span = span;
  std::memcpy(static_cast<void*>(column_ + 1), column.data(), column.size());
}

SharedTimes::~SharedTimes() {
  if (column_ == nullptr) return;
  if (column_->users.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  column_->~Column();
  ::operator delete(column_);
}

std::size_t SharedTimes::heap_bytes() const {
  const std::size_t users = column_->users.load(std::memory_order_relaxed);
  return (HeapSize(sizeof(Column) + column_->bytes) + users - 1) / users;
}

}  // namespace skep::tsdb
